"""The window on odd desktops: small and large, idle, without a keyring, with a locked one, without a display."""
import os
import shutil
import subprocess
import time
from pathlib import Path

from clusters import fill_in
from marks import test
from servers import SandboxServer
from stories import copied, create
from window import PROGRAM, Window, controls, run, until

SMALL, LARGE = (900, 600), (2560, 1440)
PRESSED = {"push button", "entry", "password text", "radio button", "check box"}


def fits(window, footer=(), dialog=()):
    """Nothing named sticks out at the side, no two controls lie on each other, and what belongs to a footer or a
    dialog is wholly inside. What a list or a form has below its visible part is further down, and is let be."""
    left, top, width, height = window.box()
    found = [(c, box) for c, box in window.boxes() if c.role in PRESSED | {"label", "table row"}]
    for control, (x, y, w, h) in found:
        assert left <= x and x + w <= left + width, f"{control} at {x},{y} {w}x{h} sticks out at the side"
    firm = {name: box for control, box in found for name in (*footer, *dialog) if control.name == name and control.role in PRESSED}
    for name in (*footer, *dialog):
        assert name in firm, f"{name!r} is not there"
        x, y, w, h = firm[name]
        assert top <= y and y + h <= top + height, f"{name!r} at {x},{y} {w}x{h} is not inside"
    line = min([firm[name][1] for name in footer], default=top + height)
    if dialog:  # what lies behind is covered on purpose
        return
    seen = [(c, b) for c, b in found if c.role in PRESSED and top <= b[1] and (c.name in footer or b[1] + b[3] <= line)]
    for at, (one, (x, y, w, h)) in enumerate(seen):
        for other, (x2, y2, w2, h2) in seen[at + 1:]:
            apart = x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
            assert apart, f"{one} {x},{y} {w}x{h} and {other} {x2},{y2} {w2}x{h2} lie on each other"


def every_screen_at(size):
    window = Window("--sandbox")
    window.see("320 keys loaded", timeout=30)
    window.resize(*size)
    fits(window)
    boxes = [c for c in controls(window.app) if c.role == "check box" and c.name.startswith("Select ")][1:3]
    for box in boxes:
        box.press()
    window.see("2 selected")
    fits(window, footer=["Clear selection", "Invalidate"])
    window.press("Invalidate")
    window.see("Clients that use them get 401 errors immediately")
    fits(window, dialog=["Cancel", "Invalidate 2 keys"])
    window.press("Cancel")
    window.press("Clear selection")
    next(c for c in controls(window.app) if c.role == "table row").press()
    window.see("What it can do")
    fits(window, footer=["Invalidate"])
    window.press("Close")

    window.press("Overview")
    window.see("Upcoming expirations")
    fits(window)
    window.press("Keys")
    window.press("Export")
    window.find("File", "entry")
    fits(window, dialog=["Cancel", "Export 320 keys"])
    window.press("Cancel")

    window.press("Create")
    window.find("Roles", "entry")
    fits(window, footer=["Create key"])
    create(window)
    fits(window, dialog=["Copy", "Hold to reveal", "Copy with secret", "Try it", "Close", "Keep in keyring"])
    window.press("Try it")
    window.see("It works")
    window.press("Write to file…")
    window.find("File", "entry")
    fits(window, dialog=["Copy", "Hold to reveal", "Copy with secret", "Try it", "Close", "Keep in keyring", "Write"])
    window.press("Close")
    window.see("You haven’t saved the secret")
    fits(window, dialog=["Go back", "Close without saving it"])
    window.press("Close without saving it")

    window.press("Connections")
    window.press("Add connection")
    for way in ("User", "Token", "API key"):
        window.choose(way)
        fits(window, footer=["Connect", "Test connection", "Save connection"])
    window.press("Connect")  # with every error shown
    window.see("Enter a name for the connection")
    fits(window, footer=["Connect", "Test connection", "Save connection"])


@test
def every_screen_fits_into_900_by_600():
    every_screen_at(SMALL)


@test(size="2600x1500")
def every_screen_fits_into_2560_by_1440():
    every_screen_at(LARGE)


@test(alone=True)
def an_idle_window_draws_no_frame_in_a_minute():
    """A frame is drawn by the main thread and by no other: it wakes, builds the picture and hands it to the X server.
    So its context switches and its processor time stand still for as long as no frame is drawn, and each frame moves
    both. That a frame does move them is shown first."""
    window = Window("--sandbox")
    window.see("320 keys loaded", timeout=30)
    # Keys with more than two days left: no word of what is shown changes within the minute.
    window.fill("Search", "never-a-name-of-a-key")
    window.see("Nothing found")
    run("xdotool", "mousemove", "700", "500")
    settle(window)
    before = woken(window)
    run("xdotool", "mousemove", "720", "520")
    time.sleep(1)
    assert woken(window)[0] > before[0], "a frame is not noticed, so this measures nothing"

    settle(window)
    before = woken(window)
    time.sleep(60)
    after = woken(window)
    assert after == before, f"(context switches, ticks) of the main thread went from {before} to {after} in a minute"


@test(alone=True)
def the_list_of_keys_draws_at_most_one_frame_a_minute():
    """Where the list shows a key by minutes, its words change once a minute; nothing else may draw."""
    window = Window("--sandbox")
    window.see("320 keys loaded", timeout=30)
    run("xdotool", "mousemove", "5", "5")
    settle(window)
    one = frame_costs(window)
    before = woken(window)
    time.sleep(60)
    switches = woken(window)[0] - before[0]
    assert switches <= one, f"{switches} context switches in a minute, where one frame costs about {one}"


def woken(window):
    """How often the main thread was switched to, and its ticks of processor time."""
    task = Path(f"/proc/{window.process.pid}/task/{window.process.pid}")
    status = dict(line.split(":\t") for line in (task / "status").read_text().splitlines() if ":\t" in line)
    times = (task / "stat").read_text().rpartition(")")[2].split()
    return int(status["voluntary_ctxt_switches"]) + int(status["nonvoluntary_ctxt_switches"]), int(times[11]) + int(times[12])


def settle(window):
    """Waits until nothing is on its way any more, news in the status line included."""
    def quiet():
        before = woken(window)
        time.sleep(2)
        return woken(window) == before
    until(quiet, "the window does not come to rest", 30)


def frame_costs(window):
    """The context switches of the dearest of a few frames, each caused by one move of the pointer."""
    most = 0
    for step in range(5):
        before = woken(window)[0]
        run("xdotool", "mousemove", str(600 + 40 * step), "400")
        time.sleep(1)
        most = max(most, woken(window)[0] - before)
    run("xdotool", "mousemove", "5", "5")
    settle(window)
    return most


@test
def without_a_display_it_says_what_is_missing_and_the_command_line_works():
    bare = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY")}
    for arguments in ([], ["--sandbox"]):
        done = subprocess.run([PROGRAM, *arguments], env=bare, capture_output=True, text=True, timeout=20)
        assert done.returncode == 1, done
        assert done.stdout == "" and "no display" in done.stderr and "DISPLAY" in done.stderr, done.stderr
        assert "keybearer --help" in done.stderr and "panicked" not in done.stderr, done.stderr
    done = subprocess.run([PROGRAM], env=dict(bare, DISPLAY=":4711"), capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "DISPLAY" in done.stderr and "panicked" not in done.stderr, done
    server = SandboxServer()
    there = dict(bare, ES_URL=server.url, ES_FINGERPRINT=server.fingerprint, ES_USERNAME=server.username,
                 ES_PASSWORD=server.password)
    done = subprocess.run([PROGRAM, "whoami"], env=there, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and server.username in done.stdout, done
    done = subprocess.run([PROGRAM, "list", "--output", "csv"], env=there, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and len(done.stdout.splitlines()) >= 12, done


def without_keyring():
    """From here on the session bus knows nobody who keeps secrets, while accessibility works as before."""
    home = Path(os.environ["HOME"])
    services = home / "services"
    services.mkdir()
    for service in ("org.a11y.Bus", "org.a11y.atspi.Registry"):
        for place in ("/usr/share/dbus-1/services", "/usr/share/dbus-1/accessibility-services"):
            if Path(place, f"{service}.service").exists():
                shutil.copy(Path(place, f"{service}.service"), services)
    configuration = home / "bus.conf"
    configuration.write_text(f"""<busconfig><type>session</type><listen>unix:dir={home}</listen>
        <servicedir>{services}</servicedir><policy context="default"><allow send_destination="*" eavesdrop="true"/>
        <allow eavesdrop="true"/><allow own="*"/></policy></busconfig>""")
    bus = subprocess.Popen(["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
    run("gdbus", "call", "--session", "-d", "org.a11y.Bus", "-o", "/org/a11y/bus", "-m",
        "org.freedesktop.DBus.Properties.Set", "org.a11y.Status", "IsEnabled", "<true>")
    answer = run("gdbus", "call", "--session", "-d", "org.a11y.Bus", "-o", "/org/a11y/bus", "-m", "org.a11y.Bus.GetAddress")
    os.environ["AT_SPI_BUS_ADDRESS"] = answer.split("'")[1]
    return bus


@test
def without_a_keyring_connections_are_kept_for_this_run():
    bus = without_keyring()
    server = SandboxServer()
    window = Window()
    window.press("Connections")
    window.see("keyring")
    window.see("Continue without saving")
    window.press("Continue without saving")
    window.see("Kept in memory: these connections are lost when you close or lock Keybearer")
    fill_in(window, "for now", server.url, server.username, server.password)
    window.choose("Fingerprint")
    window.fill("Fingerprint", server.fingerprint)
    window.press("Save connection")
    window.press("Edit for now")
    window.press("Connect")
    window.see("12 keys loaded", timeout=30)
    create(window)
    copied(window)
    window.press("Keep in keyring")
    window.see("There is no keyring to save it in")
    window.let_go()
    assert window.close() == 0
    bus.kill()


@test
def a_locked_keyring_is_said_and_one_can_go_on_for_this_run():
    server = SandboxServer()
    window = Window()
    fill_in(window, "practice", server.url, server.username, server.password)
    window.choose("Fingerprint")
    window.fill("Fingerprint", server.fingerprint)
    window.press("Save connection")
    window.see("The keyring is up to date")
    assert window.close() == 0
    run("gdbus", "call", "--session", "-d", "org.freedesktop.secrets", "-o", "/org/freedesktop/secrets", "-m",
        "org.freedesktop.Secret.Service.Lock", "['/org/freedesktop/secrets/collection/login']")
    again = Window()
    again.see("Continue without saving", timeout=30)
    assert not again.has("Edit practice")
    again.press("Continue without saving")
    again.see("Kept in memory: these connections are lost when you close or lock Keybearer")
    again.press("Add connection")
    again.find("Connection name", "entry")

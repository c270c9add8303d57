"""The program and its window, used as a person does: by accessible names, by pointer, by keyboard.

Coordinates are pixels of the screen; every wait has an end.
"""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "desktop"))
import atspi  # noqa: E402
from atspi import Missing, controls, tree  # noqa: E402,F401

PROGRAM = os.environ["KEYBEARER"]
SHORT, LONG = 10, 30  # seconds

opened = []  # every window of this test, for the report of a failure and for the end


def until(look, complaint, seconds=SHORT):
    """What `look` returns as soon as that is something. `complaint` may be a function: it is asked at the end."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(complaint() if callable(complaint) else complaint)
        time.sleep(0.05)


def run(*command, **more):
    """What a command of the desktop prints; empty when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SHORT, **more)
    return done.stdout if done.returncode == 0 else ""


class Window:
    """The running program. What it prints is kept in `output`, a file within the session's home."""

    def __init__(self, *arguments, environment=None):
        self.output = Path(os.environ["HOME"]) / f"printed-{len(opened)}.txt"
        with open(self.output, "w") as printed:
            self.process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=printed,
                                            stderr=subprocess.STDOUT, env=environment)
        opened.append(self)
        self.app = None
        self.app = atspi.application(Path(PROGRAM).name)
        self.id = until(lambda: run("xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid)).split(),
                        "the window is not on the screen")[0]

    # By names

    def find(self, name=None, role=None, contains=None, timeout=SHORT):
        return atspi.find(self.app, name, role, contains, timeout)

    def button(self, name, timeout=SHORT):
        """The button of that name, once it is on."""
        found = self.find(name, "push button", timeout=timeout)
        until(lambda: self.button_now(name), lambda: f"{found} stays off")
        return self.button_now(name)

    def button_now(self, name):
        found = next((c for c in controls(self.app) if c.name == name and c.role == "push button" and c.enabled()), None)
        if found:
            found.node.clear_cache()  # while it was off it had no action, and that is remembered
        return found

    def press(self, name, timeout=SHORT):
        self.button(name, timeout).press()

    def choose(self, name):
        """One of several: a chip, a part of a segmented choice, a consumer."""
        self.find(name, "radio button").press()

    def fill(self, name, text, role="entry"):
        """Sets a field's text and waits until it is there. A password shows as dots, so only their number is seen."""
        self.find(name, role).fill(text)
        same = (lambda has: len(has) == len(text)) if role == "password text" else (lambda has: has == text)

        def has_taken():
            try:
                return same(self.find(name, role).text())
            except atspi.GLib.Error:  # what is around it changed while it was read, as when keys come in
                return False
        until(has_taken, f"{name!r} does not take its text")

    def see(self, text, timeout=SHORT):
        """A control whose name has this text."""
        return self.find(contains=text, timeout=timeout)

    def gone(self, text, timeout=SHORT):
        atspi.gone(self.app, text, timeout)

    def has(self, text):
        return any(text in control.name for control in controls(self.app))

    def texts(self):
        """All that a screen reader could read out: names and texts."""
        found = []
        for control in controls(self.app):
            found.append(control.name)
            try:
                found.append(control.text())
            except Exception:  # it went away meanwhile, or has no text
                pass
        return [text for text in found if text]

    def boxes(self):
        """Each named control that has a place, with its box. An answer that comes in while they are read takes some of
        them away: then all are read again."""
        def look():
            placed = [(c, c.node.get_component_iface()) for c in controls(self.app) if c.name]
            try:
                return [(control, control.box(component)) for control, component in placed if component]
            except atspi.GLib.Error:
                return None
        return until(look, "the controls change all the time")

    def row(self, name, timeout=SHORT):
        return self.find(name, "table row", timeout=timeout)

    def row_words(self, name):
        """The words of the cells of a row: all within its box."""
        self.row(name)
        found = self.boxes()
        x, y, width, height = next(box for control, box in found if (control.name, control.role) == (name, "table row"))
        return [control.name for control, (left, top, _, h) in found
                if control.role == "label" and x <= left < x + width and y <= top and top + h <= y + height]

    def tree(self):
        return tree(self.app) if self.app else "(not on the accessibility bus)"

    # By pointer and keyboard

    def settled(self, look):
        """A control whose box has come to rest: what a person aims at does not move."""
        def rest():
            first = look().box()
            time.sleep(0.1)
            return first if first == look().box() else None
        return until(rest, "a control does not come to rest")

    def point(self, name=None, role=None, contains=None):
        x, y, width, height = self.settled(lambda: self.find(name, role, contains))
        run("xdotool", "mousemove", str(x + width // 2), str(y + height // 2))

    def click(self, name=None, role=None, contains=None):
        self.point(name, role, contains)
        time.sleep(0.7)  # a button that has just come takes no press for half a second
        run("xdotool", "click", "1")

    def click_twice(self, name=None, role=None, contains=None):
        self.point(name, role, contains)
        time.sleep(0.7)
        run("xdotool", "click", "--repeat", "2", "--delay", "150", "1")

    def key(self, *names):
        run("xdotool", "key", "--clearmodifiers", "--delay", "30", *names)

    def type(self, text):
        run("xdotool", "type", "--clearmodifiers", "--delay", "8", "--", text)

    def focused(self, name, role=None):
        """Waits until the keyboard is at a control."""
        state = atspi.Atspi.StateType.FOCUSED
        def look():
            return any(c.name == name and role in (None, c.role) and c.node.get_state_set().contains(state)
                       for c in controls(self.app))
        until(look, lambda: f"the keyboard is not at {name!r} but at {self.focus()}")

    def tab_to(self, name):
        """Presses Tab until the keyboard is at a control; each press is waited for."""
        at = lambda: [(c.name, c.role) for c in self.focus()]
        for _ in range(60):
            before = at()
            if any(own == name for own, _ in before):
                return
            self.key("Tab")
            until(lambda: at() != before, f"Tab does not leave {before}")
        raise AssertionError(f"Tab does not come to {name!r}")

    def focus(self):
        state = atspi.Atspi.StateType.FOCUSED
        return [c for c in controls(self.app) if c.node.get_state_set().contains(state)]

    def box(self):
        """Where the content of the window is on the screen."""
        return self.find(role="frame").box()

    def resize(self, width, height):
        # A window manager may first undo a maximised window.
        run("wmctrl", "-i", "-r", hex(int(self.id)), "-b", "remove,maximized_vert,maximized_horz")
        run("xdotool", "windowmove", self.id, "0", "0", "windowsize", self.id, str(width), str(height))
        until(lambda: self.box()[2:] == (width, height), lambda: f"the window is {self.box()}, not {width}x{height}")
        time.sleep(0.3)

    # Its end

    def close(self):
        """Closes the window as its own button does; its exit status."""
        run("wmctrl", "-i", "-c", hex(int(self.id)))
        return self.process.wait(timeout=SHORT)

    def ask_to_close(self):
        """The same where it will not close at once."""
        run("wmctrl", "-i", "-c", hex(int(self.id)))

    def ended(self):
        """Its exit status, when it ends by itself."""
        return self.process.wait(timeout=SHORT)

    def let_go(self):
        """Closes the card of a secret that was copied."""
        self.press("Close")
        self.press("I’ve saved it")
        self.gone("Key created")

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=SHORT)

    def children(self):
        """The ids of the program and of all that it has started."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
        family = {self.process.pid}
        while new := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= new
        return family


def clipboard(selection="clipboard", target="UTF8_STRING"):
    """What another program would paste; empty when there is nothing."""
    done = subprocess.run(["xclip", "-selection", selection, "-t", target, "-o"], capture_output=True, timeout=SHORT)
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def copy(text):
    """Another program puts something on the clipboard."""
    subprocess.run(["xclip", "-selection", "clipboard", "-i"], input=text.encode(), timeout=SHORT, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def picture(path, box=None):
    """The screen, or a part of it, as PNG."""
    crop = ["-crop", "{2}x{3}+{0}+{1}".format(*box), "+repage"] if box else []
    subprocess.run(["import", "-window", "root", *crop, str(path)], timeout=SHORT, check=False)


def pixels(box):
    """The pixels of a part of the screen."""
    crop = "{2}x{3}+{0}+{1}".format(*box)
    return subprocess.run(["import", "-window", "root", "-crop", crop, "+repage", "-depth", "8", "rgb:-"],
                          capture_output=True, timeout=SHORT, check=True).stdout

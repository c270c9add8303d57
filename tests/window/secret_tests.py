"""The secret of a new key: on the clipboard, on the screen, and nowhere else."""
import base64
import os
import signal
import time
from pathlib import Path

from marks import test
from stories import copied, create, tried
from window import LONG, Window, clipboard, controls, copy, pixels, run, until

CLEARED_AFTER = 30  # seconds
HINT = "x-kde-passwordManagerHint"


def new_key(window):
    window.see("320 keys loaded", timeout=30)
    create(window)


def secret_of(encoded):
    return base64.b64decode(encoded).decode().partition(":")[2]


@test
def a_copied_secret_is_marked_and_gone_after_thirty_seconds():
    window = Window("--sandbox")
    new_key(window)
    encoded = copied(window)
    began = time.monotonic()
    assert len(secret_of(encoded)) == 22, encoded
    assert clipboard(target=HINT) == "secret", "clipboard managers are not asked to forget it"
    assert "SAVE_TARGETS" not in clipboard(target="TARGETS")
    window.let_go()
    window.see("Secret on the clipboard, cleared in")
    until(lambda: not clipboard(), "the secret is still on the clipboard", CLEARED_AFTER + 5)
    took = time.monotonic() - began
    assert CLEARED_AFTER - 3 <= took, f"cleared after {took:.1f} s already"
    window.see("Clipboard cleared")
    window.gone("Secret on the clipboard")


@test
def what_somebody_else_copied_meanwhile_is_left_alone():
    window = Window("--sandbox")
    new_key(window)
    copied(window)
    copy("a shopping list")
    window.see("Something else was on the clipboard, so it was not cleared", timeout=CLEARED_AFTER + 5)
    assert clipboard() == "a shopping list"
    # And on exit, too.
    copied(window)
    copy("another list")
    window.let_go()
    assert window.close() == 0
    assert clipboard() == "another list"


@test
def clear_now_and_closing_the_window_take_the_secret_off_the_clipboard():
    window = Window("--sandbox")
    new_key(window)
    copied(window)
    window.press("Clear now")
    until(lambda: not clipboard(), "“Clear now” leaves it there", 5)
    copied(window)
    window.choose("curl")
    window.press("Copy with secret")
    text = until(lambda: "Authorization" in clipboard() and clipboard(), "the form for curl is not copied")
    assert clipboard(target=HINT) == "secret" and "\u2022" not in text, text
    # It is nowhere else: closing asks, and goes on when that is answered.
    window.ask_to_close()
    window.press("I’ve saved it")
    assert window.ended() == 0
    assert not clipboard(), "the secret outlives the window"


@test
def undo_brings_no_password_back():
    window = Window()
    window.press("Connections")
    window.press("Add connection")
    for choice, field in (("User", "Password"), ("API key", "Secret"), ("Token", "Token")):
        window.choose(choice)
        window.click(field, "password text")
        window.type("hunter2hunter2")
        until(lambda: len(window.find(field, "password text").text()) == 14, f"{field} takes no text")
        assert "hunter2" not in window.find(field, "password text").text()
        window.key("ctrl+a", "BackSpace")
        until(lambda: window.find(field, "password text").text() == "", f"{field} can't be emptied")
        window.key("ctrl+z", "ctrl+z", "ctrl+shift+z", "ctrl+y")
        time.sleep(0.5)
        assert window.find(field, "password text").text() == "", f"Ctrl+Z brings the {field} back"
        # Nor can what is hidden be taken out by copying it.
        window.type("hunter2")
        copy("before")
        window.key("ctrl+a", "ctrl+c")
        time.sleep(0.5)
        assert "hunter2" not in clipboard(), f"the {field} can be copied"
        window.key("ctrl+a", "BackSpace")


@test
def closing_before_the_secret_is_kept_asks_first():
    window = Window("--sandbox")
    new_key(window)
    window.press("Close")
    window.see("You haven’t saved the secret")
    window.press("Go back")
    window.gone("You haven’t saved the secret")
    window.key("Escape")
    window.see("You haven’t saved the secret")
    window.key("Escape")
    window.gone("You haven’t saved the secret")
    window.press("Close")
    window.press("Close without saving it")
    window.gone("Key created")
    # Once it is written to a file, it closes at once.
    create(window, "second", "second_id")
    file = Path(os.environ["HOME"]) / "second.key"
    window.press("Write to file…")
    window.fill("File", str(file))
    window.press("Write")
    window.see(f"Saved to {file}")
    assert file.stat().st_mode & 0o777 == 0o600, oct(file.stat().st_mode)
    assert len(secret_of(file.read_text().strip())) == 22
    window.press("Close")
    window.gone("Key created")
    # And kept in the keyring, too.
    create(window, "third", "third_id")
    window.press("Keep in keyring")
    window.see("Saved to the keyring of this computer")
    window.press("Close")
    window.gone("Key created")
    assert "third" in run("secret-tool", "search", "--all", "service", "keybearer")


@test
def a_file_that_exists_is_never_written_over():
    window = Window("--sandbox")
    new_key(window)
    file = Path(os.environ["HOME"]) / "mine.txt"
    file.write_text("mine")
    window.press("Write to file…")
    window.fill("File", str(file))
    window.press("Write")
    window.see("exists")
    assert file.read_text() == "mine"
    window.see("Not saved")


@test
def the_secret_is_seen_only_while_the_button_is_held():
    window = Window("--sandbox")
    new_key(window)
    hidden = lambda: window.find("The secret, hidden").box()
    x, y, _, height = window.settled(lambda: window.find("The secret, hidden"))
    right = window.find("Hold to reveal", "push button").box()[0]
    box = (x, y, right - x - 8, height)
    window.point("Hold to reveal", "push button")
    time.sleep(0.3)
    masked = pixels(box)
    run("xdotool", "mousedown", "1")
    try:
        until(lambda: pixels(box) != masked, "holding shows nothing")
        assert all("\u2022" in t or secret_shape(t) is None for t in window.texts()), "a screen reader is told the secret"
    finally:
        run("xdotool", "mouseup", "1")
    until(lambda: pixels(box) == masked, "it stays on the screen")
    # By the keyboard: Space shows it for as long as it is down.
    window.tab_to("Hold to reveal")
    masked = pixels(box)
    run("xdotool", "keydown", "space")
    try:
        until(lambda: pixels(box) != masked, "Space shows nothing")
    finally:
        run("xdotool", "keyup", "space")
    until(lambda: pixels(box) == masked, "it stays on the screen after Space")
    assert hidden()[:2] == (x, y)


def secret_shape(text):
    """A word of 22 letters as Elasticsearch's secrets are, mixed; ids have 20."""
    words = [w for w in text.replace(",", " ").split() if len(w) == 22 and w.replace("-", "").replace("_", "").isalnum()]
    return next((w for w in words if any(c.isdigit() for c in w) and any(c.isupper() for c in w)), None)


@test
def a_secret_is_in_no_argument_no_environment_no_file_no_output_and_no_name():
    window = Window("--sandbox")
    new_key(window)
    encoded = copied(window)
    tried(window)
    heard = window.texts()
    for consumer in ("id:key", "curl", "Python", "dotenv"):
        window.choose(consumer)
        window.find(consumer, "radio button")
        heard += window.texts()
    window.let_go()
    window.press("Keys")
    window.fill("Search", "my_app_id")
    window.row("my_app_key").press()
    window.see("What it can do")
    heard += window.texts()
    secret = secret_of(encoded)
    # As it is, and as it would look where it was encoded, alone or behind its id.
    forms = {secret, encoded.rstrip("="), base64.b64encode(secret.encode()).decode().rstrip("=")}
    in_names = [text for text in heard if any(form in text for form in forms)]
    assert not in_names, in_names

    for pid in window.children():
        for place in ("cmdline", "environ"):
            try:
                held = Path(f"/proc/{pid}/{place}").read_bytes().decode(errors="replace")
            except PermissionError:  # a process that can't be dumped shows its environment to root alone
                continue
            assert not any(form in held for form in forms), f"in /proc/{pid}/{place}"
    until(lambda: not clipboard(), "the clipboard is not cleared", CLEARED_AFTER + 5)
    for selection in ("primary", "secondary", "clipboard"):
        assert not any(form in clipboard(selection) for form in forms), f"in the selection {selection}"
    assert not any(form in run("xprop", "-root") + run("xprop", "-id", window.id) for form in forms), "in a property"
    assert window.close() == 0
    searched = 0
    for path in Path(os.environ["HOME"]).rglob("*"):
        if path.is_file() and not path.is_socket():
            held = path.read_bytes().decode(errors="replace")
            searched += 1
            assert not any(form in held for form in forms), f"in {path}"
    assert searched > 3, "the session's home has no files: the search proves nothing"


@test
def a_double_click_on_close_leaves_the_card_and_a_signal_asks_before_the_secret_is_lost():
    window = Window("--sandbox")
    new_key(window)
    window.click_twice("Close", "push button")
    window.see("Close without saving it")
    window.see("Key created")
    window.press("Go back")
    window.gone("Close without saving it")
    for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        window.process.send_signal(name)
        window.see("Close without saving it")
        window.press("Go back")
        window.gone("Close without saving it")
    assert window.process.poll() is None
    window.process.send_signal(signal.SIGTERM)
    window.press("Close without saving it")
    assert window.ended() == 0


@test
def a_signal_ends_a_window_that_holds_nothing():
    window = Window("--sandbox")
    window.see("320 keys loaded", timeout=30)
    window.process.send_signal(signal.SIGTERM)
    assert window.ended() == 0

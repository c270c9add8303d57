"""The lock: the desktop's signals, what is left on the screen and in memory, and who may come back."""
import base64
import os
import re
import time
from pathlib import Path

from clusters import fill_in, pin
from marks import test
from servers import SandboxServer
from stories import copied, create, tried
from window import Window, run

AFTER = 30  # seconds after which nothing may be left


def lock_by_the_desktop():
    run("gdbus", "emit", "--session", "--object-path", "/org/freedesktop/ScreenSaver", "--signal",
        "org.freedesktop.ScreenSaver.ActiveChanged", "true")


def times_in_memory(pid, needle):
    """How often a text is in the memory of a process that can be read."""
    found = 0
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            low, high, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if "r" not in rights or "[v" in line:
                continue
            try:
                memory.seek(int(low, 16))
                found += memory.read(int(high, 16) - int(low, 16)).count(needle)
            except (OSError, ValueError):  # a device, or gone since
                pass
    return found


@test
def the_desktop_locks_the_window_and_neither_credential_nor_secret_is_left_in_memory():
    server = SandboxServer()
    window = Window()
    window.press("Connections")
    fill_in(window, "practice", server.url, server.username, server.password)
    pin(window, server.fingerprint)
    window.press("Save connection")
    window.see("The keyring is up to date")
    window.press("Connect")
    window.see("12 keys loaded", timeout=30)
    create(window)
    encoded = copied(window)
    tried(window)
    window.let_go()
    window.see("13 keys loaded", timeout=30)
    secret = base64.b64decode(encoded).decode().partition(":")[2]
    basic = base64.b64encode(f"{server.username}:{server.password}".encode()).decode().rstrip("=")
    needles = [server.password, basic, secret, encoded.rstrip("=")]
    own = [pid for pid in window.children() if "keybearer" in Path(f"/proc/{pid}/comm").read_text()]
    count = lambda: {needle: sum(times_in_memory(pid, needle.encode()) for pid in own) for needle in needles}
    may_search = os.geteuid() == 0  # a process that can't be dumped is read by root alone
    before = count() if may_search else {}
    assert not may_search or before[server.password] > 0 and before[basic] > 0, "the search finds nothing, and proves nothing"

    lock_by_the_desktop()
    window.see("Keybearer is locked")
    window.see("were dropped from memory")
    for word in ("practice", "officer", "localhost", "keys loaded", "my_app_key"):
        assert not window.has(word), f"{word} in {window.texts()}"
    if may_search:
        time.sleep(AFTER)
        left = {needle: number for needle, number in count().items() if number}
        assert not left, f"still in memory: {list(left.values())} of {[needles.index(needle) for needle in left]}"
    else:
        print("NOT RUN: the search through the memory, which needs root")

    window.press("Unlock")
    window.see("can’t confirm who you are", timeout=20)
    window.fill("Connection name", "practice")
    window.fill("Password, token or API key", server.password, role="password text")
    window.press("Unlock")
    window.see("13 keys loaded", timeout=30)
    assert window.close() == 0
    server.stop()

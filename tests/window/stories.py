"""The main job from beginning to end, in the sandbox: by names, and by pointer and keyboard alone."""
from marks import test
from window import Window, clipboard, until


def create(window, name="my_app_key", application_id="my_app_id", role="reader", expiration="1d"):
    """From any screen to the card with the secret, by names."""
    window.press("Create")
    window.fill("Name", name)
    if application_id:
        window.fill("Application id", application_id)
    window.fill("Roles", role)
    window.see(f"Add {role}")
    window.find("Roles", "entry").node.get_component_iface().grab_focus()
    window.focused("Roles", "entry")
    window.key("Return")
    window.see(f"Remove {role}")
    window.fill("Expiration", expiration)
    window.press("Create key")
    window.see("Key created")


def copied(window):
    """Copies the encoded key, and returns it."""
    window.press("Copy")
    window.see("On the clipboard, cleared in")
    return until(clipboard, "nothing is on the clipboard")


def tried(window):
    window.press("Try it")
    window.see("It works")


def invalidate(window, name, how_it_was_found):
    """From the card or any screen: finds a key, invalidates it, and reads the proof in the list."""
    window.press("Keys")
    window.fill("Search", how_it_was_found)
    window.row(name)
    window.see("1 of ")
    window.find(f"Select {name}", "check box").press()
    window.see("1 selected")
    window.press("Invalidate")
    window.press("Invalidate 1 key")
    window.see("1 key invalidated")
    window.see("Read again from the cluster")
    window.press("Close")
    window.gone("Read again from the cluster")
    until(lambda: any("invalidated" in words for words in window.row_words(name)),
          lambda: f"the row says {window.row_words(name)}")


@test
def a_key_is_created_copied_tried_found_and_invalidated_by_accessible_names():
    window = Window("--sandbox")
    window.see("320 keys read", timeout=30)
    create(window)
    copied(window)
    tried(window)
    window.press("Close")
    window.gone("Key created")

    window.press("Keys")
    window.fill("Search", "my_app_id")
    words = until(lambda: window.row_words("my_app_key"), "the row has no words")
    assert any("my_app_key" in word and "my_app_id" in word for word in words), words
    assert any(word in ("in 23 hours", "in 24 hours") for word in words), words
    assert "reader" in words and "officer" in words, words
    invalidate(window, "my_app_key", "my_app_id")
    assert window.close() == 0


@test
def the_same_is_done_by_pointer_and_keyboard_alone():
    window = Window("--sandbox")
    window.see("320 keys read", timeout=30)
    window.click("Create", "push button")
    window.click("Name", "entry")
    window.type("my_app_key")
    window.key("Tab")
    window.focused("Application id", "entry")
    window.type("my_app_id")
    window.click("Roles", "entry")
    window.type("rea")
    window.see("Add reader")
    window.key("Return")
    window.see("Remove reader")
    window.click("1 day", "radio button")
    until(lambda: window.find("Expiration", "entry").text() == "1d", "the chip does not fill the field")
    window.key("ctrl+Return")
    window.see("Key created")

    window.focused("Copy", "push button")
    window.key("Return")
    window.see("On the clipboard, cleared in")
    assert len(clipboard()) > 40
    window.click("Try it", "push button")
    window.see("It works")
    window.key("Escape")
    window.gone("Key created")

    window.click("Keys", "push button")
    window.key("slash")
    window.focused("Search", "entry")
    window.type("my_app_id")
    window.see("1 of ")
    window.click("my_app_key", "table row")
    window.see("Application id")
    window.see("What it can do")
    window.key("Escape")
    window.gone("What it can do")
    window.key("Down")
    window.key("space")
    window.see("1 selected")
    window.click("Invalidate", "push button")
    window.focused("Cancel", "push button")
    window.click("Invalidate 1 key", "push button")
    window.see("1 key invalidated")
    window.focused("Close", "push button")
    window.key("Return")
    window.gone("Read again from the cluster")
    until(lambda: any("invalidated" in words for words in window.row_words("my_app_key")), "the list does not show it")


@test
def the_list_is_walked_by_arrows_pages_enter_and_escape():
    window = Window("--sandbox")
    window.see("320 keys read", timeout=30)
    first, second = [c.name for c in rows(window)[:2]]
    window.key("Down")
    window.key("Return")
    window.see("What it can do")
    window.find(first, "label")
    window.key("Down")  # an open page follows
    until(lambda: any(c.name == second and c.role == "label" and c.box()[2] < 420 and c.box()[1] < 200
                      for c in labels(window)), lambda: f"the page does not follow to {second!r}")
    window.key("Escape")
    window.gone("What it can do")
    window.key("End")
    until(lambda: first not in [c.name for c in rows(window)], "End does not lead to the end of the list")
    window.key("Home")
    until(lambda: rows(window)[0].name == first, "Home does not lead back")
    window.key("Prior", "Next", "Next")
    until(lambda: rows(window)[0].name != first, "two pages down move nothing")
    window.key("ctrl+a")
    window.see("320 selected")
    window.key("Escape")
    window.gone("320 selected")
    window.key("ctrl+2")
    window.find("Application id", "entry")
    window.key("ctrl+3")
    window.see("No file holds a credential" if window.has("No file") else "Connections")
    window.key("ctrl+1")
    window.find("Search", "entry")


def rows(window):
    from window import controls
    return [c for c in controls(window.app) if c.role == "table row"]


def labels(window):
    from window import controls
    return [c for c in controls(window.app) if c.role == "label"]

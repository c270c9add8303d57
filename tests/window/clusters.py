"""Connecting: comparing and pinning a certificate, profiles in the keyring, signing in by a key, and real nodes."""
import base64
import os
import secrets
from pathlib import Path

from marks import test
from servers import SandboxServer, fingerprint_seen, on_node, status_of_key
from stories import copied, create, invalidate, tried
from window import Window, run, until


def fill_in(window, name, url, username, password, environment="Development"):
    """The form of a new connection with user and password; nothing is pressed at its end."""
    window.press("Connections")
    window.press("Add connection")
    window.fill("Connection name", name)
    window.fill("URL", url)
    window.choose(environment)
    window.choose("User")
    window.fill("User name", username)
    window.fill("Password", password, "password text")


def pin(window, digits):
    """Tests the connection, compares the certificate that nobody knows with what was printed, and pins it."""
    window.press("Test connection")
    window.see("Certificate not trusted")
    assert not window.find("Pin this certificate").enabled()
    wrong = digits[:12] + ("0" if digits[12] != "0" else "1") + digits[13:]
    window.fill("Printed by Elasticsearch", wrong)
    window.see("differs at pair 7")
    assert not window.find("Pin this certificate").enabled()
    window.fill("Printed by Elasticsearch", digits)
    window.see("32 of 32 pairs compared, all match")
    window.press("Pin this certificate")
    window.see("The connection works", timeout=30)


def kept_in_keyring():
    return run("secret-tool", "search", "--all", "service", "keybearer")


def files_with(text, home=None):
    """The files of the session's home that hold a text."""
    found = []
    for path in Path(home or os.environ["HOME"]).rglob("*"):
        try:
            if path.is_file() and text.encode() in path.read_bytes():
                found.append(str(path))
        except OSError:
            continue
    return found


@test(node=True)
def a_pinned_production_cluster_gets_a_key_that_works_until_it_is_invalidated(node):
    role = f"window_{secrets.token_hex(4)}"
    name, application_id = f"{role}_key", f"{role}_id"
    grants = {"indices": [{"names": ["my_index"], "privileges": ["read"]}]}
    assert on_node(node, "PUT", f"/_security/role/{role}", grants)[0] == 200
    old = node["version"].startswith("7.")  # it keeps no metadata
    try:
        window = Window()
        fill_in(window, "the real one", node["url"], node["username"], node["password"], "Production")
        pin(window, fingerprint_seen(node["url"]))
        window.press("Save connection")
        window.see("The keyring is up to date")
        window.press("Connect")
        window.see("loaded", timeout=30)
        window.gone("No keys loaded", timeout=30)
        window.find("Production")
        window.see(node["version"])
        create(window, name, None if old else application_id, role, connection="the real one")
        encoded = copied(window)
        tried(window)
        assert status_of_key(node, encoded) == 200
        window.let_go()
        invalidate(window, name, name if old else application_id, connection="the real one")
        assert status_of_key(node, encoded) == 401
        key_id = base64.b64decode(encoded).decode().partition(":")[0]
        answer = on_node(node, "GET", f"/_security/api_key?id={key_id}")[1]
        assert answer["api_keys"][0]["invalidated"] is True, answer
    finally:
        on_node(node, "DELETE", "/_security/api_key", {"name": name})
        on_node(node, "DELETE", f"/_security/role/{role}")


@test
def a_profile_lives_in_the_keyring_and_in_no_file_and_is_there_after_a_restart():
    server = SandboxServer()
    password = server.password
    window = Window()
    window.press("Connections")
    fill_in(window, "practice", server.url, server.username, password)
    pin(window, server.fingerprint)
    window.press("Save connection")
    window.see("The keyring is up to date")
    kept = until(kept_in_keyring, "secret-tool finds nothing")
    assert "practice" in kept and password in kept, kept
    assert window.close() == 0
    printed = Path(os.environ["HOME"]) / "sandbox.txt"  # by the server, not by the window
    assert [path for path in files_with(password) if path != str(printed)] == []
    assert [path for path in files_with(server.url) if path != str(printed)] == []

    again = Window()
    again.press("Edit practice")
    assert again.find("URL", "entry").text() == server.url
    again.press("Connect")
    again.see("12 keys loaded", timeout=30)
    again.press("Disconnect")
    again.press("Edit practice")
    again.press("Remove connection…")
    again.press("Remove it")
    again.gone("Edit practice")
    until(lambda: not kept_in_keyring(), "the keyring still has the profile")
    server.stop()


@test
def signed_in_by_a_key_only_keys_without_rights_can_be_made():
    server = SandboxServer()
    _, made = server.request("POST", "/_security/api_key", {"name": "window_own", "role_descriptors": {
        "own": {"cluster": ["manage_own_api_key"]}}})
    window = Window()
    window.press("Connections")
    window.press("Add connection")
    window.fill("Connection name", "by key")
    window.fill("URL", server.url)
    window.choose("Staging")
    # What was copied with a blank and a line end is understood, and fills both fields.
    window.find("Secret", "password text").fill(f" {made['encoded']}\n")
    until(lambda: window.find("Id", "entry").text() == made["id"], "the encoded key does not fill the id")
    until(lambda: len(window.find("Secret", "password text").text()) == len(made["api_key"]),
          "the encoded key does not fill the secret")
    window.choose("Fingerprint")
    window.fill("Fingerprint", server.fingerprint)
    window.press("Connect")
    window.see("Only your own", timeout=30)
    window.see("this session")

    window.press("Create")
    window.see("You are signed in with an API key")
    window.fill("Name", "derived")
    window.see("Elasticsearch gives such keys no privileges")
    window.choose("All my rights")
    window.fill("Reason", "to be refused")
    sent = server.counter.bytes
    window.press("Create key")
    window.see("Elasticsearch creates only keys without privileges")
    assert server.counter.bytes == sent, "something was sent"
    window.choose("Nothing")
    window.press("Create key")
    window.see("Key created")
    window.press("Close")
    window.press("Close without saving it")

    # One's own key is guarded: it takes an extra word.
    window.press("Keys")
    window.find("Select window_own", "check box").press()
    window.press("Invalidate")
    window.see("You are signed in with one of these keys")
    window.press("Cancel")
    server.stop()

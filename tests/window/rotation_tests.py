"""Rotating a key: the successor's secret on its card, both keys at work, and an old key that is refused at once."""
import base64
import secrets

from clusters import fill_in, pin
from marks import test
from servers import fingerprint_seen, on_node, status_of_key
from stories import copied
from window import LONG, Window


def made(node, name):
    body = {"name": name, "expiration": "9d", "metadata": {"team": "payments"},
            "role_descriptors": {"r": {"cluster": ["monitor"], "indices": [{"names": ["my_*"], "privileges": ["read"]}]}}}
    status, answer = on_node(node, "POST", "/_security/api_key", body)
    assert status == 200, answer
    return answer["id"], base64.b64encode(f"{answer['id']}:{answer['api_key']}".encode()).decode()


def ask(window, name):
    window.fill("Search", f"name:{name} -status:invalidated")
    window.click(name, "table row")
    window.press("Rotate")
    window.see("expires in 9 days", timeout=LONG)


def handed_over(window):
    """From the dialog to the card, and on with the secret: the encoded successor."""
    window.settled(lambda: window.find("Rotate 1 key"))
    window.press("Rotate 1 key")
    window.see("Successor created", timeout=LONG)
    encoded = copied(window)
    window.press("I’ve saved it")
    return encoded


@test(node=True)
def a_key_is_rotated_with_a_grace_period_and_a_compromised_one_ends_at_once(node):
    name = f"window_{secrets.token_hex(4)}"
    try:
        old, old_key = made(node, name)
        bad, bad_key = made(node, f"{name}_bad")
        window = Window()
        fill_in(window, "the real one", node["url"], node["username"], node["password"])
        pin(window, fingerprint_seen(node["url"]))
        window.press("Connect")
        window.see("loaded", timeout=LONG)
        window.gone("No keys loaded", timeout=LONG)

        ask(window, name)
        new_key = handed_over(window)
        window.see("Both keys work", timeout=LONG)
        window.see("signs in as")
        window.press("Close rotation")
        new = base64.b64decode(new_key).decode().partition(":")[0]
        assert status_of_key(node, old_key) == 200 and status_of_key(node, new_key) == 200
        keys = on_node(node, "GET", f"/_security/api_key?id={old}")[1]["api_keys"]
        assert keys[0]["metadata"]["rotated_to"] == new, keys
        window.see(f"Successor {new}, due in 23 hours")

        ask(window, f"{name}_bad")
        window.find("Compromised: invalidate the old key as soon as the successor works", "check box").press()
        window.see("get 401 errors")
        successor = handed_over(window)
        window.see("The old key is invalidated", timeout=LONG)
        window.see(f": {bad} is invalidated")
        assert status_of_key(node, bad_key) == 401 and status_of_key(node, successor) == 200
        window.press("Close rotation")
        for encoded in (new_key, successor):
            secret = base64.b64decode(encoded).decode().partition(":")[2]
            assert not [text for text in window.texts() if encoded in text or secret in text]
        window.press("Overview")
        window.see("1 waiting")
    finally:
        for each in (name, f"{name}_bad"):
            on_node(node, "DELETE", "/_security/api_key", {"name": each})

"""What is typed wrongly is told beside its field, and nothing is sent."""
import base64
import re
import socket
import threading

from clusters import fill_in
from marks import test
from servers import Counter, SandboxServer
from window import Window, controls, until


def connected(server, keys=12):
    window = Window()
    fill_in(window, "practice", server.url, server.username, server.password)
    window.choose("Fingerprint")
    window.fill("Fingerprint", server.fingerprint)
    window.press("Connect")
    window.see(f"{keys} keys loaded", timeout=30)
    return window


def beside(window, field, words, role="entry"):
    """Waits for an error that stands right below its field."""
    def look():
        _, top, _, height = window.find(field, role).box()
        for control in controls(window.app):
            if words in control.name and control.role == "label":
                below = control.box()[1] - (top + height)
                if 0 <= below <= 40:
                    return control
    until(look, lambda: f"nothing below {field!r} says {words!r}:\n{window.tree()}")


@test
def slips_in_create_are_told_beside_their_fields_and_nothing_is_sent():
    server = SandboxServer()
    window = connected(server)
    window.press("Create")
    window.fill("Roles", "readr")
    beside(window, "Roles", "There is no role “readr” on this cluster, did you mean")
    window.see("reader")
    window.fill("Roles", "reader")
    window.find("Add reader").press()
    window.see("Remove reader")
    sent = server.counter.bytes

    window.press("Create key")
    beside(window, "Name", "Enter a name for the key")
    for name, words in ((" blank before", "begin or end with spaces"), ("blank after ", "begin or end with spaces"),
                        ("_reserved", "can't begin with _"), ("n" * 257, "at most 256 characters; this one has 257"),
                        ("   ", "Enter a name for the key")):
        window.fill("Name", name)
        beside(window, "Name", words)
        window.press("Create key")
    window.fill("Name", "fine")
    for expiration, words in (("soon", "Not an expiration: use 30m, 12h, 90d, or a date"), ("1q", "no such unit"),
                              ("1.5d", "Whole numbers only"), ("0s", "in the past"), ("-1d", "in the past"),
                              ("2020-01-01", "in the past"), ("99999999d", "beyond the calendar"),
                              ("2027-02-30", "Not an expiration"), ("", "Enter when the key expires")):
        window.fill("Expiration", expiration)
        beside(window, "Expiration", words)
        window.press("Create key")
    window.fill("Expiration", "1d")
    for metadata, words in (('{"a": 1,\n "b": }', "line 2, column 7"), ("[1]", "must be a JSON object"),
                            ('{"a": 1,\n "_b": 2}', "line 2, column 2"), ('{"roles": []}', "is set by Keybearer itself")):
        window.fill("Metadata", metadata)
        beside(window, "Metadata", words)
        window.press("Create key")
    window.fill("Metadata", "")
    window.press("Remove reader")
    window.press("Create key")
    window.see("Select at least one role, or choose")
    window.choose("Never…")
    window.press("Create key")
    beside(window, "Reason", "Explain why this key never expires")
    window.choose("All my rights")
    window.see("Everything you can do")
    window.press("Create key")
    beside(window, "Reason", "Explain why this key has all your rights and never expires")

    assert not window.has("Key created")
    assert server.counter.bytes == sent, f"{server.counter.bytes - sent} bytes were sent"
    _, answer = server.request("POST", "/_security/_query/api_key", {})
    assert answer["total"] == 12, answer["total"]

    # And mended, it goes.
    window.choose("From roles")
    window.fill("Roles", "reader")
    window.find("Add reader").press()
    window.fill("Expiration", "1d")
    window.press("Create key")
    window.see("Key created")


@test
def slips_in_a_connection_are_told_beside_their_fields_and_nothing_is_sent():
    reached = Counter(1)
    port = reached.port
    window = Window()
    window.press("Connections")
    window.press("Add connection")
    for button in ("Test connection", "Connect", "Save connection"):
        window.press(button)
    beside(window, "Connection name", "Enter a name for the connection")
    beside(window, "URL", "Enter the address of the cluster")
    beside(window, "Id", "Enter the id of the API key")
    window.see("Enter the secret, or paste the whole encoded key")
    window.fill("Connection name", "wrong")
    window.choose("Development")
    window.choose("User")
    window.fill("User name", "ana")
    window.fill("Password", "hunter2", "password text")
    for url, words in ((f"https://ana:pw@localhost:{port}", "Remove the user and password from the URL"),
                       (f"ftp://localhost:{port}", "use https://"), (f"https://localhost:{port}/?x=1", "remove “?x=1”"),
                       (f"https://localhost:{port}#x", "remove “#x”"), ("https://local host:1", "Not an address"),
                       ("https://localhost:99999", "Not an address"), ("https://", "Not an address")):
        window.fill("URL", url)
        for button in ("Test connection", "Connect", "Save connection"):
            window.press(button)
        beside(window, "URL", words)
    window.choose("Production")
    window.fill("URL", f"http://localhost:{port}")
    window.press("Connect")
    beside(window, "URL", "a production cluster requires https://")
    window.fill("URL", f"https://localhost:{port}")
    window.choose("Insecure")
    window.see("A production cluster must be verified")
    window.choose("Fingerprint")
    window.fill("Fingerprint", "12:34")
    window.press("Connect")
    beside(window, "Fingerprint", "64")
    window.choose("CA file")
    window.press("Connect")
    beside(window, "CA file", "Enter the PEM file")
    window.choose("System")
    window.fill("Timeout (seconds)", "0")
    window.press("Connect")
    beside(window, "Timeout (seconds)", "from 1 to 3600")
    assert reached.connections == 0, "it connected nevertheless"
    assert not window.has("Edit wrong"), "it was saved nevertheless"


@test
def a_key_in_any_form_in_either_field_is_understood():
    window = Window()
    window.press("Connections")
    window.press("Add connection")
    pair = "VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw"
    encoded = base64.b64encode(pair.encode()).decode()
    for field, role in (("Secret", "password text"), ("Id", "entry")):
        for text in (encoded, f"  {encoded}\n", pair, f"{pair}\r\n", f"ApiKey {encoded}", f"Authorization: ApiKey {encoded}"):
            window.find("Id", "entry").fill("")
            window.find("Secret", "password text").fill("")
            until(lambda: not window.find("Id", "entry").text(), "the id can't be emptied")
            window.find(field, role).fill(text)
            until(lambda: window.find("Id", "entry").text() == "VuaCfGcBCdbkQm-e5aOx",
                  lambda: f"{text!r} in {field}: the id is {window.find('Id', 'entry').text()!r}", 5)
            until(lambda: len(window.find("Secret", "password text").text()) == 22, f"{text!r} in {field}: no secret", 5)


def answering(words):
    """A server of one answer to whatever is sent, without TLS; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            client, _ = listener.accept()
            try:
                client.recv(65536)
                client.sendall(words)
                client.close()
            except OSError:
                pass
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


@test
def another_service_tls_on_a_plain_port_and_the_reverse_are_said_in_so_many_words():
    page = b"<html><body>Welcome to nginx</body></html>"
    other = answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))
    ssh = answering(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    server = SandboxServer()
    window = Window()
    for url, words in ((f"http://localhost:{other}", "This is not Elasticsearch"),
                       (f"https://localhost:{other}", "No TLS on that port"),
                       (server.url.replace("https", "http"), "That port uses https"),
                       (f"http://localhost:{ssh}", "the response is not HTTP"),
                       ("http://localhost:1", "The cluster can’t be reached")):
        fill_in(window, "odd", url, "ana", "hunter2")
        window.press("Test connection")
        window.see(words, timeout=30)
        assert not window.has("The connection works")


@test
def the_oddest_names_dates_and_metadata_are_shown_harmlessly():
    server = SandboxServer()
    deep = {"end": 1}
    for _ in range(16):  # Elasticsearch takes 20 levels in all
        deep = {"in": deep}
    names = {"right": "abc\u202edlrow\u2066x", "emoji": "key \U0001F511\U0001F468\u200d\U0001F469\u200d\U0001F467 \U0002070E",
             "control": "a\u0007b\u001b[31mc", "wide": "W" * 256, "combined": "Z\u0351\u036b\u0343" * 20, "arabic": "مفتاح البحث"}
    made = {}
    for word, name in names.items():
        status, answer = server.request("POST", "/_security/api_key", {"name": name, "metadata": {
            "application_id": word, "deep": deep, "odd": name}, "role_descriptors": {"none": {}}})
        assert status == 200, (word, answer)
        made[word] = answer["id"]
    status, answer = server.request("POST", "/_security/api_key", {"name": "far", "expiration": "106751990000d",
                                                                  "metadata": {"application_id": "far"}})
    window = connected(server, 12 + len(made) + (status == 200))
    before = None

    def only_row():
        # Neither one of the whole list nor that of the search before: it would be gone when it is pressed.
        rows = [c for c in controls(window.app) if c.role == "table row"]
        return rows[0] if len(rows) == 1 and rows[0].name != before else None

    for word in [*made, "far"] if status == 200 else made:
        window.fill("Search", word)
        row = until(only_row, f"no row for {word}")
        before = row.name
        row.press()
        window.see("What it can do")
        window.see("Metadata")
        harmful = [text for text in window.texts() if any(ord(c) < 32 and c not in "\n\t" or c in "\u202e\u2066\u200f" for c in text)]
        assert not harmful, harmful
        window.key("Escape")
        window.gone("What it can do")
    assert window.process.poll() is None


@test
def arrows_choose_among_completions_and_tab_takes_the_chosen_one():
    window = Window("--sandbox")
    window.see("320 keys loaded", timeout=30)
    window.key("slash")
    window.focused("Search", "entry")
    window.type("owner:")
    window.see("choose")
    offered = [c.name.partition(",")[0] for c in controls(window.app)
               if c.role == "push button" and ", " in c.name and c.name.endswith(("key", "keys"))]
    window.key("Down", "Down")
    window.focused("Search", "entry")
    window.key("Return")
    text = until(lambda: window.find("Search", "entry").text().endswith(" ") and window.find("Search", "entry").text(),
                 "nothing was taken")
    assert len(text) > len("owner: "), (text, offered)
    window.focused("Search", "entry")
    window.type("owner:")
    window.key("Down", "Tab")
    # The value that was taken follows the word, and a blank follows the value.
    taken = re.compile(r"owner:\S+ owner:\S+ ")
    until(lambda: taken.fullmatch(window.find("Search", "entry").text()),
          lambda: f"Tab took nothing: {window.find('Search', 'entry').text()!r}")
    window.focused("Search", "entry")

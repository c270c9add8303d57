"""Clusters for the window to talk to: the sandbox as a server, with a count of what reaches it, and real nodes."""
import base64
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

from window import PROGRAM, until


def fingerprint_seen(url):
    """The SHA-256 of the certificate that a server shows: these nodes do not send that of their CA."""
    host, port = url.removeprefix("https://").split(":")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, int(port))))).hexdigest()


class SandboxServer:
    """`keybearer sandbox` on a free port, behind a counter of connections and bytes that came from the window."""

    def __init__(self):
        printed = Path(os.environ["HOME"]) / "sandbox.txt"
        with open(printed, "w") as output:
            self.process = subprocess.Popen([PROGRAM, "sandbox", "--port", "0", "--keys", "12"], stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=subprocess.DEVNULL)
        exports = until(lambda: dict(re.findall(r"export (\w+)=(\S+)", printed.read_text())), "no sandbox", 20)
        self.username, self.password = exports["ES_USERNAME"], exports["ES_PASSWORD"]
        self.fingerprint = exports["ES_FINGERPRINT"]
        self.behind = int(exports["ES_URL"].rpartition(":")[2])
        self.counter = Counter(self.behind)
        self.url = f"https://localhost:{self.counter.port}"

    def request(self, method, path, body=None):
        return request(self.url.replace(str(self.counter.port), str(self.behind)), self.username, self.password, None,
                       method, path, body)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


class Counter:
    """Passes connections on to a port of this computer, and counts what comes from the client."""

    def __init__(self, behind):
        self.behind, self.connections, self.bytes = behind, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, name="counter", daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self.behind))
            threading.Thread(target=self.pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, False), daemon=True).start()

    def pump(self, source, sink, counted):
        try:
            while data := source.recv(65536):
                self.bytes += len(data) * counted
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def request(url, username, password, ca, method, path, body=None):
    """Asks a cluster itself, beside the window: the status and the answer."""
    context = ssl.create_default_context(cafile=ca) if ca else ssl._create_unverified_context()
    token = base64.b64encode(f"{username}:{password}".encode()).decode()
    asked = urllib.request.Request(url + path, method=method, data=json.dumps(body).encode() if body is not None else None,
                                   headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=30, context=context) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"{}")


def on_node(node, method, path, body=None):
    return request(node["url"], node["username"], node["password"], node["ca"], method, path, body)


def status_of_key(node, encoded):
    """What a client gets that signs in by a key."""
    asked = urllib.request.Request(node["url"] + "/_security/_authenticate", headers={"Authorization": f"ApiKey {encoded}"})
    try:
        with urllib.request.urlopen(asked, timeout=30, context=ssl.create_default_context(cafile=node["ca"])) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code

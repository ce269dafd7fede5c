#!/usr/bin/python3
"""api_stress.py SOCKET - hostile clients for a daemon that has no instances.

What a client can send without reading the manual: broken bodies and paths, noise, half an upload,
sockets that come and go. Prints nothing and exits 0 when every answer was an envelope and no
status was a 500.
"""

import base64
import json
import os
import random
import resource
import socket
import sys

BODIES = [
    b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 5000, b'{"a":' * 100, b"",
    b'{"name":5}', b'{"config":{"a":1}}', b'{"devices":{"eth0":{"type":null}}}',
    b'{"devices":[]}', b'{"profiles":"x"}', b'{"source":{}}', b'{"state":[]}',
]
TARGETS = [
    ("POST", "/1.0/instances"), ("PUT", "/1.0/instances"), ("PUT", "/1.0/instances/x"),
    ("PATCH", "/1.0/instances/x"), ("PUT", "/1.0/instances/x/state"),
    ("POST", "/1.0/instances/x/exec"), ("POST", "/1.0/instances/x/console"),
    ("POST", "/1.0/profiles"), ("PUT", "/1.0/profiles/nope"), ("PATCH", "/1.0/profiles/nope"),
    ("POST", "/1.0/profiles/default"), ("POST", "/1.0/images"), ("PUT", "/1.0/images/ab"),
    ("POST", "/1.0/images/aliases"), ("PUT", "/1.0/images/aliases/x"),
    ("POST", "/1.0/networks"), ("PUT", "/1.0/networks/nope"), ("PUT", "/1.0/warnings/x"),
    ("GET", "/1.0"), ("DELETE", "/1.0/operations/x"),
]
PATHS = [
    "/1.0/instances/%", "/1.0/instances/%00", "/1.0/instances/" + "a" * 5000,
    "/1.0/instances/..", "/1.0/instances/%2e%2e%2f", "//", "/1.0/", "*",
    "/1.0/images/aliases/", "/1.0/images/" + "%ff" * 10, "/1.0/instances?filter=x",
    "/1.0/instances?filter=" + "(" * 1000, "/1.0/instances?" + "a&" * 300,
    "/1.0/operations/", "/1.0/operations/x", "/1.0/operations/x/wait?timeout=-1",
    "/1.0/operations/x/websocket?secret=y", "/1.0/events", "/1.0/events?type=x",
    "/1.0/instances/x/logs/..%2f..%2fetc", "/1.0/instances/x/state", "/1.0/instances/x/console",
    "/1.0/networks/x/state", "/1.0/networks/x/leases", "/1.0/storage-pools/x/resources",
    "/1.0/storage-pools/x/volumes", "/1.0/warnings/x", "/1.0/images/x/export",
]


class Client:
    def __init__(self, path):
        self.path = path

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(self.path)
        return sock

    def ask(self, method, target, body=None, headers=(), sock=None):
        """Returns: status, headers, body of the answer."""
        sock = sock or self.connect()
        head = [f"{method} {target} HTTP/1.1", "Host: x", *headers]
        if body is not None:
            head.append(f"Content-Length: {len(body)}")
        sock.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + (body or b""))
        stream = sock.makefile("rb")
        status = int(stream.readline().split()[1])
        fields = {}
        while line := stream.readline().decode().strip():
            key, value = line.split(":", 1)
            fields[key.lower()] = value.strip()
        return status, fields, stream.read(int(fields.get("content-length", 0)))

    def ask_envelope(self, method, target, body=None, headers=()):
        status, _, data = self.ask(method, target, body, headers)
        answer = json.loads(data)
        what = f"{method} {target[:60]} {(body or b'')[:40]}: {status} {answer}"
        assert status != 500, what
        assert set(answer) == {"type", "status", "status_code", "operation", "error_code",
                               "error", "metadata"}, what
        assert (answer["type"] == "error") == (status >= 400), what
        assert answer["error_code"] == (status if status >= 400 else 0), what

    def open_websocket(self):
        key = base64.b64encode(os.urandom(16)).decode()
        sock = self.connect()
        sock.sendall(("GET /1.0/events HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                      f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(1)
        assert b" 101 " in head, head
        return sock


def noise(client):
    for i in range(200):
        sock = client.connect()
        junk = random.randbytes(random.randrange(1, 400))
        try:
            sock.sendall(junk if i % 2 else b"GET /1.0/ HTTP/1.1\r\n" + junk + b"\r\n\r\n")
        except OSError:
            pass  # it hung up on us
        sock.close()


def half_uploads(client):
    head = (b"POST /1.0/images HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Length: 1000000\r\n\r\n")
    for _ in range(20):
        sock = client.connect()
        sock.sendall(head + random.randbytes(random.randrange(200000)))
        sock.close()


def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for the crowd below
    client = Client(sys.argv[1])
    random.seed(1)
    sock = client.connect()
    for _ in range(100):  # one connection, kept; a GET may have a body
        assert client.ask("GET", "/1.0/instances?recursion=2&filter=", sock=sock)[0] == 200
        assert client.ask("GET", "/1.0/profiles", b"null", sock=sock)[0] == 200
    for body in BODIES:
        for method, target in TARGETS:
            client.ask_envelope(method, target, body, ["Content-Type: application/json"])
    for target in PATHS:
        client.ask_envelope("GET", target)
    noise(client)
    listeners = [client.open_websocket() for _ in range(50)]
    for i, listener in enumerate(listeners):
        if i % 2:
            listener.sendall(random.randbytes(100))
    half_uploads(client)
    crowd = [client.connect() for _ in range(1100)]
    for sock in crowd + listeners:
        sock.close()
    client.ask_envelope("GET", "/1.0")


main()

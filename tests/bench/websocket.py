"""websocket.py - bytes through the WebSockets of an exec, with a client that costs next to nothing

What lxc or incus reach is their own speed: they copy every message several times. Here frames are
made once, with a masking key of zeros (RFC 6455, 5.3), and what comes is counted, not looked at.
"""

import base64
import json
import os
import socket
import struct
import threading
import time

FRAME_BYTES = 128 * 1024
RECEIVE_BYTES = 1 << 20
CLOSE = b"\x88\x02\x03\xe8"  # a server's close frame with status 1000


def request(path, method, url, body=None, headers=()):
    """One HTTP exchange on a connection of its own. Returns: the socket, head and what followed."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    text = json.dumps(body) if body is not None else ""
    lines = ["%s %s HTTP/1.1" % (method, url), "Host: bench", "Content-Length: %d" % len(text),
             *headers, "", text]
    sock.sendall("\r\n".join(lines).encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, rest = data.split(b"\r\n\r\n", 1)
    return sock, head.decode(), rest


def start(path, instance, argv):
    """A command without a terminal. Returns: its operation's URL and the secrets of its streams."""
    sock, head, rest = request(path, "POST", "/1.0/instances/%s/exec" % instance,
                               {"command": argv, "wait-for-websocket": True, "interactive": False})
    length = [int(line.split(":")[1]) for line in head.split("\r\n")
              if line.lower().startswith("content-length:")][0]
    while len(rest) < length:
        rest += sock.recv(65536)
    sock.close()
    answer = json.loads(rest)
    return answer["operation"], answer["metadata"]["metadata"]["fds"]


def connect(path, operation, secret):
    key = base64.b64encode(os.urandom(16)).decode()
    sock, head, rest = request(path, "GET", "%s/websocket?secret=%s" % (operation, secret),
                               headers=("Upgrade: websocket", "Connection: Upgrade",
                                        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + key))
    if " 101 " not in head.split("\r\n")[0] + " ":
        raise RuntimeError("no WebSocket: " + head)
    return sock, len(rest)


def frame(opcode, payload):
    return struct.pack("!BBQI", 0x80 | opcode, 0x80 | 127, len(payload), 0) + payload


def drain(sock, counts, name, count):
    """Count until the close frame and answer it: the server waits for that (RFC 6455, 5.5.1)."""
    view = memoryview(bytearray(RECEIVE_BYTES))
    tail = b""
    while tail != CLOSE:
        n = sock.recv_into(view)
        if n == 0:
            raise RuntimeError("stream %s ended without a close frame" % name)
        count += n
        tail = (tail + bytes(view[max(0, n - len(CLOSE)):n]))[-len(CLOSE):]
    sock.sendall(frame(8, CLOSE[2:]))
    counts[name] = count
    sock.close()


def throughput(path, instance, argv, send_bytes=0):
    """MB/s of what is sent or, with @send_bytes 0, of what the command writes."""
    operation, secrets = start(path, instance, argv)
    since = time.monotonic()
    stdin, _ = connect(path, operation, secrets["0"])
    counts, threads = {}, []
    for name in ("1", "2"):
        sock, early = connect(path, operation, secrets[name])
        threads.append(threading.Thread(target=drain, args=(sock, counts, name, early)))
        threads[-1].start()
    block = frame(2, bytes(FRAME_BYTES)) * 8
    for _ in range(send_bytes // (8 * FRAME_BYTES)):
        stdin.sendall(block)
    stdin.sendall(frame(1, b""))
    for thread in threads:
        thread.join()
    took = time.monotonic() - since
    stdin.close()
    return (send_bytes or counts["1"]) / 1e6 / took

#!/usr/bin/env python3
"""echo.py serve tcp:HOST:PORT|udp:HOST:PORT|unix:PATH... - send back what comes, a stream's at its end
echo.py ask ADDRESS - send standard input, close that half, print what comes back
"""
import socket
import sys
import threading


def parse(text):
    kind, rest = text.split(":", 1)
    if kind == "unix":
        return socket.AF_UNIX, socket.SOCK_STREAM, rest
    host, port = rest.rsplit(":", 1)
    family = socket.AF_INET6 if "[" in host else socket.AF_INET
    return family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM, (host.strip("[]"), int(port))


def answer(conn):
    data = b"".join(iter(lambda: conn.recv(65536), b""))
    conn.sendall(data)
    conn.close()


def serve(family, kind, address):
    sock = socket.socket(family, kind)
    if family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    if kind == socket.SOCK_DGRAM:
        while True:
            data, peer = sock.recvfrom(65536)
            sock.sendto(data, peer)
    sock.listen(64)
    while True:
        threading.Thread(target=answer, args=(sock.accept()[0],), daemon=True).start()


def ask(family, kind, address):
    sock = socket.socket(family, kind)
    sock.settimeout(20)
    sock.connect(address)
    data = sys.stdin.buffer.read()
    if kind == socket.SOCK_DGRAM:
        sock.send(data)
        sys.stdout.buffer.write(sock.recv(65536))
        return
    threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR))).start()
    for part in iter(lambda: sock.recv(65536), b""):
        sys.stdout.buffer.write(part)


if sys.argv[1] == "ask":
    ask(*parse(sys.argv[2]))
else:
    for text in sys.argv[2:]:
        threading.Thread(target=serve, args=parse(text)).start()

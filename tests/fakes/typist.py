#!/usr/bin/env python3
"""Run a command on a terminal of its own and type at it.

Usage: typist.py SCRIPT COMMAND...   SCRIPT: "expect:TEXT", "send:TEXT" (with \\n, \\x01 ...),
"signal:NAME", "size:COLUMNS,ROWS", "wait:SECONDS", "mark:FILE" (makes it) and "file:FILE" (until
it is there) joined by "|". Prints what the terminal showed, then "exit N", and "raw" when the terminal was not put back.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time


def main():
    looked, go = os.pipe()
    pid, fd = pty.fork()
    if pid == 0:
        os.close(go)
        os.read(looked, 1)
        os.execvp(sys.argv[2], sys.argv[2:])
    before = termios.tcgetattr(fd)
    os.close(go)
    os.close(looked)
    seen = b""

    def read(seconds):
        nonlocal seen
        end = time.time() + seconds
        while time.time() < end:
            ready, _, _ = select.select([fd], [], [], max(0, end - time.time()))
            if not ready:
                return True
            try:
                data = os.read(fd, 65536)
            except OSError:
                return False
            if not data:
                return False
            seen += data
            if seconds > 0.5:
                return True
        return True

    for step in sys.argv[1].split("|"):
        word, _, text = step.partition(":")
        text = text.encode().decode("unicode_escape")
        if word == "expect":
            end = time.time() + 30
            while text.encode() not in seen and time.time() < end and read(1):
                pass
            if text.encode() not in seen:
                print("never saw %r in %r" % (text, seen))
                os.kill(pid, signal.SIGKILL)
                return 1
        elif word == "send":
            os.write(fd, text.encode("latin-1"))
        elif word == "signal":
            os.kill(pid, getattr(signal, text))
        elif word == "size":
            columns, rows = text.split(",")
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))
        elif word == "mark":
            open(text, "w").close()
        elif word == "file":
            end = time.time() + 60
            while not os.path.exists(text) and time.time() < end:
                read(0.2)
        elif word == "wait":
            read(float(text))
    end = time.time() + 30
    done = 0
    while done == 0 and time.time() < end:
        read(0.05)
        done, status = os.waitpid(pid, os.WNOHANG)
    if done == 0:
        os.kill(pid, signal.SIGKILL)
        print("still running after %r" % seen)
        return 1
    raw = termios.tcgetattr(fd)[3] != before[3]
    sys.stdout.write(seen.decode("utf-8", "replace").replace("\r\n", "\n"))
    print("\nexit %d%s" % (os.waitstatus_to_exitcode(status), " raw" if raw else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A daemon that only pretends: enough of /1.0 on a unix socket to test the command against.

Usage: sysctrd.py SOCKET [LOG]   (one line per request goes to LOG)
"""
import base64
import hashlib
import json
import os
import socket
import socketserver
import struct
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler

LOCK = threading.Lock()
DATE = "2026-01-02T03:04:05Z"
INSTANCES, OPERATIONS, SECRETS, ALIASES, IMAGES, CONTENT = {}, {}, {}, {}, {}, {}
PROFILES = {"default": {"name": "default", "description": "the usual", "config": {},
                        "devices": {"eth0": {"type": "nic", "network": "sysctrbr0"},
                                    "root": {"type": "disk", "path": "/", "pool": "default"}},
                        "used_by": ["/1.0/instances/web1"]}}
NETWORKS = {"sysctrbr0": {"name": "sysctrbr0", "type": "bridge", "managed": True,
                          "status": "Created", "description": "",
                          "config": {"ipv4.address": "10.1.2.1/24", "ipv6.address": "none"},
                          "used_by": []}}
POOLS = {"default": {"name": "default", "driver": "overlay", "status": "Created",
                     "description": "", "config": {"source": "/p"}, "used_by": []}}


def new_instance(name, status, **more):
    run = status == "Running"
    state = {"status": status, "pid": 4242 if run else 0, "processes": 7 if run else -1,
             "cpu": {"usage": 1234567890}, "memory": {"usage": 50331648, "usage_peak": 60331648},
             "disk": {"root": {"usage": 1048576}}, "network": None}
    if run:
        state["network"] = {"eth0": {"addresses": [
            {"family": "inet", "address": "10.1.2.3", "netmask": "24", "scope": "global"},
            {"family": "inet6", "address": "fd00::3", "netmask": "64", "scope": "global"},
            {"family": "inet6", "address": "fe80::1", "netmask": "64", "scope": "link"}],
            "counters": {"bytes_received": 1000, "bytes_sent": 2000}, "hwaddr": "02:00:00:00:00:01",
            "host_name": "veth1", "mtu": 1500, "state": "up", "type": "broadcast"}}
    value = {"name": name, "type": "container", "status": status,
             "status_code": 103 if run else 102, "architecture": "x86_64", "description": "",
             "config": {"limits.memory": "256MiB"}, "devices": {}, "profiles": ["default"],
             "ephemeral": False, "stateful": False, "created_at": DATE,
             "last_used_at": "1970-01-01T00:00:00Z", "location": "none", "project": "default",
             "state": state, "snapshots": None, "backups": None}
    value.update(more)
    value["expanded_config"] = dict(value["config"])
    value["expanded_devices"] = dict(PROFILES["default"]["devices"])
    return value


def etag(value):
    return '"%s"' % hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def accept_value(key):
    guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()


class Socket:
    """The server side of a WebSocket."""

    def __init__(self, handler):
        self.r, self.w, self.lock = handler.rfile, handler.wfile, threading.Lock()

    def send(self, opcode, payload):
        n = len(payload)
        head = bytes([0x80 | opcode])
        if n < 126:
            head += bytes([n])
        elif n < 65536:
            head += bytes([126]) + struct.pack(">H", n)
        else:
            head += bytes([127]) + struct.pack(">Q", n)
        with self.lock:
            self.w.write(head + payload)
            self.w.flush()

    def recv(self):
        head = self.r.read(2)
        if len(head) < 2:
            return None, b""
        n = head[1] & 127
        if n == 126:
            n = struct.unpack(">H", self.r.read(2))[0]
        elif n == 127:
            n = struct.unpack(">Q", self.r.read(8))[0]
        mask = self.r.read(4)
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.r.read(n)))
        return head[0] & 15, data


class Operation:
    def __init__(self, description, seconds=0.0, result=None, error="", resources=None):
        self.id = hashlib.sha256(os.urandom(8)).hexdigest()[:32]
        self.value = {"id": self.id, "class": "task", "description": description,
                      "created_at": DATE, "updated_at": DATE, "status": "Running",
                      "status_code": 103, "resources": resources, "metadata": None,
                      "may_cancel": True, "err": "", "location": "none"}
        self.done = threading.Event()
        self.result, self.error, self.seconds = result, error, seconds
        OPERATIONS[self.id] = self
        if seconds == 0:
            self.finish()
        elif seconds > 0:
            threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        end = time.time() + self.seconds
        while time.time() < end and not self.done.wait(0.1):
            part = int(100 * (1 - (end - time.time()) / self.seconds))
            self.value["metadata"] = {"progress": {"percent": str(part), "speed": "1048576"}}
        if not self.done.is_set():
            self.finish()

    def finish(self, code=200):
        if self.error and code == 200:
            code, self.value["err"] = 400, self.error
        if self.result:
            self.value["metadata"] = self.result() if callable(self.result) else self.result
        self.value["status_code"] = code
        self.value["status"] = {200: "Success", 400: "Failure", 401: "Cancelled"}[code]
        self.done.set()


class ExecSession:
    """Runs the command here; the three pipes or one socketpair stand for the instance's."""

    def __init__(self, request):
        import subprocess
        self.request, self.sockets = request, {}
        self.op = Operation("Executing command", seconds=-1)
        self.names = ["control", "0"] + ([] if request.get("interactive") else ["1", "2"])
        fds = {n: "secret-%s-%s" % (self.op.id, n) for n in self.names}
        self.op.value.update({"class": "websocket", "metadata": {"fds": fds}})
        SECRETS.update({s: (self, n) for n, s in fds.items()})
        self.process, self.subprocess = None, subprocess

    def attach(self, name, ws):
        with LOCK:  # each socket has its thread: whichever comes last starts the command
            self.sockets[name] = ws
            complete = len(self.sockets) == len(self.names)
        if complete:
            self.start()
        if name == "control":
            while True:
                opcode, data = ws.recv()
                if opcode is None or opcode == 8:
                    return
                message = json.loads(data)
                if message["command"] == "signal" and self.process:
                    self.process.send_signal(message["signal"])
        if name == "0":
            while not self.process:
                time.sleep(0.01)
            while True:
                opcode, data = ws.recv()
                if opcode != 2:
                    self.process.stdin.close()
                    break
                try:
                    self.process.stdin.write(data)
                    self.process.stdin.flush()
                except OSError:
                    pass
        self.op.done.wait()

    def start(self):
        interactive = self.request.get("interactive")
        env = dict(os.environ, **self.request.get("environment", {}))
        pipe = self.subprocess.PIPE
        try:
            self.process = self.subprocess.Popen(
                self.request["command"], stdin=pipe, stdout=pipe, env=env,
                stderr=self.subprocess.STDOUT if interactive else pipe)
        except OSError:
            self.op.error = "Command not found"
            self.op.result = {"return": 127}
            for name in self.names[1:]:
                self.sockets[name].send(1, b"")
            self.op.finish()
            return
        threading.Thread(target=self.pump, daemon=True).start()

    def copy(self, pipe, ws):
        while True:
            data = pipe.read1(65536)
            if not data:
                break
            ws.send(2, data)
        ws.send(1, b"")

    def pump(self):
        interactive = self.request.get("interactive")
        pairs = [(self.process.stdout, self.sockets["0" if interactive else "1"])]
        if not interactive:
            pairs.append((self.process.stderr, self.sockets["2"]))
        threads = [threading.Thread(target=self.copy, args=p) for p in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        code = self.process.wait()
        self.op.result = {"return": 128 - code if code < 0 else code}
        self.op.finish()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = False

    def log_message(self, *args):
        pass

    def address_string(self):
        return "unix"

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while True:
                size = int(self.rfile.readline(), 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def reply(self, status, value, headers=()):
        text = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, content in headers:
            self.send_header(name, content)
        if len(text) > 2000:  # lists come in chunks, like the real one's
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(0, len(text), 1000):
                part = text[i:i + 1000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def sync(self, value, tag=None):
        self.reply(200, {"type": "sync", "status": "Success", "status_code": 200, "operation": "",
                         "error_code": 0, "error": "", "metadata": value},
                   [("ETag", tag)] if tag else ())

    def fail(self, status, text):
        self.reply(status, {"type": "error", "status": "", "status_code": 0, "operation": "",
                            "error_code": status, "error": text, "metadata": None})

    def start_op(self, op):
        url = "/1.0/operations/" + op.id
        self.reply(202, {"type": "async", "status": "Operation created", "status_code": 100,
                         "operation": url, "error_code": 0, "error": "", "metadata": op.value},
                   [("Location", url)])

    def upgrade(self, protocol):
        self.send_response(101)
        self.send_header("Upgrade", protocol)
        self.send_header("Connection", "Upgrade")
        if protocol == "websocket":
            self.send_header("Sec-WebSocket-Accept",
                             accept_value(self.headers["Sec-WebSocket-Key"]))
        self.end_headers()
        self.close_connection = True
        return Socket(self)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = [urllib.parse.unquote(p) for p in url.path.strip("/").split("/")]
        data = self.body()
        if LOG:
            with LOCK, open(LOG, "a", encoding="utf-8") as log:
                text = data.decode("utf-8", "replace") if len(data) < 4000 else "%d bytes" % len(data)
                log.write("%s %s %s\n" % (self.command, self.path, text))
        try:
            json_body = json.loads(data)
        except ValueError:  # a file, with whatever it begins
            json_body = None
        if parts[0] != "1.0":
            return self.sync({}) if parts[0] == "internal" else self.fail(404, "not found")
        if len(parts) == 1:
            return self.root(json_body)
        handler = getattr(self, "on_" + parts[1].replace("-", "_"), None)
        if not handler:
            return self.fail(404, "not found")
        return handler(parts[2:], query, json_body, data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def root(self, body):
        if self.command != "GET":
            return self.sync({})
        return self.sync({"api_version": "1.0", "auth": "trusted", "config": {},
                          "environment": {"server": "sysctr", "server_version": "9.9"}}, '"e"')

    def on_events(self, _parts, _query, _body, _data):
        ws = self.upgrade("websocket")
        seen = {}
        for _ in range(600):
            for op in list(OPERATIONS.values()):
                text = json.dumps(op.value)
                if seen.get(op.id) != text:
                    seen[op.id] = text
                    ws.send(1, json.dumps({"type": "operation", "timestamp": DATE, "project": "default",
                                           "location": "none", "metadata": op.value}).encode())
            time.sleep(0.05)

    def on_operations(self, parts, query, _body, _data):
        if not parts:
            running = [o.value for o in OPERATIONS.values() if not o.done.is_set()]
            return self.sync({"running": running} if running else {})
        op = OPERATIONS.get(parts[0])
        if not op:
            return self.fail(404, "Operation not found")
        if self.command == "DELETE":
            if not getattr(op, "stubborn", False):
                op.finish(401)
            return self.sync({})
        if parts[1:] == ["wait"]:
            op.done.wait(float(query.get("timeout", 3600)))
        if parts[1:] == ["websocket"]:
            session, name = SECRETS.pop(query.get("secret"), (None, None))
            if not session:
                return self.fail(403, "wrong secret")
            return session.attach(name, self.upgrade("websocket"))
        return self.sync(op.value)

    def on_instances(self, parts, query, body, data):
        if not parts:
            return self.instance_list(query, body, data)
        inst = INSTANCES.get(parts[0])
        if not inst:
            return self.fail(404, "Instance not found")
        if len(parts) > 1:
            if parts[1] == "origins":
                return self.sync(self.origins(inst))
            return self.instance_part(inst, parts[1:], body)
        if self.command == "GET":
            shown = dict(inst) if query.get("recursion") else {
                k: v for k, v in inst.items() if k not in ("state", "snapshots", "backups")}
            return self.sync(shown, etag(inst["config"]))
        if self.command == "DELETE":
            if inst["status"] == "Running":
                return self.fail(400, "Instance is running")
            del INSTANCES[parts[0]]
            return self.start_op(Operation("Deleting instance"))
        if self.headers.get("If-Match") not in (None, etag(inst["config"])):
            return self.fail(412, "ETag does not match")
        inst.update({k: v for k, v in body.items() if v is not None})
        inst["config"] = {k: v for k, v in inst["config"].items() if v != ""}
        return self.start_op(Operation("Updating instance"))

    def origins(self, inst):
        return {part: {key: "instance" if key in inst[part] else "default"
                       for key in inst["expanded_" + part]} if part == "config" else
                {name: {key: "instance" if key in inst[part].get(name, {}) else "default"
                        for key in device} for name, device in inst["expanded_" + part].items()}
                for part in ("config", "devices")}

    def instance_list(self, query, body, data):
        if self.command == "GET":
            depth = query.get("recursion", "0")
            items = list(INSTANCES.values())
            return self.sync(["/1.0/instances/" + i["name"] for i in items] if depth == "0" else items)
        alias = body["source"].get("alias", "")
        if alias == "missing":
            return self.fail(404, "Image \"missing\" not found")
        name = body["name"] or "pet-name"
        if name in INSTANCES:
            return self.fail(409, "Instance \"%s\" already exists" % name)
        where = {"instances": ["/1.0/instances/" + name]}
        if alias == "broken":
            return self.start_op(Operation("Creating instance", error='launch "%s": mount /proc: '
                                           "Permission denied" % name, resources=where))
        more = {k: v for k, v in body.items() if k in ("config", "devices", "description")}
        INSTANCES[name] = new_instance(name, "Running" if body.get("start") else "Stopped", **more)
        word, _, number = alias.partition("-")
        op = Operation("Creating instance", float(number) if word in ("slow", "stubborn") else 0,
                       resources=where)
        op.stubborn = word == "stubborn"
        return self.start_op(op)

    def instance_part(self, inst, parts, body):
        if parts == ["state"] and self.command == "GET":
            return self.sync(inst["state"])
        if parts == ["state"]:
            status = {"start": "Running", "stop": "Stopped", "restart": "Running",
                      "freeze": "Frozen", "unfreeze": "Running"}[body["action"]]
            error = "Instance is already running" if (
                body["action"] == "start" and inst["status"] == "Running") else ""
            INSTANCES[inst["name"]] = new_instance(inst["name"], status)
            return self.start_op(Operation("Changing state", error=error))
        if parts == ["exec"]:
            if inst["status"] != "Running":
                return self.fail(400, "Instance is not running")
            return self.start_op(ExecSession(body).op)
        if parts == ["console"] and self.command == "DELETE":
            return self.sync({})
        if parts == ["console"] and self.command == "POST":
            return self.start_op(ExecSession({"interactive": True, "command": ["cat"]}).op)
        text = b"Booting \x1b[1m%s\x1b[0m\r\nlogin: " % inst["name"].encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        return self.wfile.write(text)

    def collection(self, store, what, parts, query, body):
        if not parts and self.command == "GET":
            urls = ["/1.0/%s/%s" % (what, n) for n in store]
            return self.sync(list(store.values()) if query.get("recursion") else urls)
        if not parts:
            if body["name"] in store:
                return self.fail(409, "already exists")
            store[body["name"]] = dict({"config": {}, "devices": {}, "description": "",
                                        "used_by": []}, **body)
            return self.sync({})
        item = store.get(parts[0])
        if not item:
            return self.fail(404, "%s not found" % what)
        if self.command == "GET":
            return self.sync(item, etag(item["config"]))
        if self.command == "DELETE":
            del store[parts[0]]
        elif self.command == "POST":
            store[body["name"]] = dict(store.pop(parts[0]), name=body["name"])
        else:
            item.update(body)
            item["config"] = {k: v for k, v in item["config"].items() if v != ""}
        return self.sync({})

    def on_profiles(self, parts, query, body, _data):
        return self.collection(PROFILES, "profiles", parts, query, body)

    def on_networks(self, parts, query, body, _data):
        if parts[1:] == ["leases"]:
            return self.sync([{"hostname": "web1", "hwaddr": "02:00:00:00:00:01", "type": "static",
                               "address": "10.1.2.3", "location": "none"}])
        if parts[1:] == ["state"]:
            return self.sync({"addresses": [{"family": "inet", "address": "10.1.2.1",
                                             "netmask": "24", "scope": "global"}],
                              "counters": {"bytes_received": 10, "bytes_sent": 20,
                                           "packets_received": 1, "packets_sent": 2},
                              "hwaddr": "02:00:00:00:00:02", "mtu": 1500, "state": "up",
                              "type": "broadcast"})
        return self.collection(NETWORKS, "networks", parts, query, body)

    def on_storage_pools(self, parts, query, body, _data):
        if parts[1:] == ["resources"]:
            return self.sync({"space": {"used": 1 << 30, "total": 10 << 30},
                              "inodes": {"used": 1000, "total": 100000}})
        return self.collection(POOLS, "storage-pools", parts, query, body)

    def on_warnings(self, parts, query, body, _data):
        return self.sync([])

    def on_images(self, parts, query, body, data):
        if parts and parts[0] == "aliases":
            return self.aliases(parts[1:], query, body)
        if not parts and self.command == "GET":
            urls = ["/1.0/images/" + f for f in IMAGES]
            return self.sync(list(IMAGES.values()) if query.get("recursion") else urls)
        if not parts:
            return self.new_image(body, data)
        found = [f for f in IMAGES if f.startswith(parts[0])]
        if not found:
            return self.fail(404, "Image not found")
        if parts[1:] == ["export"]:
            text = CONTENT[found[0]]
            self.send_response(200)
            self.send_header("Content-Disposition", "inline;filename=%s.tar.gz" % found[0])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            return self.wfile.write(text)
        if self.command == "DELETE":
            del IMAGES[found[0]]
            return self.start_op(Operation("Deleting image"))
        return self.sync(IMAGES[found[0]])

    def new_image(self, body, data):
        if body and body["source"].get("template") == "nope":
            return self.fail(404, "Template \"nope\" not found")
        finger = hashlib.sha256(data).hexdigest()
        CONTENT[finger] = data
        IMAGES[finger] = {"fingerprint": finger, "aliases": [], "architecture": "x86_64",
                          "public": False, "size": len(data), "uploaded_at": DATE,
                          "created_at": DATE, "type": "container", "cached": False,
                          "filename": self.headers.get("X-LXD-filename", ""),
                          "properties": {"description": "made here", "os": "test"}}
        op = Operation("Importing image", result={"fingerprint": finger, "size": str(len(data))})
        return self.start_op(op)

    def aliases(self, parts, query, body):
        name = "/".join(parts)
        if not parts and self.command == "POST":
            if body["name"] in ALIASES:
                return self.fail(409, "Alias already exists")
            ALIASES[body["name"]] = dict({"description": "", "type": "container"}, **body)
            IMAGES[body["target"]]["aliases"].append({"name": body["name"], "description": ""})
            return self.sync({})
        if not parts:
            urls = ["/1.0/images/aliases/" + a for a in ALIASES]
            return self.sync(list(ALIASES.values()) if query.get("recursion") else urls)
        if name not in ALIASES:
            return self.fail(404, "Alias \"%s\" not found" % name)
        if self.command == "DELETE":
            del ALIASES[name]
            return self.sync({})
        return self.sync(ALIASES[name])


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    LOG = sys.argv[2] if len(sys.argv) > 2 else None
    INSTANCES["web1"] = new_instance("web1", "Running", description="\x1b[31mred\x1b[0m")
    INSTANCES["db1"] = new_instance("db1", "Stopped")
    for extra in range(int(os.environ.get("FAKE_INSTANCES", "0"))):
        INSTANCES["c%d" % extra] = new_instance("c%d" % extra, "Running")
    Server(sys.argv[1], Handler).serve_forever()

#!/usr/bin/env python3
"""An image server of the simplestreams kind, for tests.

streams.py make DIR MINIROOTFS   files and index of the image alpine/3.20, version $VERSION
streams.py serve DIR             HTTP on a port of 127.0.0.1, which DIR.port tells, with ranges;
                                 requests go to DIR.log; DIR.cut holds a number: the next long file
                                 breaks off after it
"""
import gzip
import hashlib
import http.server
import io
import json
import lzma
import os
import re
import sys
import tarfile

METADATA = """architecture: x86_64
creation_date: 1700000000
properties:
  os: Alpine
  release: "3.20"
  serial: "%s"
"""


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def metadata(version):
    text = (METADATA % version).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as tar:
        info = tarfile.TarInfo("metadata.yaml")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return out.getvalue()


def compressed(top, minirootfs):
    """All versions have the same root; it is compressed once."""
    os.makedirs(top, exist_ok=True)
    path = os.path.join(top, "root.tar.xz")
    if not os.path.exists(path):
        with gzip.open(minirootfs) as file, open(path, "wb") as out:
            out.write(lzma.compress(file.read(), preset=0))
    with open(path, "rb") as file:
        return file.read()


def make(top, minirootfs):
    version = os.environ.get("VERSION", "20240101_13:00")
    meta = metadata(version)
    root = compressed(top, minirootfs)
    where = "images/alpine/" + version
    os.makedirs(os.path.join(top, where), exist_ok=True)
    os.makedirs(os.path.join(top, "streams/v1"), exist_ok=True)
    items = {}
    for name, data in (("incus.tar.xz", meta), ("root.tar.xz", root)):
        path = where + "/" + name
        with open(os.path.join(top, path), "wb") as file:
            file.write(data)
        items[name] = {"ftype": name, "path": path, "size": len(data), "sha256": sha256(data)}
    items["incus.tar.xz"]["combined_rootxz_sha256"] = sha256(meta, root)
    items["rootfs.squashfs"] = {"ftype": "squashfs", "path": where + "/none", "size": 1,
                                "sha256": sha256(b"x")}
    vm = {key: items[key] for key in ("incus.tar.xz", "rootfs.squashfs")}
    write(top, "index.json", {"format": "index:1.0", "index": {"images": {
        "datatype": "image-downloads", "path": "streams/v1/images.json",
        "format": "products:1.0", "products": ["alpine:3.20:amd64:default"]}}})
    write(top, "images.json", {
        "content_id": "images", "datatype": "image-downloads", "format": "products:1.0",
        "products": {
            "alpine:3.20:amd64:default": product("alpine/3.20,alpine/3.20/default", "amd64",
                                                 {version: {"items": items}}),
            "alpine:3.20:arm64:default": product("alpine/arm", "arm64",
                                                 {version: {"items": items}}),
            "alpine:3.20:amd64:vm": product("alpine/vm", "amd64", {version: {"items": vm}})}})
    print(sha256(meta, root))


def product(aliases, arch, versions):
    return {"aliases": aliases, "arch": arch, "os": "Alpine", "release": "3.20",
            "release_title": "3.20", "variant": "default", "versions": versions}


def write(top, name, value):
    with open(os.path.join(top, "streams/v1", name), "w") as file:
        json.dump(value, file)


class Handler(http.server.BaseHTTPRequestHandler):
    top = ""

    def do_GET(self):
        start = self.first_byte()
        with open(self.top + ".log", "a") as log:
            log.write("%s %d\n" % (self.path, start))
        try:
            with open(self.top + self.path, "rb") as file:
                data = file.read()
        except OSError:
            self.send_error(404)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
        self.end_headers()
        self.wfile.write(data[start:self.last_byte(len(data))])
        self.close_connection = True

    def first_byte(self):
        match = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(match[1]) if match else 0

    def last_byte(self, size):
        try:
            with open(self.top + ".cut") as file:
                cut = int(file.read())
        except OSError:
            return size
        if cut >= size:
            return size
        os.unlink(self.top + ".cut")
        return cut

    def log_message(self, *_):
        pass


def serve(top):
    Handler.top = top
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(top + ".port.new", "w") as file:
        file.write(str(server.server_port))
    os.rename(top + ".port.new", top + ".port")
    server.serve_forever()


{"make": make, "serve": serve}[sys.argv[1]](*sys.argv[2:])

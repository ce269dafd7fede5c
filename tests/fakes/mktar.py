#!/usr/bin/env python3
"""mktar.py CASE FILE - one archive of the hostile corpus (tests/system/unpack.bats).

A CASE is a function below; each starts from a small, valid root file system, so that exactly one
thing is wrong. The compression follows FILE's ending (.tar .tar.gz .tar.xz .tar.bz2 .tar.zst).
"""
import io
import subprocess
import sys
import tarfile

METADATA = """architecture: amd64
creation_date: 1700000000
expiry_date: 1900000000
properties:
  os: test
  release: "1"
  description: Test image
templates:
  /etc/hostname:
    when: [create]
    template: hostname.tpl
"""
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(44)
# v2 capability, permitted and effective cap_net_raw
CAPABILITY = b"\x01\x00\x00\x02\x00\x20\x00\x00" + bytes(12)


class Archive:
    def __init__(self):
        self.raw = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.raw, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name, data=b"", kind=tarfile.REGTYPE, mode=0o644, link="", **more):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.linkname, info.mtime = kind, mode, link, 1600000000
        info.size = len(data) if kind == tarfile.REGTYPE else 0
        for key, value in more.items():
            setattr(info, key, value)
        self.tar.addfile(info, io.BytesIO(data))

    def dir(self, name, mode=0o755, **more):
        self.add(name, kind=tarfile.DIRTYPE, mode=mode, **more)

    def sym(self, name, target):
        self.add(name, kind=tarfile.SYMTYPE, mode=0o777, link=target)

    def hard(self, name, target):
        self.add(name, kind=tarfile.LNKTYPE, link=target)

    def root(self, prefix=""):
        if prefix:
            self.dir(prefix)
        for name in ("bin", "etc", "sbin", "tmp"):
            self.dir(prefix + name)
        self.add(prefix + "bin/sh", ELF, mode=0o755)
        self.add(prefix + "etc/passwd", b"root:x:0:0::/root:/bin/sh\n")
        return self

    def unified(self, metadata=METADATA):
        self.add("metadata.yaml", metadata.encode())
        self.dir("templates")
        self.add("templates/hostname.tpl", b"{{ container.name }}\n")
        return self.root("rootfs/")

    def bytes(self):
        self.tar.close()
        return self.raw.getvalue()


def good_plain(a):
    a.root()


def good_dotted(a):
    a.dir("./")
    a.root("./")


def good_unified(a):
    a.unified()


def good_kinds(a):
    """What a root file system may have, and what is silently left out."""
    a.unified()
    a.add("rootfs/bin/su", ELF, mode=0o4755)
    a.add("rootfs/bin/ping", ELF, mode=0o755, uid=7, gid=8,
          pax_headers={"SCHILY.xattr.security.capability": CAPABILITY.decode("latin-1"),
                       "SCHILY.xattr.trusted.evil": "x",
                       "SCHILY.xattr.security.selinux": "x",
                       "SCHILY.xattr.user.fine": "yes"})
    a.hard("rootfs/bin/ash", "rootfs/bin/sh")
    a.sym("rootfs/etc/link", "/etc/passwd")
    a.add("rootfs/tmp/fifo", kind=tarfile.FIFOTYPE, mode=0o600)
    a.add("rootfs/tmp/sda", kind=tarfile.BLKTYPE, devmajor=8, devminor=0)
    a.add("rootfs/tmp/mem", kind=tarfile.CHRTYPE, devmajor=1, devminor=1)
    a.add("rootfs/etc/gr\u00fc\u00df", b"umlaut")
    a.add("rootfs/etc/twice", b"first")
    a.add("rootfs/etc/twice", b"second")
    a.dir("rootfs/root", mode=0o700, uid=1000, gid=65535)


def good_metadata_file(a):
    """The first file of a split image."""
    a.add("metadata.yaml", METADATA.encode())


def absolute(a):
    a.root()
    a.add("/srv/canary/f", b"evil")


def dotdot(a):
    a.root()
    a.add("etc/../../../srv/canary/f", b"evil")


def symlink_through(a):
    a.root()
    a.sym("etc/evil", "/srv/canary/d")
    a.add("etc/evil/f", b"evil")


def symlink_relative(a):
    a.root()
    a.sym("etc/evil", "../../../../../../srv/canary/d")
    a.add("etc/evil/f", b"evil")


def symlink_then_dir(a):
    a.root()
    a.sym("evil", "tmp")
    a.dir("evil", mode=0o777)
    a.add("evil/f", b"x")


def hardlink_outside(a):
    a.root()
    a.hard("etc/evil", "../../../../etc/passwd")


def hardlink_absolute(a):
    a.root()
    a.hard("etc/evil", "/etc/shadow")


def hardlink_beside_root(a):
    a.unified()
    a.hard("rootfs/etc/evil", "metadata.yaml")


def hardlink_through(a):
    a.root()
    a.sym("etc/evil", "/etc")
    a.hard("etc/shadow", "etc/evil/shadow")


def long_component(a):
    a.root()
    a.add("etc/" + "x" * 300, b"x")


def long_name(a):
    a.root()
    a.add("/".join(["etc"] + ["y" * 200] * 30), b"x")


def deep(a):
    a.root()
    a.add("etc/" + "d/" * 600 + "f", b"x")


def big_owner(a):
    a.root()
    a.add("etc/evil", b"x", uid=70000)


def rootfs_symlink(a):
    a.add("metadata.yaml", METADATA.encode())
    a.sym("rootfs", "/srv/canary/d")
    a.add("rootfs/etc/f", b"evil")
    a.add("rootfs/bin/sh", ELF)


def rootfs_file(a):
    a.add("metadata.yaml", METADATA.encode())
    a.add("rootfs", b"evil")


def metadata_symlink(a):
    a.sym("metadata.yaml", "/etc/shadow")
    a.root("rootfs/")


def metadata_twice(a):
    a.unified()
    a.add("metadata.yaml", METADATA.encode())


def metadata_missing(a):
    a.root("rootfs/")


def metadata_alone(a):
    a.add("metadata.yaml", METADATA.encode())


def metadata_bomb(a):
    lines = ['a: &a ["lol","lol","lol"]']
    for i, c in enumerate("bcdefghi"):
        lines.append(f"{c}: &{c} [" + ",".join(["*" + "abcdefgh"[i]] * 9) + "]")
    a.unified("\n".join(lines) + "\n")


def metadata_huge(a):
    a.unified("x: " + "y" * (2 << 20))


def metadata_newline(a):
    a.unified(METADATA.replace("Test image", '"two\\nlines"'))


def metadata_arch(a):
    a.unified(METADATA.replace("amd64", "../x86"))


def metadata_date(a):
    a.unified(METADATA.replace("1700000000", "-5e99"))


def metadata_type(a):
    a.unified(METADATA.replace("  os: test", "  os: [test]"))


def no_root(a):
    a.dir("photos")
    a.add("photos/cat.jpg", b"meow")


def no_architecture(a):
    a.dir("etc")
    a.add("etc/passwd", b"root:x:0:0::/root:/bin/sh\n")


def empty(a):
    pass


def many_entries(a):
    a.root()
    a.add("etc/same", b"")
    header = a.raw.getvalue()[-512:]
    a.many = header * 1000


def zeros(a):
    """Half a file of 4 GiB: the ratio ends it long before the data does."""
    a.root()
    info = tarfile.TarInfo("etc/zeros")
    info.size = 4 << 30
    a.raw.write(info.tobuf(tarfile.GNU_FORMAT))
    a.zeros = info.size


def write(archive, out):
    if hasattr(archive, "many"):
        out.write(archive.raw.getvalue())
        for _ in range(1000):
            out.write(archive.many)
    elif hasattr(archive, "zeros"):
        out.write(archive.raw.getvalue())
        block = bytes(1 << 20)
        for _ in range(archive.zeros >> 20):
            out.write(block)
    else:
        out.write(archive.bytes())
        return
    out.write(bytes(1024))


COMPRESSORS = {"gz": ["gzip", "-1n"], "xz": ["xz", "-1"], "bz2": ["bzip2"], "zst": ["zstd", "-q", "-1"],
               "lzma": ["xz", "--format=lzma", "-1"]}


def run(cases):
    """The arguments' CASE, a function of @cases that fills an archive, to the arguments' FILE."""
    case, path = sys.argv[1:]
    archive = Archive()
    cases[case](archive)
    with open(path, "wb") as out:
        command = COMPRESSORS.get(path.rsplit(".", 1)[-1])
        if not command:
            write(archive, out)
            return
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out) as child:
            write(archive, child.stdin)
            child.stdin.close()


if __name__ == "__main__":
    run(globals())

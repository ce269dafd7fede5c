#!/usr/bin/env python3
"""mkbackup.py CASE FILE - one backup, sound or hostile (tests/system/import.bats).

A CASE is a function below; each starts from a small, valid backup, so that exactly one thing is
wrong. The compression follows FILE's ending (.tar .tar.gz .tar.xz .tar.zst).
"""
import tarfile

from mktar import CAPABILITY, ELF, run

# As Debian's LXD 5.0.2 writes it: keys sorted, the configuration under "container".
LXD = """name: c1
backend: dir
pool: default
snapshots:
- snap0
optimized: false
optimized_header: false
type: container
config:
  container:
    architecture: x86_64
    config:
      image.os: Alpine
      limits.processes: "200"
      linux.kernel_modules: br_netfilter
      raw.lxc: lxc.apparmor.profile=unconfined
      security.guestapi: "true"
      user.note: |-
        two
        lines: #1
      volatile.base_image: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
      volatile.eth0.hwaddr: 00:16:3e:12:34:56
      volatile.idmap.base: "0"
      volatile.last_state.power: RUNNING
      volatile.uuid: 9d6e2a4c-9b5e-4a44-8d1f-1f2f3f4f5f6f
    devices:
      host:
        path: /mnt/host
        source: /etc
        type: disk
      tmp:
        path: /scratch
        source: "tmpfs:"
        type: disk
      gpu:
        type: tpm
      lan:
        network: lxdbr9
        type: nic
      root:
        path: /
        pool: ssd
        type: disk
    ephemeral: false
    profiles:
    - default
    - gone
    stateful: false
    description: ""
    created_at: 2023-01-02T03:04:05.678901234Z
    expanded_config: {}
    expanded_devices: {}
    name: c1
    status: Stopped
    status_code: 102
    last_used_at: 2023-02-02T03:04:05Z
    location: none
    type: container
    project: default
  snapshots:
  - architecture: x86_64
    config:
      limits.processes: "100"
    created_at: 2023-01-03T03:04:05Z
    expires_at: 0001-01-01T00:00:00Z
    devices:
      root:
        path: /
        pool: ssd
        type: disk
    ephemeral: false
    expanded_config: {}
    expanded_devices: {}
    last_used_at: 2023-01-02T03:04:05Z
    name: snap0
    profiles:
    - default
    stateful: false
    size: -1
  pool:
    config:
      source: /var/lib/lxd/storage-pools/ssd
    description: ""
    name: ssd
    driver: dir
    used_by: []
    status: Created
    locations:
    - none
  profiles: []
  volume:
    config: {}
    description: ""
    name: c1
    type: container
    used_by: []
    location: none
    content_type: filesystem
    project: default
    created_at: 2023-01-02T03:04:05Z
"""

# As Incus 6.0 writes it: another order, "expires_at" in a zone, no snapshots.
INCUS = """name: c1
backend: btrfs
pool: default
optimized: false
optimized_header: false
type: container
config:
  container:
    name: c1
    description: "of incus"
    status: Running
    status_code: 103
    created_at: 2024-05-06T07:08:09.1+02:00
    last_used_at: 2024-05-06T07:08:10Z
    location: none
    type: container
    project: default
    architecture: x86_64
    ephemeral: false
    stateful: false
    profiles:
        - default
    config:
        user.from: incus
        volatile.cloud-init.instance-id: 11111111-2222-3333-4444-555555555555
    devices: {}
    expanded_config:
        user.from: incus
    expanded_devices:
        root:
            path: /
            pool: default
            type: disk
  pool: null
  volume: null
"""

SMALL = """name: c1
type: container
config:
  container:
    name: c1
    architecture: x86_64
    config: {}
    devices: {}
    profiles: [default]
"""


def index(a, text=SMALL):
    a.dir("backup")
    a.add("backup/index.yaml", text.encode())


def tree(a, prefix="backup/container/", mark=b"now"):
    a.dir(prefix)
    a.add(prefix + "backup.yaml", b"container: {}\n")
    a.add(prefix + "metadata.yaml", b"architecture: x86_64\n")
    a.dir(prefix + "templates")
    a.add(prefix + "templates/hostname.tpl", b"{{ container.name }}\n")
    a.root(prefix + "rootfs/")
    a.dir(prefix + "rootfs/root", mode=0o700)
    a.add(prefix + "rootfs/root/mark", mark)


def small(a):
    index(a)
    tree(a)


def lxd(a):
    index(a, LXD)
    tree(a, "backup/snapshots/snap0/", b"before")
    tree(a)
    a.add("backup/container/rootfs/bin/ping", ELF, mode=0o4755, uid=7, gid=8,
          pax_headers={"SCHILY.xattr.security.capability": CAPABILITY.decode("latin-1"),
                       "SCHILY.xattr.trusted.overlay.opaque": "y"})
    a.hard("backup/container/rootfs/root/mark2", "backup/container/rootfs/root/mark")
    a.add("backup/container/rootfs/tmp/sda", kind=tarfile.BLKTYPE, devmajor=8, devminor=0)
    a.add("backup/container/rootfs/tmp/whiteout", kind=tarfile.CHRTYPE, devmajor=0, devminor=0)


def incus(a):
    index(a, INCUS)
    tree(a)


# ---- hostile ----

def no_index(a):
    tree(a)


def index_link(a):
    a.sym("backup/index.yaml", "/etc/shadow")
    tree(a)


def index_bomb(a):
    lines = ['a: &a ["lol","lol","lol"]']
    for i, c in enumerate("bcdefghi"):
        lines.append(f"{c}: &{c} [" + ",".join(["*" + "abcdefgh"[i]] * 9) + "]")
    index(a, "\n".join(lines) + "\n")
    tree(a)


def index_huge(a):
    index(a, SMALL + "x: " + "y" * (2 << 20) + "\n")
    tree(a)


def index_deep(a):
    index(a, "x: " + "[" * 5000 + "]" * 5000 + "\n")
    tree(a)


def index_list(a):
    index(a, "- one\n- two\n")
    tree(a)


def index_empty(a):
    index(a, "")
    tree(a)


def index_no_config(a):
    index(a, "name: c1\ntype: container\n")
    tree(a)


def index_wrong_types(a):
    index(a, "name: c1\nconfig:\n  container: [1, 2]\n")
    tree(a)


def config_types(a):
    index(a, SMALL.replace("config: {}", "config: {user.x: [1]}"))
    tree(a)


def devices_types(a):
    index(a, SMALL.replace("devices: {}", "devices: [root]"))
    tree(a)


def many_snapshots(a):
    index(a, SMALL + "  snapshots:\n" + "".join(f"  - name: s{i}\n" for i in range(201)))
    tree(a)


def snapshot_twice(a):
    index(a, SMALL + "  snapshots:\n  - name: s0\n  - name: s0\n")
    tree(a)


def snapshot_name(a):
    index(a, SMALL + "  snapshots:\n  - name: ..\n")
    tree(a)


def snapshot_missing(a):
    index(a, SMALL + "  snapshots:\n  - name: s0\n")
    tree(a)


def optimized(a):
    index(a, SMALL + "optimized: true\n")
    a.add("backup/container.bin", b"btrfs-stream\0")


def machine(a):
    index(a, SMALL.replace("type: container", "type: virtual-machine"))
    tree(a)


def volume(a):
    index(a, "name: v1\ntype: custom\nconfig:\n  volume: {name: v1}\n")
    a.dir("backup/volume")


def named(a, name):
    index(a, SMALL.replace("name: c1", "name: " + name))
    tree(a)


def name_dotdot(a):
    named(a, '"../x"')


def name_slash(a):
    named(a, "a/b")


def name_option(a):
    named(a, '"-rf"')


def name_dot(a):
    named(a, '"."')


def name_long(a):
    named(a, "x" * 300)


def name_utf8(a):
    named(a, "gr\u00fc\u00df")


def name_missing(a):
    index(a, SMALL.replace("name: c1\n", "", 1).replace("    name: c1\n", ""))
    tree(a)


def no_root(a):
    index(a)
    a.add("backup/container/backup.yaml", b"x: y\n")


def root_link(a):
    index(a)
    a.sym("backup/container/rootfs", "/srv/canary/d")
    a.add("backup/container/rootfs/f", b"evil")


def root_file(a):
    index(a)
    a.add("backup/container/rootfs", b"evil")


def absolute(a):
    small(a)
    a.add("/srv/canary/f", b"evil")


def dotdot(a):
    small(a)
    a.add("backup/container/rootfs/../../../../srv/canary/f", b"evil")


def through_link(a):
    small(a)
    a.sym("backup/container/rootfs/etc/evil", "/srv/canary/d")
    a.add("backup/container/rootfs/etc/evil/f", b"evil")


def hardlink_beside(a):
    small(a)
    a.hard("backup/container/rootfs/etc/evil", "backup/container/backup.yaml")


def hardlink_absolute(a):
    small(a)
    a.hard("backup/container/rootfs/etc/evil", "/etc/shadow")


def hardlink_of_snapshot(a):
    """One tree's file must not become the other's: they are edited apart."""
    index(a, SMALL + "  snapshots:\n  - name: s0\n")
    tree(a, "backup/snapshots/s0/", b"before")
    tree(a)
    a.hard("backup/container/rootfs/etc/evil", "backup/snapshots/s0/rootfs/root/mark")


def big_owner(a):
    small(a)
    a.add("backup/container/rootfs/etc/evil", b"x", uid=100000)


if __name__ == "__main__":
    run(globals())

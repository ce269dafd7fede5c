"""moving.py - rows of the table about files, snapshots and copies

For tests/bench/run. The floors are the host's own programs on the same files: cp, gzip.
"""

import glob
import os
import shutil
import subprocess
import time

from private import IMAGE, SHARED, TAG, command, median, median_of, now_ms

SMALL_FILES, SMALL_BYTES = 5000, 2048
LARGE_MIB = 500
CHANGED_MIB = 10  # what the instance wrote since its image
CHANGE = ["dd", "if=/dev/urandom", "of=/root/changed", "bs=1M", "count=%d" % CHANGED_MIB]


def fill(path, length):
    with open(path, "wb") as file:
        while length > 0:
            length -= file.write(os.urandom(min(length, 1 << 20)))


def make_small(directory):
    os.makedirs(directory)
    for i in range(SMALL_FILES):
        fill("%s/%d" % (directory, i), SMALL_BYTES)


def measure_pair(daemon, table, words, runs, recursive, budgets):
    """Push @words[1] of the work directory, pull it back, and cp beside each.

    Small files stay until all runs are over: an ext4 without a journal looks for the inodes of
    deleted ones before it makes a new one.
    """
    work, source = daemon.dir + "/work", "%s/work/%s" % (daemon.dir, words[1])
    took = {"cp": [], "push": [], "pull": []}
    option = ["-r"] if recursive else []
    for i in range(runs):
        copy, back, inside = ("%s/copy%d" % (work, i), "%s/back%d" % (work, i),
                              "files/root/%s%d" % (words[1], i))
        took["cp"].append(command(["cp", "-r", source, copy]))
        took["push"].append(daemon.s("file", "push", "-q", *option, source, inside))
        took["pull"].append(daemon.s("file", "pull", "-q", *option, inside, back))
        if not recursive:
            os.unlink(copy)
            os.unlink(back)
            daemon.s("file", "delete", inside)
    cp = median(took["cp"])
    for way in ("push", "pull"):
        table.add("`file %s` %s" % (way, words[0]), median(took[way]), cp, **budgets)


def measure_files(daemon, table, runs):
    daemon.s("launch", "-q", IMAGE, "files")
    fill(daemon.dir + "/work/large", LARGE_MIB << 20)
    make_small(daemon.dir + "/work/small")
    measure_pair(daemon, table, ("%d MiB (floor: cp)" % LARGE_MIB, "large"), runs, False,
                 {"factor": 1.2})
    measure_pair(daemon, table, ("-r, %d files of 2 KiB (floor: cp -r)" % SMALL_FILES, "small"),
                 runs, True, {"budget": 500})
    daemon.s("delete", "--force", "files")
    shutil.rmtree(daemon.dir + "/work")
    os.mkdir(daemon.dir + "/work")


def packed_image():
    return glob.glob(SHARED + "/data/alpine/alpine-*-openrc-*.tar.xz")[0]


def peer_steps(client, name, packed, target):
    """The same work by LXD's or Incus' client on a running instance: {work: argv(i)}, in order."""
    def snapshot(verb, i):
        if client == "incus":
            return [client, "snapshot", verb, name(i), "s"]
        return {"create": [client, "snapshot", name(i), "s"],
                "restore": [client, "restore", name(i), "s"],
                "delete": [client, "delete", name(i) + "/s"]}[verb]
    return {
        "_fill": lambda i: [client, "exec", name(i), "--", *CHANGE],
        "snapshot, running": lambda i: snapshot("create", i),
        "_drop": lambda i: snapshot("delete", i),
        "_halt": lambda i: [client, "stop", "--force", name(i)],
        "snapshot, stopped": lambda i: snapshot("create", i),
        "restore": lambda i: snapshot("restore", i),
        "_drop again": lambda i: snapshot("delete", i),
        "copy": lambda i: [client, "copy", name(i), name(i) + "c"],
        "_delete copy": lambda i: [client, "delete", name(i) + "c"],
        "export": lambda i: [client, "export", name(i), "%s%d" % (target, i)],
        "unpack": lambda i: [client, "init", packed, name(i) + "u"],
        "_delete unpacked": lambda i: [client, "delete", name(i) + "u"],
    }


def timed(daemon, took, what, *arguments):
    took.setdefault(what, []).append(daemon.s(*arguments))


def measure_time(daemon, table, peers, floor, runs):
    """An Alpine that has written CHANGED_MIB since its image, running and then stopped."""
    took, target = {}, daemon.dir + "/work/t.tar.zst"
    daemon.s("launch", "-q", IMAGE, "t")
    daemon.s("exec", "t", "--", *CHANGE)
    for _ in range(runs):
        timed(daemon, took, "snapshot, running", "snapshot", "create", "-q", "t", "s")
        daemon.s("snapshot", "delete", "-q", "t", "s")
    daemon.s("stop", "--force", "t")
    daemon.await_released("t")
    for _ in range(runs):
        timed(daemon, took, "snapshot, stopped", "snapshot", "create", "-q", "t", "s")
        timed(daemon, took, "restore", "snapshot", "restore", "-q", "t", "s")
        daemon.s("snapshot", "delete", "-q", "t", "s")
        timed(daemon, took, "copy", "copy", "-q", "t", "u")
        daemon.s("delete", "u")
        timed(daemon, took, "export", "export", "-q", "t", target)
        os.unlink(target)
    daemon.s("delete", "t")
    least = floor["empty"] + floor["commit"]
    words = "Alpine and %d MiB" % CHANGED_MIB
    for work, title, budget in (
            ("snapshot, running", "`snapshot create`, running, ", None),
            ("snapshot, stopped", "`snapshot create`, stopped, ", None),
            ("restore", "`snapshot restore`, stopped, ", 15),
            ("copy", "`copy`, stopped, ", 15),
            ("export", "`export`, ", None)):
        table.add(title + words, median(took[work]), least, budget, peers=peers.text(work))


def measure_whole(daemon, table, image, runs):
    """Where nothing is shared: a pool of plain directories. Beside it cp of the same tree, to the disk."""
    pool, copy = TAG + "plain", daemon.dir + "/work/copy"
    trash = "%s/state/pools/%s/trash" % (daemon.dir, pool)
    daemon.s("storage", "create", pool, "dir")
    daemon.s("create", "-q", image, "whole", "--storage", pool)
    rootfs = "%s/state/pools/%s/instances/whole/rootfs" % (daemon.dir, pool)
    took = {"cp": [], "copy": []}
    for _ in range(runs):
        took["cp"].append(command(["sh", "-c", "cp -a '%s' '%s' && sync -f '%s'" %
                                   (rootfs, copy, copy)]))
        shutil.rmtree(copy)
        took["copy"].append(daemon.s("copy", "-q", "whole", "whole2"))
        daemon.s("delete", "whole2")
        while os.listdir(trash):
            time.sleep(0.1)
        os.sync()
    daemon.s("delete", "whole")
    daemon.s("storage", "delete", pool)
    table.add("`copy`, stopped, Debian in a `dir` pool (floor: cp -a, sync)", median(took["copy"]),
              median(took["cp"]))


DECOMPRESSORS = {".xz": "xz", ".gz": "gzip", ".zst": "zstd"}


def measure_unpack(daemon, table, archive, runs, words="", **more):
    """From an image that nobody has unpacked yet to an instance; beside it the decompressor."""
    alias, tool = TAG + "unpack", DECOMPRESSORS[os.path.splitext(archive)[1]]

    def decompress(_):
        return command(["sh", "-c", "%s -dc '%s' >/dev/null" % (tool, archive)])

    def unpack(_):
        daemon.s("image", "import", "-q", archive, "--alias", alias)
        start = now_ms()
        daemon.s("create", "-q", alias, "unpacked")
        took = now_ms() - start
        daemon.s("delete", "unpacked")
        daemon.s("image", "delete", alias)
        return took
    table.add("first `create` of an image, unpacks it%s (floor: %s -dc)" % (words, tool),
              median_of(runs, unpack), median_of(runs, decompress), **more)

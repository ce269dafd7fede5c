"""private.py - a sysctrd of its own for a measurement, and what is asked of it

For tests/bench/run and tests/bench/soak. Everything on the host carries TAG and is gone after end().
"""

import glob
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SRCDIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILDDIR = os.environ.get("SYSCTR_BUILDDIR", SRCDIR + "/build")
SHARED = os.environ.get("SYSCTR_SHARED", SRCDIR + "/../shared")
TAG = "b%d" % (os.getpid() % 100000)
IMAGE = "alpine/3.20/mini"
IDLE_SECONDS = 20  # sysctrd closes a connection that says nothing for longer


def now_ms():
    return time.monotonic_ns() / 1e6


def note(text):
    print("bench: " + text, file=sys.stderr)


def spawn(argv, env=None, out=None):
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, out or "/dev/null", os.O_WRONLY | os.O_CREAT, 0o600)]
    return os.posix_spawnp(argv[0], argv, env or os.environ, file_actions=actions)


def command(argv, env=None):
    """Runs a command to its end. Returns: milliseconds, as a shell would see it."""
    start = now_ms()
    pid = spawn(argv, env)
    status = os.waitpid(pid, 0)[1]
    took = now_ms() - start
    if status != 0:
        raise RuntimeError("%s: wait status %d" % (" ".join(argv), status))
    return took


def median(values):
    return statistics.median(values)


def median_of(n, fn):
    """fn(i) returns milliseconds; i counts from 0."""
    return median([fn(i) for i in range(n)])


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("sysctr")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def remove_groups(top):
    """Empty groups from below; what dies in them takes a moment."""
    for path, _, _ in os.walk(top, topdown=False):
        for _ in range(100):
            try:
                os.rmdir(path)
                break
            except OSError:
                time.sleep(0.01)


class Daemon:
    """A sysctrd with directories, bridge, ids and images of its own."""

    def __init__(self, parent):
        if not os.access(BUILDDIR + "/sysctrd", os.X_OK):
            raise SystemExit("bench: no sysctrd in %s: set SYSCTR_BUILDDIR" % BUILDDIR)
        self.dir = tempfile.mkdtemp(prefix="sysctr-bench-", dir=parent)
        os.chmod(self.dir, 0o755)
        self.socket = self.dir + "/run/unix.socket"
        self.env = dict(os.environ, SYSCTR_SOCKET=self.socket)
        self.bridge = TAG + "br"
        for name in ("state", "run", "log", "work"):
            os.mkdir(self.dir + "/" + name)
        self.make_mirror()
        with open(self.dir + "/sysctrd.yaml", "w") as file:
            # room for 1,000 addresses; the second number keeps runs apart
            file.write("name: %s\nnetwork: { bridge: %s, ipv4: 10.%d.0.1/16 }\n"
                       "idmap: { base: 1600000000, size: 200000000 }\n"
                       "images: { alpine_mirror: \"file://%s/mirror\" }\n"
                       "lxcfs: none\n"  # the floor and the peers have none either
                       % (TAG, self.bridge, 130 + os.getpid() % 100, self.dir))
        self.process = None
        self.connection = None
        self.last_request = 0

    def make_mirror(self):
        releases = self.dir + "/mirror/v3.20/releases/x86_64"
        os.makedirs(releases)
        found = glob.glob(SHARED + "/data/alpine/alpine-minirootfs-3.20.*-x86_64.tar.gz")
        if not found:
            raise SystemExit("bench: no alpine-minirootfs in %s/data/alpine: set SYSCTR_SHARED"
                             % SHARED)
        name = os.path.basename(found[0])
        shutil.copy(found[0], releases)
        with open(found[0], "rb") as file:
            digest = hashlib.sha512(file.read()).hexdigest()
        with open("%s/%s.sha512" % (releases, name), "w") as file:
            file.write("%s  %s\n" % (digest, name))
        with open(releases + "/latest-releases.yaml", "w") as file:
            file.write("---\n-\n  branch: v3.20\n  arch: x86_64\n  version: 3.20.3\n"
                       "  flavor: alpine-minirootfs\n  file: %s\n  sha512: %s\n" % (name, digest))

    def start(self):
        """Returns: milliseconds until it takes work."""
        log = open(self.dir + "/daemon.log", "ab")
        start = now_ms()
        self.process = subprocess.Popen(
            [BUILDDIR + "/sysctrd", "--config", self.dir + "/sysctrd.yaml",
             "--state-dir", self.dir + "/state", "--runtime-dir", self.dir + "/run",
             "--log-dir", self.dir + "/log", "--group", "root"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while True:
            try:
                self.connection = Connection(self.socket)
                if self.takes_work():
                    return now_ms() - start
            except OSError:
                pass
            if self.process.poll() is not None or now_ms() - start > 20000:
                raise SystemExit("bench: sysctrd does not come up: see %s/daemon.log" % self.dir)
            time.sleep(0.0005)

    def takes_work(self):
        """A name that is refused is looked at only when it would be taken."""
        self.connection.request("POST", "/1.0/instances", '{"name": "-", "source": {"type": "none"}}')
        answer = json.loads(self.connection.getresponse().read())
        return answer["error_code"] != 503

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def api(self, method, path, body=None):
        if time.monotonic() - self.last_request > IDLE_SECONDS:
            self.connection = Connection(self.socket)
        self.last_request = time.monotonic()
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text)
        answer = json.loads(self.connection.getresponse().read())
        if answer.get("type") == "error":
            raise RuntimeError("%s %s: %s" % (method, path, answer["error"]))
        return answer

    def operation(self, method, path, body=None):
        """A request that starts an operation, and the end of that. Returns: milliseconds."""
        start = now_ms()
        answer = self.api(method, path, body)
        answer = self.api("GET", answer["operation"] + "/wait")
        if answer["metadata"]["status_code"] != 200:
            raise RuntimeError("%s %s: %s" % (method, path, answer["metadata"]["err"]))
        return now_ms() - start

    def s(self, *arguments):
        return command([BUILDDIR + "/sysctr"] + list(arguments), self.env)

    def create(self, name, image=IMAGE):
        body = {"name": name, "source": {"type": "image", "alias": image}}
        return self.operation("POST", "/1.0/instances", body)

    def state(self, name, action, force=False):
        return self.operation("PUT", "/1.0/instances/%s/state" % name,
                              {"action": action, "force": force})

    def await_released(self, name):
        """A stop answers when init is dead; the mounts and groups go after that."""
        while os.path.isdir("%s/run/instances/%s" % (self.dir, name)):
            time.sleep(0.002)

    def await_rules_gone(self):
        """nft goes on after the network's deletion has been answered."""
        for _ in range(1000):
            tables = subprocess.run(["nft", "list", "tables"], stdout=subprocess.PIPE, text=True,
                                    check=False).stdout
            if "table inet %s\n" % TAG not in tables:
                return
            time.sleep(0.01)

    def await_address(self, name):
        """To the first global IPv4 address that the container itself has; 2 ms exact."""
        while True:
            network = self.api("GET", "/1.0/instances/%s/state" % name)["metadata"]["network"] or {}
            for address in network.get("eth0", {}).get("addresses", []):
                if address["family"] == "inet" and address["scope"] == "global":
                    return
            time.sleep(0.002)

    def end(self):
        """Everything that was made goes, also after a failure."""
        if self.process.poll() is not None:
            self.start()
        names = [path.rsplit("/", 1)[1] for path in self.api("GET", "/1.0/instances")["metadata"]]
        for i in range(0, len(names), 50):
            self.s("delete", "--force", *names[i:i + 50])
        self.api("PUT", "/1.0/profiles/default", {"config": {}, "devices": {}})
        self.s("network", "delete", self.bridge)
        self.await_rules_gone()
        self.stop()
        for group in glob.glob("/sys/fs/cgroup/%s*" % TAG) + glob.glob("/sys/fs/cgroup/*/%s*" % TAG):
            remove_groups(group)
        shutil.rmtree(self.dir, ignore_errors=True)


def memory_kb(pid, *fields):
    total = 0
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            if line.split(":")[0] in fields:
                total += int(line.split()[1])
    return total

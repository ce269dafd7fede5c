#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# monitor.bats - sysctr-monitor without a daemon: real systems, hostile roots, sudden deaths
# Threats: B1 B3 B4 B6 B7 B12 C2 C3 C6 C10 (docs/threats.md). Needs root; drives the monitor through
# tests/fakes/monctl.
load lib

setup_file() {
	srcdir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export SYSCTR_BUILDDIR=${SYSCTR_BUILDDIR:-$srcdir/build}
	export ALPINE=${ALPINE:-$srcdir/../shared/data/alpine}
	# Their own, so that two runs on one machine do not meet.
	export T=$BATS_FILE_TMPDIR TAG=montest$$ BR=mtb$$ V0=mt0$$ V1=mt1$$
	export CANARY=$T/canary
	mkdir -p "$T/mini" "$T/openrc" "$CANARY/d"
	echo keep >"$CANARY/f"
	tar xzf "$ALPINE"/alpine-minirootfs-*.tar.gz -C "$T/mini" --numeric-owner
	tar xJf "$ALPINE"/alpine-*-openrc-*.tar.xz -C "$T/openrc" --numeric-owner
	ip link add "$BR" type bridge
	ip link set "$BR" up
}

teardown_file() {
	ip link del "$BR"
	rmdir /sys/fs/cgroup/unified/"$TAG"/.monitor /sys/fs/cgroup/unified/"$TAG" \
		/sys/fs/cgroup/"$TAG"/.monitor /sys/fs/cgroup/*/"$TAG" 2>/dev/null || true
}

setup() {
	rm -rf "$T/a1"
	mkdir -p "$T/a1/upper" "$T/a1/work"
}

teardown() {
	for name in a1 a2 h1; do
		[ -e "$T/run/$name/ctl.sock" ] || continue
		mc thaw $name 2>/dev/null || true
		mc kill $name || true
		mc wait $name gone || true
	done
	sed 's/^/# /' "$T"/log/*/monitor.log 2>/dev/null | tail -n 20
	run ! grep -l 'Sanitizer\|runtime error' "$T"/log/*/monitor.log
}

mc() {
	local verb=$1 name=$2
	shift 2
	"$SYSCTR_BUILDDIR"/tests/fakes/monctl "$verb" "$name" --dir "$T" --tag "$TAG" "$@"
}

start_openrc() {
	mc start a1 --root "$T/a1" --lower "$T/openrc/rootfs" "$@"
}

start_mini() {
	mc start a1 --root "$T/a1" --lower "$T/mini" "$@"
}

console_has() {
	mc console-log "$1" | grep -aq "$2"
}

cgroups_left() {
	find /sys/fs/cgroup -path "*/$TAG/*" -name "$1" 2>/dev/null
}

# is_released NAME: the monitor leaves its groups and its directory last
is_released() {
	[ ! -e "$T/run/$1" ] && [ -z "$(cgroups_left "$1")" ]
}

no_link() {
	never ip link show "$1"
}

assert_nothing_left() {
	retry 20 is_released "$1"
	run ! grep -q "$T" /proc/self/mountinfo
}

@test "Alpine with OpenRC boots to a login prompt" {
	start_openrc
	retry 30 console_has a1 'login:'
	mc console-log a1 | grep -a '\[LXC\]'
	mc stop a1
	mc wait a1 gone --timeout 20
	assert_nothing_left a1
}

@test "power-off from inside" {
	start_openrc
	retry 30 console_has a1 'login:'
	mc exec a1 -- poweroff || [ $? -ge 137 ]
	run mc wait a1 released --timeout 20
	[ "$status" -eq 0 ]
	[[ $output == *"exit=poweroff"* ]]
	retry 20 test ! -e "$T/run/a1"
	assert_nothing_left a1
}

@test "reboot from inside keeps the root and takes the next spec" {
	start_openrc --nic "eth0,$V0,$BR,00:16:3e:11:22:33"
	retry 30 console_has a1 'login:'
	mc exec a1 -- sh -c 'echo here >/root/mark'
	before=$(mc state a1 | sed -n 's/.*pid=\([0-9]*\).*/\1/p')
	mc next a1 --root "$T/a1" --lower "$T/openrc/rootfs" --generation 2 --pids 123 \
		--nic "eth1,$V1,$BR,"
	mc exec a1 -- reboot || [ $? -ge 137 ]
	retry 20 sh -c "'$SYSCTR_BUILDDIR'/tests/fakes/monctl state a1 --dir '$T' | grep 'state=running.*generation=2'"
	after=$(mc state a1 | sed -n 's/.*pid=\([0-9]*\).*/\1/p')
	[ "$before" != "$after" ]
	[ "$(mc exec a1 -- cat /root/mark)" = here ]
	mc state a1 | grep "nic=eth1 .*host=$V1"
	retry 20 no_link "$V0"
	ip link show "$V1"
}

@test "live limits" {
	start_mini --memory 128MiB --pids 100
	mc next a1 --root "$T/a1" --memory 64MiB --pids 50
	pids=$(cat /sys/fs/cgroup/pids/"$TAG"/a1/pids.max /sys/fs/cgroup/"$TAG"/a1/pids.max 2>/dev/null | head -n 1)
	[ "$pids" = 50 ]
}

@test "it survives the death of who started it" {
	(
		start_openrc
		exec sleep 60
	) >/dev/null &
	starter=$!
	retry 30 test -e "$T/run/a1/status"
	retry 30 grep -q state=running "$T/run/a1/status"
	kill -9 $starter
	sleep 0.2
	mc state a1 | grep state=running
	mc exec a1 -- true
}

@test "a killed monitor leaves a container that the next one replaces" {
	start_openrc
	kill -9 "$(sed -n 's/^monitor=//p' "$T/run/a1/status")"
	retry 20 sh -c "! '$SYSCTR_BUILDDIR'/tests/fakes/monctl state a1 --dir '$T' 2>/dev/null"
	run start_openrc
	# Its processes still run in the groups: refused, with words, until they are gone.
	[ "$status" -ne 0 ]
	[[ $output == *"a1"* ]]
	for dir in $(cgroups_left a1); do [ -e "$dir/cgroup.kill" ] && echo 1 >"$dir/cgroup.kill"; done
	retry 20 start_openrc
}

@test "freeze, and what a frozen container refuses" {
	start_mini
	mc freeze a1
	mc state a1 | grep state=frozen
	run mc exec a1 -- true
	[ "$status" -ne 0 ]
	[[ $output == *"is frozen"* ]]
	mc thaw a1
	mc exec a1 -- true
	mc freeze a1
	mc stop a1
	mc wait a1 gone --timeout 20
}

@test "addresses and their changes" {
	start_mini --nic "eth0,$V0,$BR,00:16:3e:11:22:33"
	mc state a1 | grep 'nic=eth0 .*mac=00:16:3e:11:22:33 host='"$V0"
	mc exec a1 -- ip addr add 10.98.7.6/24 dev eth0
	has_address() { mc state a1 | grep '10.98.7.6/24'; }
	retry 20 has_address
	mc kill a1
	mc wait a1 gone
	retry 20 no_link "$V0"
}

@test "names: one monitor each, one user per volume" {
	start_mini
	run start_mini
	[ "$status" -ne 0 ]
	[[ $output == *'a monitor of "a1" is running'* ]]
	run mc start a2 --root "$T/a1" --lower "$T/mini"
	[ "$status" -ne 0 ]
	[[ $output == *"is in use"* ]]
	mc exec a1 -- true
}

@test "B1 B6 B7: a root with links where mounts go is refused" {
	for where in proc sys dev run; do
		rm -rf "$T/h1"
		cp -a "$T/mini" "$T/h1"
		rm -rf "$T/h1/${where:?}"
		ln -s "$CANARY/d" "$T/h1/$where"
		run mc start h1 --root "$T/h1"
		[ "$status" -ne 0 ]
		[[ $output == *"mount /$where: the root file system has a symbolic link there"* ]]
		retry 20 test ! -e "$T/run/h1"
	done
	[ -z "$(ls -A "$CANARY/d")" ]
	[ "$(cat "$CANARY/f")" = keep ]
}

@test "B3 B4: device nodes of the image count for nothing" {
	rm -rf "$T/h1"
	cp -a "$T/mini" "$T/h1"
	rm -f "$T/h1/dev/null"
	ln -s /proc/sys/kernel/core_pattern "$T/h1/dev/null"
	ln -s "$CANARY/f" "$T/h1/dev/console"
	mkdir -p "$T/h1/dev/pts"
	ln -s "$CANARY/f" "$T/h1/dev/pts/ptmx"
	mc start h1 --root "$T/h1"
	[ "$(mc exec h1 -- stat -c %t:%T /dev/null)" = 1:3 ]
	[ "$(mc exec h1 -- stat -c %t /dev/console)" = 88 ]
	[ "$(cat "$CANARY/f")" = keep ]
}

@test "an init that leads outside is not found there" {
	rm -rf "$T/h1"
	cp -a "$T/mini" "$T/h1"
	printf '#!/bin/sh\ntouch %s/ran\n' "$CANARY" >"$CANARY/init"
	chmod 755 "$CANARY/init"
	ln -sf "../../../../../..$CANARY/init" "$T/h1/sbin/init"
	run mc start h1 --root "$T/h1"
	[ "$status" -ne 0 ]
	[[ $output == *'exec: "/sbin/init"'* ]]
	[ ! -e "$CANARY/ran" ]
}

@test "B12: ownership refuses what the host's root could write" {
	start_mini
	mc exec a1 -- sh -c '
		for file in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches \
			/proc/sys/kernel/modprobe /proc/sys/fs/suid_dumpable /sys/kernel/uevent_helper \
			/sys/power/state /sys/kernel/mm/ksm/run /proc/1/oom_score_adj_; do
			[ -e $file ] || continue
			if (echo 1 >$file) 2>/dev/null; then echo "wrote $file"; fi
		done' >"$T/wrote"
	[ ! -s "$T/wrote" ]
	run mc exec a1 -- sh -c 'cat /proc/kcore | head -c 1 | wc -c; cat /proc/kmsg'
	[[ $output != *"<6>"* ]]
}

@test "nested user namespaces can mount a procfs and a sysfs" {
	start_mini
	mc exec a1 -- unshare -Urmpfn sh -c 'mount -t proc p /mnt && umount /mnt && mount -t sysfs s /mnt'
}

@test "C3 C6: what a command inherits" {
	start_mini
	[ "$(mc exec a1 -- sh -c 'ls /proc/self/fd | wc -l')" -eq 4 ] # 0-2 and the directory itself
	mc exec a1 -- sh -c 'ls -l /proc/1/fd' >"$T/fds"
	run ! grep -v 'total 0\|/dev/pts/0\|/dev/null\|/dev/tty\|socket:\|pipe:' "$T/fds"
	mc exec a1 -- cat /proc/self/status >"$T/status"
	grep -q 'CapInh:.0000000000000000' "$T/status"
	grep -q 'CapAmb:.0000000000000000' "$T/status"
	[ "$(mc exec a1 -- cat /proc/1/oom_score_adj)" = 0 ]
}

@test "C2: the monitor cannot be traced or looked into" {
	start_mini
	monitor=$(sed -n 's/^monitor=//p' "$T/run/a1/status")
	run setpriv --reuid 65534 --regid 65534 --clear-groups ls /proc/"$monitor"/fd
	[ "$status" -ne 0 ]
	ls -l /proc/"$monitor"/fd >"$T/fds"
	run ! grep "$BATS_TEST_DIRNAME" "$T/fds"
}

@test "C10: garbage on the socket closes that connection only" {
	start_mini
	python3 - "$T/run/a1/ctl.sock" <<-'PY'
		import os, random, socket, sys
		random.seed(1)
		for i in range(300):
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    s.connect(sys.argv[1])
		    n = random.choice([1, 7, 8, 9, 64, 4096, 60000, 100000])
		    head = bytes([random.randrange(25), 0, 0, 0, 1, 0, 0, 0])
		    try:
		        socket.send_fds(s, [head + os.urandom(n)], [0] * random.randrange(5))
		        s.send(head)
		    except OSError:
		        pass
		    s.close()
	PY
	mc state a1 | grep -E 'state=(running|stopping|frozen)' ||
		retry 20 test ! -e "$T/run/a1" # a random stop or kill is a valid request
}

@test "failures before the first process leave nothing" {
	run mc start a1 --root "$T/nope"
	[[ $output == *'make-root: open "'*'/nope": No such file'* ]]
	run mc start a1 --root /proc
	[[ $output == *"file system proc cannot be mounted with other ids"* ]]
	run start_mini --nic "eth0,$V0,nosuchbridge,"
	[[ $output == *'attach-nics: nic "eth0"'* ]]
	run start_mini --init /no/such/init
	[[ $output == *'exec: "/no/such/init": No such file'* ]]
	retry 20 test ! -e "$T/run/a1"
	assert_nothing_left a1
	retry 20 no_link "$V0"
}

@test "the console's log is bounded and can be emptied" {
	# an init that says nothing: Alpine's own complains of its terminals each second
	printf '#!/bin/sh\nwhile :; do sleep 1000; done\n' >"$T/a1/upper/idle"
	chmod 755 "$T/a1/upper/idle"
	start_mini --log-max 64KiB --init /idle
	mc exec a1 -- sh -c 'i=0; while [ $i -lt 4000 ]; do echo "line $i of a text that is long enough"; i=$((i+1)); done >/dev/console'
	retry 20 console_has a1 'line 3999'
	[ "$(stat -c %s "$T/log/a1/console.log")" -le 65536 ]
	[ "$(stat -c %s "$T/log/a1/console.log.1")" -le 65536 ]
	[ "$(mc console-log a1 | wc -c)" -le 131072 ]
	mc console-clear a1
	[ "$(stat -c %s "$T/log/a1/console.log")" -eq 0 ]
	[ -z "$(mc console-log a1)" ]
}

@test "starting and stopping many times leaves nothing" {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		start_mini --nic "eth0,$V0,$BR,"
		mc kill a1
		mc wait a1 gone
		retry 20 test ! -e "$T/run/a1"
	done
	assert_nothing_left a1
	retry 20 no_link "$V0"
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# syscalls.bats - system calls that the monitor answers: sysinfo(2) says what the container has
# Busybox asks the kernel for them, and /proc for the rest: LXCFS has to be there.
load lib

setup_file() {
	export ID_BASE=2270000000 LXCFS=auto
	daemon_setup
	s launch alpine/3.20/mini s1 -c limits.memory=128MiB -c limits.processes=200
	s file push "$BUILDDIR/tests/fakes/attack" s1/root/attack
	retry 30 has_lxcfs s1
}

has_lxcfs() {
	[ "$(s exec "$1" -- grep -c lxcfs /proc/self/mountinfo)" -ge 7 ]
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

# inside COMMAND...: in s1
inside() {
	s exec s1 -- "$@"
}

# total_kb [NAME]: what busybox says of the memory
total_kb() {
	s exec "${1:-s1}" -- free | awk '/^Mem:/ { print $2 }'
}

host_kb() {
	awk '/^MemTotal/ { print $2 }' /proc/meminfo
}

# minutes: busybox prints "up 0 min," or "up 3 days, 4:05,"
is_young() {
	inside uptime | grep -E 'up [0-9] min,'
}

# s1_monitor: the oldest in the group is the monitor, the others are LXCFS and who starts it
s1_monitor() {
	monitor_pid s1 | sort -n | head -n 1
}

listeners() {
	ls -l "/proc/$(s1_monitor)/fd" | grep -c 'seccomp notify'
}

@test "memory and uptime are the container's, for commands and for what init starts" {
	[ "$(total_kb)" = 131072 ]
	[ "$(inside free | awk '/^Mem:/ { print ($3 < $2 && $4 < $2 && $6 < $2 && $7 < $2) }')" = 1 ]
	[ "$(host_kb)" -gt 131072 ]
	is_young
	[ "$(cut -d. -f1 /proc/uptime)" -gt 600 ] || skip "kernel: the host itself has just started"
	inside sh -c 'echo "::respawn:/bin/sh -c \"free >/root/from-init; sleep 1000\"" >>/etc/inittab; kill -HUP 1'
	retry 10 inside grep -E '^Mem: +131072 ' /root/from-init
}

@test "a limit that changes is seen at once" {
	s config set s1 limits.memory=96MiB
	[ "$(total_kb)" = 98304 ]
	s config unset s1 limits.memory
	[ "$(total_kb)" = "$(host_kb)" ]
	s config set s1 limits.memory=128MiB
	[ "$(total_kb)" = 131072 ]
}

@test "swap is what the limit leaves" {
	s config set s1 limits.memory.swap=false
	[ "$(inside free | awk '/^Swap:/ { print $2 }')" = 0 ]
	s config unset s1 limits.memory.swap
}

@test "addresses that are none are refused as the kernel refuses them" {
	out=$(inside /root/attack addresses)
	[ "$out" = "null=14 kernel=14 unmapped=14" ]
	inside true
}

@test "many that ask all the time hold up neither each other nor the monitor" {
	inside sh -c '/root/attack ask 8 100000000 >/dev/null 2>&1 &'
	for _ in 1 2 3; do inside true; done
	[ "$(total_kb)" = 131072 ]
	inside killall -9 attack # in the middle of calls
	begin=$SECONDS
	[ -z "$(inside /root/attack ask 8 250)" ]
	[ $((SECONDS - begin)) -ge 3 ] # 500 answers in a second, however fast the monitor is
	s stop --force s1
	s start s1
	retry 30 has_lxcfs s1
	[ "$(total_kb)" = 131072 ]
}

one_listener() {
	[ "$(listeners)" = 1 ]
}

@test "a listener ends with its last process" {
	retry 10 one_listener
	inside sh -c 'until [ -e /tmp/end ]; do sleep 0.1; done >/dev/null 2>&1 &'
	[ "$(listeners)" = 2 ]
	inside touch /tmp/end
	retry 20 one_listener
}

@test "it goes on without sysctrd, and after a reboot" {
	inside sh -c 'while sleep 0.2; do free >/root/loop.new && mv /root/loop.new /root/loop; done >/dev/null 2>&1 &'
	retry 10 inside grep -E '^Mem: +131072 ' /root/loop
	daemon_kill
	sleep 1
	daemon_start
	inside rm /root/loop
	retry 10 inside grep -E '^Mem: +131072 ' /root/loop
	[ "$(total_kb)" = 131072 ]
	old=$(init_pid s1)
	asks_init s1 reboot
	rebooted() { [ "$(init_pid s1)" != "$old" ] && inside true; }
	retry 20 rebooted
	retry 30 has_lxcfs s1
	[ "$(total_kb)" = 131072 ]
	retry 10 inside grep -E '^Mem: +131072' /root/from-init # LXCFS may come later
}

@test "switched off, and with nesting, it is the host's" {
	s config set s1 security.syscalls.intercept.sysinfo=false
	s restart --force s1
	[ "$(total_kb)" = "$(host_kb)" ]
	[ "$(listeners)" = 0 ]
	s config unset s1 security.syscalls.intercept.sysinfo
	s config set s1 security.nesting=true
	s restart --force s1
	[ "$(total_kb)" = "$(host_kb)" ]
	s config unset s1 security.nesting
	fails 1 'security.syscalls.intercept.sysinfo' s config set s1 security.syscalls.intercept.sysinfo=maybe
	s restart --force s1
	retry 30 has_lxcfs s1
	[ "$(total_kb)" = 131072 ]
}

@test "a privileged container has it too" {
	s launch alpine/3.20/mini s2 -c security.privileged=true -c limits.memory=64MiB
	retry 30 has_lxcfs s2
	[ "$(total_kb s2)" = 65536 ]
}

@test "memory whose pages never come holds up who asked, and not the monitor" {
	[ -e /dev/fuse ] || skip "kernel: no FUSE"
	s config device add s2 fuse unix-char source=/dev/fuse path=/dev/myfuse mode=666
	s file push "$BUILDDIR/tests/fakes/attack" s2/root/attack
	s exec s2 -- sh -c 'mkdir /f; /root/attack stall /f >/root/stall 2>&1 &'
	retry 10 s exec s2 -- grep -x 'open=0 map=0' /root/stall
	for _ in 1 2 3; do S_SECONDS=30 s exec s2 -- true; done
	sleep 3 # longer than an answer may take
	[ "$(total_kb s2)" = 65536 ]
	S_SECONDS=60 s delete --force s2
}

@test "a process that waits for itself in FUSE cannot hold up a forced stop" {
	[ -e /dev/fuse ] || skip "kernel: no FUSE"
	s launch alpine/3.20/mini s3
	s config device add s3 fuse unix-char source=/dev/fuse path=/dev/myfuse mode=666
	s file push "$BUILDDIR/tests/fakes/attack" s3/root/attack
	s exec s3 -- sh -c 'mkdir /f; /root/attack hang /f >/root/hang 2>&1 &'
	retry 10 s exec s3 -- grep -x 'open=0 map=0' /root/hang
	S_SECONDS=60 s stop --force s3
	s start s3
	S_SECONDS=60 s delete --force s3
}

# made PATH: "TYPE MAJOR:MINOR OWNER MODE" of a node
made() {
	inside stat -c '%F %t:%T %u:%g %a' "$1"
}

@test "root may make harmless devices where it is told so, and no others" {
	local what="character special file"
	fails 1 "Operation not permitted" inside mknod /root/null c 1 3
	s config set s1 security.syscalls.intercept.mknod=true
	s restart --force s1
	inside sh -c 'umask 027; mknod -m 640 /root/null c 1 3; echo lost >/root/null; [ -z "$(cat /root/null)" ]'
	[ "$(made /root/null)" = "$what 1:3 0:0 640" ]
	inside sh -c 'mkdir -p /srv/root/dev; ln -s /srv/root/dev /srv/link; cd /srv/root && mknod dev/zero c 1 5 && mknod ../link/tty c 5 0'
	[ "$(made /srv/root/dev/zero)" = "$what 1:5 0:0 644" ]
	[ "$(made /srv/root/dev/tty)" = "$what 5:0 0:0 644" ]
	inside sh -c 'cp -a /bin /lib /srv/root/ && chroot /srv/root /bin/mknod /urandom c 1 9'
	[ "$(made /srv/root/urandom)" = "$what 1:9 0:0 644" ]
	fails 1 "File exists" inside mknod /root/null c 1 3
	fails 1 "No such file" inside mknod /nowhere/null c 1 3
	# the kernel's answer for all else
	fails 1 "Operation not permitted" inside mknod /root/mem c 1 1
	fails 1 "Operation not permitted" inside mknod /root/sda b 8 0
	fails 1 "Operation not permitted" s exec s1 --user 65534 -- mknod /tmp/null c 1 3
	fails 1 "Operation not permitted" inside unshare -Ur mknod /tmp/null c 1 3
	inside mkfifo /root/fifo
	# not through a link of /proc
	never inside mknod /proc/1/root/tmp/null c 1 3
	s config unset s1 security.syscalls.intercept.mknod
}

@test "without LXCFS it is the host's, as /proc is, unless it is asked for" {
	sed -i 's/^lxcfs: .*/lxcfs: none/' "$T/sysctrd.yaml"
	grep -x 'lxcfs: none' "$T/sysctrd.yaml"
	daemon_restart
	s restart --force s1
	[ "$(total_kb)" = "$(host_kb)" ]
	s config set s1 security.syscalls.intercept.sysinfo=true
	s restart --force s1
	inside free | grep -E '^Mem: +131072'
}

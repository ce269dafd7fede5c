#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# procview.bats - what a container sees of its limits in /proc and /sys
load lib

setup_file() {
	export ID_BASE=1760000000 LXCFS=auto
	daemon_setup
	s launch alpine/3.20/mini p1 -c limits.memory=128MiB -c limits.cpu=1
	s launch alpine/3.20/mini p2 -c limits.memory=64MiB
	for name in p1 p2; do
		retry 30 sees_limits "$name"
	done
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

total_kb() {
	s exec "$1" -- awk '/^MemTotal/ { print $2 }' /proc/meminfo
}

sees_limits() {
	[ "$(s exec "$1" -- grep -c lxcfs /proc/self/mountinfo)" -ge 7 ]
}

# lxcfs_of NAME: the pid of its LXCFS
lxcfs_of() {
	pgrep -f "lxcfs -f -p $T/run/instances/$1/pid"
}

@test "memory, swap, processors and uptime are the container's" {
	[ "$(total_kb p1)" = 131072 ]
	[ "$(total_kb p2)" = 65536 ]
	s config set p1 limits.memory=96MiB
	[ "$(total_kb p1)" = 98304 ]
	[ "$(s exec p1 -- grep -c ^processor /proc/cpuinfo)" = 1 ]
	[ "$(s exec p1 -- cat /sys/devices/system/cpu/online | wc -w)" = 1 ]
	uptime=$(s exec p1 -- cut -d. -f1 /proc/uptime)
	[ "$uptime" -lt "$(cut -d. -f1 /proc/uptime)" ]
	[ "$uptime" -lt 3600 ]
}

@test "a container cannot write there, and may take it away for itself only" {
	never s exec p1 -- sh -c 'echo 1 >/proc/meminfo'
	never s exec p1 -- mount -o remount,rw,bind /proc/meminfo
	s exec p1 -- umount /proc/stat
	never s exec p1 -- grep -q '/proc/stat .*lxcfs' /proc/self/mountinfo
	s exec p2 -- grep -q '/proc/stat .*lxcfs' /proc/self/mountinfo
}

@test "one LXCFS that dies is replaced; the others' containers notice nothing" {
	other=$(lxcfs_of p2)
	sleep 10 # one that ends sooner is not started again
	# a command that runs meanwhile ends when it ends, not with the new one
	s exec p1 -- sh -c 'touch /tmp/begun; while [ ! -e /tmp/end ]; do sleep 0.1; done' &
	retry 20 s exec p1 -- test -e /tmp/begun
	first=$(lxcfs_of p1)
	kill -9 "$first"
	readable() { s exec p1 -- cat /proc/meminfo; }
	retry 10 readable
	retry 30 sees_limits p1
	[ "$(lxcfs_of p1)" != "$first" ]
	s exec p1 -- touch /tmp/end
	wait $!
	[ "$(total_kb p1)" = 98304 ]
	[ "$(lxcfs_of p2)" = "$other" ]
}

@test "it ends with the container, and comes again with a reboot" {
	local asked=$SECONDS
	uptime_of() { s exec p1 -- cut -d. -f1 /proc/uptime; }
	sleep 1
	[ "$(uptime_of)" -gt $((SECONDS - asked)) ]
	asks_init p1 reboot
	rebooted() { sees_limits p1 && [ "$(uptime_of)" -le $((SECONDS - asked)) ]; }
	retry 30 rebooted
	s stop --force p1
	gone() { never lxcfs_of p1; }
	retry 10 gone
	[ -n "$(lxcfs_of p2)" ]
}

@test "with security.nesting /proc stays the kernel's, so that containers inside have theirs" {
	s config set p1 security.nesting=true
	s start p1
	s exec p1 -- unshare -Urpf --mount-proc true
	[ "$(s exec p1 -- grep -c lxcfs /proc/self/mountinfo)" = 0 ]
}

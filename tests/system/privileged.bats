#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# privileged.bats - security.privileged: it works, it is said everywhere, and what stays closed stays so
load lib

setup_file() {
	export ID_BASE=1730000000
	daemon_setup
	openrc_image
	s launch openrc p1 -c security.privileged=true 2>"$T/launched"
	gcc -static -o "$T/probe64" "$SRCDIR/tests/fakes/sysprobe.c"
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

in_p1() {
	s exec p1 -- "$@"
}

# warning_status NAME: of the warning about it; nothing when there is none
warning_status() {
	s query '/1.0/warnings?recursion=1' | jq -r --arg entity "/1.0/instances/$1" \
		'.[] | select(.type == "Privileged container" and (.entity_url | startswith($entity))) | .status'
}

# is_shielded: ids of its own and not of the host's root
is_shielded() {
	[ "$(in_p1 awk '{ print $1, $3 }' /proc/self/uid_map)" = "0 65536" ]
}

@test "privileged: root is the host's, and everybody is told" {
	[ "$(in_p1 awk '{ print $1, $2, $3 }' /proc/self/uid_map)" = "0 0 4294967295" ]
	[ "$(stat -c %u "/proc/$(init_pid p1)")" = 0 ]
	in_p1 ip link show eth0
	grep -x 'Warning: p1 is privileged: root inside is root on the host, .*' "$T/launched"
	s list --format csv --columns nt | grep -x 'p1,CONTAINER (PRIVILEGED)'
	s info p1 | grep -x 'Privileged: YES, root inside is root on the host'
	[ "$(warning_status p1)" = new ]
	run s restart p1
	[[ $output == *"Warning: p1 is privileged"* ]]
	run s create openrc p2 -c security.privileged=yes -q
	[[ $output == *"Warning: p2 is privileged"* ]]
	[ "$(warning_status p2)" = new ]
	s rename p2 p3
	[ "$(warning_status p2)" = resolved ]
	[ "$(warning_status p3)" = new ]
	s delete p3
	[ "$(warning_status p3)" = resolved ]
}

@test "privileged: B12, what belongs to the host's kernel is masked or read-only" {
	for file in /proc/kcore /proc/keys /proc/timer_list; do
		[ "$(in_p1 sh -c "head -c 1 $file | wc -c")" = 0 ]
	done
	for file in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/vm/swappiness \
		/proc/irq/default_smp_affinity /sys/power/state /sys/kernel/uevent_helper; do
		in_p1 sh -c "test ! -e $file || ! echo 1 2>/dev/null >$file"
	done
	[ -z "$(in_p1 ls /sys/firmware)" ]
	# its own cgroup stays its own
	in_p1 mkdir /sys/fs/cgroup/mine
	in_p1 rmdir /sys/fs/cgroup/mine
}

@test "privileged: G1 G6, calls, capabilities and devices that reach the host are denied" {
	s file push "$T/probe64" p1/root/probe64 --mode 0755
	in_p1 /root/probe64 >"$T/probed"
	never grep -vE ' (1|38)$' "$T/probed" # EPERM, ENOSYS
	[ -s "$T/probed" ]
	# no SYS_MODULE (16), SYS_RAWIO (17), SYS_TIME (25)
	mask=$(in_p1 awk '/CapBnd/ { print $2 }' /proc/1/status)
	[ $((0x$mask & (1 << 16 | 1 << 17 | 1 << 25))) -eq 0 ]
	[ "$(in_p1 awk '/^Seccomp:/ { print $2 }' /proc/1/status)" = 2 ]
	for device in 'b 7 0' 'b 8 0' 'b 254 0' 'c 1 1' 'c 10 237'; do
		in_p1 sh -c "rm -f /root/node; ! mknod /root/node $device 2>/dev/null ||
			! head -c 1 /root/node 2>/dev/null"
	done
}

@test "privileged: to and fro, the files on disk stay whose they were" {
	in_p1 sh -c 'echo text >/root/of1000; chown 1000:1001 /root/of1000'
	root=$(find "$T/state/pools" -path '*/p1/*' -name of1000)
	[ "$(stat -c %u:%g "$root")" = 1000:1001 ]
	changed=$(stat -c %z "$root")
	s stop --force p1
	s config set p1 security.privileged=false
	[ "$(warning_status p1)" = resolved ]
	s start p1 2>"$T/started"
	never grep -q privileged "$T/started"
	is_shielded
	[ "$(in_p1 stat -c %u:%g /root/of1000)" = 1000:1001 ]
	in_p1 sh -c 'echo more >/root/shielded; chown 7:7 /root/shielded'
	s config set p1 security.privileged=true # counts from the next start
	is_shielded
	s restart --force p1
	[ "$(in_p1 awk '{ print $2 }' /proc/self/uid_map)" = 0 ]
	[ "$(in_p1 stat -c %u:%g /root/shielded)" = 7:7 ]
	[ "$(stat -c %z "$root")" = "$changed" ]
}

@test "privileged: files, devices and a profile" {
	echo host >"$T/pushed"
	s file push "$T/pushed" p1/root/pushed --uid 5
	[ "$(in_p1 stat -c %u /root/pushed)" = 5 ]
	mkdir -p "$T/shared"
	s config device add p1 shared disk source="$T/shared" path=/mnt/shared
	in_p1 sh -c 'echo from inside >/mnt/shared/file'
	[ "$(stat -c %u "$T/shared/file")" = 0 ]
	s config device remove p1 shared
	s profile create loud
	s profile set loud security.privileged=true
	run s create openrc p4 -p default -p loud
	[[ $output == *"Warning: p4 is privileged"* ]]
	fails 1 'security.privileged' s config set p4 security.privileged=maybe
	s delete p4
	s profile delete loud
}

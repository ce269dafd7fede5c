#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# limits.bats - limits at creation and live, seen from the host's groups and from inside
# Threats: F6 F8 (docs/threat-tests.md)
load lib

setup_file() {
	export ID_BASE=1890000000
	daemon_setup
	openrc_image
	s launch openrc c1
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

# group CONTROLLER V1-FILE V2-FILE: what the host's group of c1 says
group() {
	cat "$(cgroup_file "${C:-c1}" "$1" "$2" "$3")"
}

group_is() {
	[ "$(group "$1" "$2" "$3")" = "$4" ]
}

has_v1() {
	[ -d "/sys/fs/cgroup/$1/$TAG" ]
}

@test "a safe number of processes without being asked" {
	pids=$(group pids pids.max pids.max)
	[ "$pids" -ge 1000 ]
	[ "$pids" -le 65536 ]
}

# The key, its value, and what controller, v1 file and v2 file then say.
@test "each limit live, and given back" {
	while read -r key value controller v1 v1_value v2 v2_value; do
		before=$(group "$controller" "$v1" "$v2")
		s config set c1 "$key=$value"
		if has_v1 "$controller"; then expected=$v1_value; else expected=$v2_value; fi
		retry 20 group_is "$controller" "$v1" "$v2" "$expected" || {
			echo "$key=$value: $(group "$controller" "$v1" "$v2")"
			return 1
		}
		s config unset c1 "$key"
		# an older kernel takes all CPUs, but not an empty list, for a group with processes
		[ "$key" != limits.cpu ] || has_v1 cpuset || {
			v2=cpuset.cpus.effective
			before=$(cat "/sys/fs/cgroup/$TAG/$v2")
		}
		retry 20 group_is "$controller" "$v1" "$v2" "$before" || {
			echo "$key unset: $(group "$controller" "$v1" "$v2") instead of $before"
			return 1
		}
	done <<-END
		limits.processes 321 pids pids.max 321 pids.max 321
		limits.memory 96MiB memory memory.limit_in_bytes 100663296 memory.max 100663296
		limits.cpu.allowance 25ms/100ms cpu cpu.cfs_quota_us 25000 cpu.max 25000 100000
		limits.cpu.allowance 50% cpu cpu.shares 512 cpu.weight 50
		limits.cpu.priority 4 cpu cpu.shares 460 cpu.weight 45
		limits.cpu 0-0 cpuset cpuset.cpus 0 cpuset.cpus 0
	END
}

@test "limits.memory.enforce=soft and limits.memory.swap" {
	s config set c1 limits.memory=96MiB limits.memory.enforce=soft
	retry 20 group_is memory memory.soft_limit_in_bytes memory.high 100663296
	s config set c1 limits.memory.enforce=hard limits.memory.swap=32MiB
	if [ -e "$(cgroup_file c1 memory memory.memsw.limit_in_bytes memory.swap.max)" ]; then
		if has_v1 memory; then expected=$((128 << 20)); else expected=$((32 << 20)); fi
		retry 20 group_is memory memory.memsw.limit_in_bytes memory.swap.max "$expected"
	fi
	fails 1 'limits.memory.swap="some"' s config set c1 limits.memory.swap=some
	s config unset c1 limits.memory limits.memory.enforce limits.memory.swap
}

@test "limits.cpu: a count and a list, as nproc inside sees them" {
	[ "$(nproc)" -ge 2 ] || skip "kernel: one CPU only"
	s config set c1 limits.cpu=1
	one() { [ "$(s exec c1 -- nproc)" = 1 ]; }
	retry 20 one
	s config set c1 limits.cpu=0-1
	two() { [ "$(s exec c1 -- nproc)" = 2 ]; }
	retry 20 two
	s config unset c1 limits.cpu
}

@test "limits at creation hold from the first process on" {
	s launch openrc c2 -c limits.cpu=1 -c limits.memory=128MiB -c limits.processes=200
	[ "$(s exec c2 -- nproc)" = 1 ]
	[ "$(C=c2 group memory memory.limit_in_bytes memory.max)" = 134217728 ]
	[ "$(C=c2 group pids pids.max pids.max)" = 200 ]
	s restart c2 --force
	[ "$(C=c2 group pids pids.max pids.max)" = 200 ]
	s delete --force c2
}

@test "more memory than allowed is not to be had" {
	s config set c1 limits.memory=48MiB
	run s exec c1 -- sh -c 'head -c 200m /dev/zero | tail | wc -c'
	[[ $output != 209715200 ]]
	is_status c1 Running
	s config unset c1 limits.memory
}

@test "nobody inside raises a limit" {
	s config set c1 limits.processes=200
	s exec c1 -- sh -c 'find /sys/fs/cgroup -name pids.max -o -name memory.max -o -name pids.max |
		while read -r f; do echo max >"$f"; done' 2>/dev/null || true
	s exec c1 -- sh -c 'echo 1 >/sys/fs/cgroup/../pids.max' 2>/dev/null || true
	[ "$(group pids pids.max pids.max)" = 200 ]
	run s exec c1 -- sh -c 'mkdir -p /mnt/p; mount -t cgroup -o pids none /mnt/p && echo max >/mnt/p/pids.max'
	[ "$(group pids pids.max pids.max)" = 200 ]
	s config unset c1 limits.processes
}

@test "F6: a fork bomb stays in its box, and the daemon goes on answering" {
	s config set c1 limits.processes=300
	# one that goes on at its limit: a process whose fork is refused dies, the others try again
	s exec c1 -- sh -c 'b() { while :; do b | b & done; }; b' >/dev/null 2>&1 &
	bomb=$!
	full() { [ "$(cat "$(cgroup_file c1 pids pids.current pids.current)")" -ge 250 ]; }
	retry 20 full
	[ "$(S_SECONDS=20 s list --format csv --columns n)" = c1 ]
	s stop --force c1
	kill $bomb 2>/dev/null || true
	is_status c1 Stopped
	s config unset c1 limits.processes
}

@test "wrong values are told with the key" {
	for pair in limits.cpu=none limits.cpu=9999 limits.memory=-1 limits.processes=x \
		limits.cpu.allowance=lots limits.memory=1XiB limits.cpu=0-x; do
		run s config set c1 "$pair"
		[ "$status" -eq 1 ]
		[[ $output == *"${pair%%=*}"* ]]
	done
}

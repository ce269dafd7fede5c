#!/usr/bin/env bats
# os.bats - cgroups, netlink and the device program against this kernel. Threats: F8 G8. Needs root.

setup_file() {
	srcdir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export SYSCTR_BUILDDIR=${SYSCTR_BUILDDIR:-$srcdir/build}
}

@test "every case of osroot passes, and nothing of it is left" {
	run "$SYSCTR_BUILDDIR/tests/fakes/osroot"
	echo "$output"
	[ "$status" -eq 0 ]
	run sh -c 'ls -d /sys/fs/cgroup/*/osroot-* /sys/fs/cgroup/osroot-* 2>/dev/null'
	[ -z "$output" ]
}

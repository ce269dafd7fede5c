#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# moving.bats - rename and copy of instances; sysctrd killed in each step
load lib

setup_file() {
	export ID_BASE=1650000000
	daemon_setup
	openrc_image
}

teardown_file() {
	daemon_teardown
}

setup() {
	daemon_runs || daemon_start
}

teardown() {
	daemon_check
}

hwaddr() {
	s query "/1.0/instances/$1" | jq -r '.config["volatile.eth0.hwaddr"]'
}

# lease NAME: the IPv4 address that is kept for it
lease() {
	s query "/1.0/networks/$BRIDGE/leases" |
		jq -er --arg name "$1" '.[] | select(.hostname == $name and (.address | contains(":") | not)) | .address'
}

no_operation() {
	[ "$(s query '/1.0/operations' | jq '[.running // [] | .[]] | length')" = 0 ]
}

# dies_after TABLE/STEP COMMAND...: the daemon is killed there; started again when this returns
dies_after() {
	local step=$1
	shift
	daemon_stop
	daemon_start SYSCTRD_TEST_KILL_AFTER="$step"
	S_SECONDS=60 "$@" >/dev/null 2>&1 || true
	retry 30 daemon_is_dead || {
		echo "never came to $step"
		return 1
	}
	daemon_start
	retry 20 no_operation
}

# volumes: the instances' volumes as they lie there
volumes() {
	(cd "$T/state/pools/default/instances" && echo *)
}

no_half_made() {
	[ -z "$(find "$T/state" -path '*/rootfs' -prune -o -path '*/upper' -prune -o -name '.new-*' -print)" ]
}

@test "rename: files, addresses, logs and settings go along; the old name is free" {
	mini r1 -c user.colour=green
	s exec r1 -- sh -c 'echo mine >/root/mark'
	fails 1 "only a stopped one" s rename r1 r2
	s stop --force r1
	before=$(hwaddr r1) address=$(lease r1)
	s create openrc taken
	fails 1 "exists already" s rename r1 taken
	fails 1 "letters, digits and hyphens" s rename r1 ../x
	fails 1 "not found" s rename nobody r2
	s rename r1 r2
	is_gone r1
	[ "$(hwaddr r2)" = "$before" ]
	[ "$(lease r2)" = "$address" ]
	[ -z "$(lease r1)" ]
	[ "$(s config get r2 user.colour)" = green ]
	[ -e "$T/log/r2/console.log" ]
	[ ! -e "$T/log/r1" ]
	s move r2 r1
	s launch openrc r2
	s start r1 --wait ipv4
	[ "$(s exec r1 -- cat /root/mark)" = mine ]
	[ "$(s exec r1 -- hostname)" = r1 ]
	[ "$(address r1)" = "$address" ]
	s delete --force r1 r2 taken
}

@test "rename: sysctrd killed after each step leaves one name with everything under it" {
	s create openrc k1
	mac=$(hwaddr k1)
	for step in claim-name check await-released journal move-volume move-logs record; do
		echo "after rename/$step"
		dies_after "rename/$step" s rename k1 k2
		if exists k2; then s rename k2 k1; fi
		[ "$(s list --format csv --columns n)" = k1 ]
		[ "$(volumes)" = k1 ]
		[ "$(hwaddr k1)" = "$mac" ]
		s create openrc k2
		s delete k2
	done
	s start k1
	s exec k1 -- true
	s delete --force k1
}

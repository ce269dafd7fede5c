#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# edits.bats - configuration that is edited: addresses follow it, and outlive the daemon
load lib

setup_file() {
	export ID_BASE=1830000000
	daemon_setup
	openrc_image
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

leases_of() {
	s network list-leases "$BRIDGE" --format csv | { grep "^$1," || true; }
}

@test "addresses of instances are there after a restart of the daemon" {
	s create openrc kept
	before=$(leases_of kept)
	[ -n "$before" ]
	daemon_stop
	daemon_start
	[ "$(leases_of kept)" = "$before" ]
	s delete kept
	[ -z "$(leases_of kept)" ]
}

@test "a nic that leaves a profile gives its address back" {
	s profile create nics <<<"devices: { extra: { type: nic, network: $BRIDGE } }"
	s create openrc two --profile default --profile nics
	n=$(leases_of two | wc -l)
	s profile edit nics <<<"devices: {}"
	[ "$(leases_of two | wc -l)" -lt "$n" ]
	s delete two
	s profile delete nics
}

@test "a size that the pool cannot enforce is refused, when made and when edited" {
	run s create openrc big -d root,size=1GiB
	[ "$status" -ne 0 ]
	[[ "$output" == *"cannot limit its size"* ]]
	s create openrc small
	run s query -X PATCH -d '{"devices":{"root":{"type":"disk","path":"/","pool":"default","size":"1GiB"}}}' \
		/1.0/instances/small
	[ "$status" -ne 0 ]
	[[ "$output" == *"cannot limit its size"* ]]
	s delete small
}

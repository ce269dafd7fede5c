#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# compat.bats - the unmodified lxc client of LXD on our socket
load lib

setup_file() {
	export ID_BASE=1790000000
	daemon_setup
	clients_setup
	command -v lxc >/dev/null
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

l() {
	timeout 60 lxc "$@" 3>&- 4>&-
}

@test "lxc: image import, list, info, aliases" {
	l image import "$OPENRC" --alias openrc
	l image list --format csv | grep openrc
	l image info openrc | grep -i fingerprint
	l image alias create second "$(l image list --format csv -c F)"
	l image alias list --format csv | grep second
	l image alias delete second
	l image export openrc "$T/exported"
	cmp "$OPENRC" "$T"/exported*
}

@test "lxc: launch, list, info, exec" {
	l launch openrc c1
	l list --format csv -c ns | grep c1,RUNNING
	l list --format json | jq -e '.[0].name == "c1"'
	l info c1 | grep -i 'status: running'
	[ "$(l exec c1 -- hostname)" = c1 ]
	[ "$(echo piped | l exec c1 -- cat)" = piped ]
	[ "$(head -c 500000 /dev/zero | l exec c1 -- wc -c)" = 500000 ]
	fails 9 "" l exec c1 -- sh -c 'exit 9'
	[ "$(l exec c1 --env A=b --cwd /tmp -- sh -c 'echo $A $(pwd)')" = "b /tmp" ]
	prompt() { l console c1 --show-log | grep -a 'login:'; }
	retry 15 prompt
}

@test "lxc: config, profiles" {
	l config set c1 limits.processes=300
	[ "$(l config get c1 limits.processes)" = 300 ]
	l config unset c1 limits.processes
	l config show c1 | grep 'architecture: x86_64'
	l profile list --format csv | grep default
	l profile show default | grep eth0
	l profile create small
	l profile set small limits.memory 64MiB
	[ "$(l profile get small limits.memory)" = 64MiB ]
	l profile add c1 small
	l config show c1 --expanded | grep 'limits.memory: 64MiB'
	l profile remove c1 small
	l profile delete small
}

@test "lxc: pause, restart, stop, start, delete" {
	l pause c1
	l list --format csv -c s | grep FROZEN
	l start c1
	l restart c1 --force
	l stop c1
	l list --format csv -c s | grep STOPPED
	l start c1
	run l delete c1
	[ "$status" -ne 0 ]
	l delete c1 --force
	[ -z "$(l list --format csv)" ]
	l init openrc c2
	l list --format csv -c ns | grep c2,STOPPED
	l delete c2
}

@test "lxc: rename, move, copy, refresh" {
	l launch openrc m1
	l copy m1 m2
	[ "$(l list --format csv -c ns | sort | tr '\n' ' ')" = "m1,RUNNING m2,STOPPED " ]
	l copy m1 m2 --refresh
	l publish m2 --alias published --compression gzip
	l image list --format csv | grep published
	l image delete published
	l rename m2 m3
	l move m3 m4
	l start m4
	[ "$(l exec m4 -- hostname)" = m4 ]
	l delete --force m1 m4
}

@test "lxc: operations, networks, pools, query, wrong names" {
	l operation list --format csv
	l network list --format csv | grep "$BRIDGE"
	l network show "$BRIDGE" | grep ipv4.address
	l storage list --format csv | grep default
	l storage info default
	l query /1.0 | jq -e .api_version
	fails 1 "not found" l info nobody
	run l launch nowhere c3
	[ "$status" -ne 0 ]
}

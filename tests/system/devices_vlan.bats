#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# devices_vlan.bats - nics in VLANs: who hears whom, on bridges of ours and of others, and of a card
load lib

setup_file() {
	export ID_BASE=2350000000
	daemon_setup
	mini n1
	mini n2
	mini n3
	for name in n1 n2 n3; do retry 30 address $name; done
	export CARD=${TAG}c OUT=$TAG-out THEIRS=${TAG}x
	ip netns add "$OUT"
	ip link add "$CARD" type veth peer name out netns "$OUT"
	ip link set "$CARD" up
	ip -n "$OUT" link set out up
	ip link add "$THEIRS" type bridge
	ip link set "$THEIRS" up
}

teardown_file() {
	ip netns delete "$OUT"
	ip link delete "$CARD" 2>/dev/null || true
	ip link delete "$THEIRS" 2>/dev/null || true
	daemon_teardown
}

teardown() {
	daemon_check
}

# needs_vlans INSTANCE: of the kernel; without them that is what is said
needs_vlans() {
	[ -e "/sys/class/net/$BRIDGE/bridge/vlan_filtering" ] || {
		fails 1 'no bridge of a kernel that tells VLANs apart' s config device add "$1" v nic \
			"network=$BRIDGE" name=v0 vlan=10
		never s exec "$1" -- test -e /sys/class/net/v0
		skip "kernel: no VLAN filtering of bridges"
	}
}

# nic INSTANCE NUMBER OPTION=VALUE...: another nic "v0", up, with the address 198.18.90.NUMBER
nic() {
	s config device add "$1" v nic name=v0 "${@:3}"
	s exec "$1" -- sh -c "ip address add 198.18.90.$2/24 dev v0; ip link set v0 up"
}

gone() {
	for name in "$@"; do s config device remove "$name" v; done
}

# pings INSTANCE NUMBER
pings() {
	s exec "$1" -- ping -c 1 -W 1 "198.18.90.$2"
}

@test "vlan: those of one VLAN of a network hear each other and nobody else" {
	needs_vlans n1
	nic n1 1 "network=$BRIDGE" vlan=10
	nic n2 2 "network=$BRIDGE" vlan=10
	nic n3 3 "network=$BRIDGE"
	retry 10 pings n1 2
	never pings n1 3
	never pings n3 2
	[ "$(cat "/sys/class/net/$BRIDGE/bridge/vlan_filtering")" = 1 ]
	# All others are as before.
	retry 10 s exec n3 -- ping -c 1 -W 2 "$(address n1)"
	s config device set n3 v vlan=10
	s exec n3 -- sh -c 'ip address add 198.18.90.3/24 dev v0; ip link set v0 up'
	retry 10 pings n1 3
	s config device set n3 v vlan=none
	s exec n3 -- sh -c 'ip address add 198.18.90.3/24 dev v0; ip link set v0 up'
	never pings n3 1
	gone n1 n2 n3
}

@test "vlan.tagged: a guest that tells them apart itself is in those and no others" {
	needs_vlans n1
	nic n1 1 "network=$BRIDGE" vlan=20
	nic n2 2 "network=$BRIDGE" vlan=40
	s config device add n3 v nic name=v0 "network=$BRIDGE" vlan=none vlan.tagged=10,20-30
	for id in 20 40; do
		nsenter -t "$(init_pid n3)" -n ip link add link v0 name v0.$id type vlan id $id
	done
	s exec n3 -- sh -c 'ip link set v0 up; ip address add 198.18.90.3/24 dev v0.20; ip link set v0.20 up'
	retry 10 pings n3 1
	s exec n3 -- sh -c 'ip address flush dev v0.20; ip address add 198.18.90.3/24 dev v0.40; ip link set v0.40 up'
	never pings n3 2
	# It is there from the start on.
	s restart -f n3
	nsenter -t "$(init_pid n3)" -n ip link add link v0 name v0.20 type vlan id 20
	s exec n3 -- sh -c 'ip link set v0 up; ip address add 198.18.90.3/24 dev v0.20; ip link set v0.20 up'
	retry 10 pings n3 1
	gone n1 n2 n3
}

@test "vlan: a bridge that others manage is not changed" {
	needs_vlans n1
	fails 1 "ip link set $THEIRS type bridge vlan_filtering 1" s config device add n1 v nic \
		name=v0 nictype=bridged "parent=$THEIRS" vlan=10
	never s exec n1 -- test -e /sys/class/net/v0
	[ "$(cat "/sys/class/net/$THEIRS/bridge/vlan_filtering")" = 0 ]
	ip link set "$THEIRS" type bridge vlan_filtering 1
	nic n1 1 nictype=bridged "parent=$THEIRS" vlan=10
	nic n2 2 nictype=bridged "parent=$THEIRS" vlan=11
	never pings n1 2
	s config device set n2 v vlan=10
	s exec n2 -- sh -c 'ip address add 198.18.90.2/24 dev v0; ip link set v0 up'
	retry 10 pings n1 2
	gone n1 n2
}

@test "vlan of a physical parent: the host keeps the card" {
	needs_vlans n1
	ip -n "$OUT" link add link out name out.30 type vlan id 30
	ip -n "$OUT" address add 198.18.90.99/24 dev out.30
	ip -n "$OUT" link set out.30 up
	ip address add 198.18.91.1/24 dev "$CARD"
	nic n1 1 nictype=physical "parent=$CARD" vlan=30
	[ -e "/sys/class/net/$CARD" ]
	retry 10 pings n1 99
	s restart -f n1
	s exec n1 -- sh -c 'ip address add 198.18.90.1/24 dev v0; ip link set v0 up'
	retry 10 pings n1 99
	fails 1 'vlan=none is for ports of a bridge' s config device set n1 v vlan=none
	gone n1
	never s exec n1 -- test -e /sys/class/net/v0
	[ -e "/sys/class/net/$CARD" ]
}

@test "vlan: what cannot be is said" {
	fails 1 'must be a number from 1 to 4094, or none' s config device add n1 v nic "network=$BRIDGE" vlan=4095
	fails 1 'must be numbers from 1 to 4094 and ranges' s config device add n1 v nic "network=$BRIDGE" vlan.tagged=30-20
	fails 1 'vlan.tagged excludes security.mac_filtering' s config device add n1 v nic "network=$BRIDGE" \
		vlan.tagged=10 security.mac_filtering=true
	fails 1 'vlan is not for nictype=p2p' s config device add n1 v nic nictype=p2p vlan=10
	[ "$(field n1 '.devices | has("v")')" = false ]
}

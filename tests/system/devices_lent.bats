#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# devices_lent.bats - nics made of the host's interfaces: macvlan, and the interface itself
load lib

setup_file() {
	export ID_BASE=2210000000
	daemon_setup
	mini n1
	retry 30 address n1
	# What stands for a card: a pair, and another machine at its other end.
	export CARD=${TAG}c OUT=$TAG-out
	ip netns add "$OUT"
	card
}

teardown_file() {
	ip netns delete "$OUT"
	ip link delete "$CARD" 2>/dev/null || true
	daemon_teardown
}

teardown() {
	daemon_check
}

card() {
	ip link delete "$CARD" 2>/dev/null || true
	ip link add "$CARD" address 02:00:00:00:00:0c mtu 1400 type veth peer name out netns "$OUT"
	ip link property add dev "$CARD" altname "${TAG}altname-one" altname "${TAG}two"
	ip link set "$CARD" alias "the card"
	ip link set "$CARD" up
	ip -n "$OUT" address add 198.18.79.1/24 dev out
	ip -n "$OUT" link set out up
}

n1() {
	s exec n1 -- "$@"
}

# nic INSTANCE OPTION=VALUE...: the device "card" of it, with name=card0
nic() {
	s config device add "$1" card nic name=card0 "parent=$CARD" "${@:2}"
}

remove() {
	s config device remove n1 card
}

# card_state: everything that has to be as it was
card_state() {
	ip -j link show dev "$CARD" |
		jq -c '.[0] | {ifindex, ifname, address, mtu, ifalias, altnames: (.altnames | sort), up: (.flags | contains(["UP"])), promisc: (.flags | contains(["PROMISC"]))}'
}

is_back() {
	[ "$(card_state)" = "$before" ]
}

reaches_out() {
	n1 sh -c 'ip address add 198.18.79.2/24 dev card0; ip link set card0 up'
	retry 20 n1 ping -c 1 -W 2 198.18.79.1
}

# spoil: what a guest can do to it
spoil() {
	n1 sh -c 'ip link set card0 down
		ip link set card0 address 02:00:00:00:00:66
		ip link set card0 mtu 1300
		ip link set card0 name mine0
		ip link set mine0 promisc on
		ip link set mine0 up'
	nsenter -t "$(init_pid n1)" -n ip link property add dev mine0 altname "${TAG}evil"
	nsenter -t "$(init_pid n1)" -n ip link property del dev mine0 altname "${TAG}two"
	nsenter -t "$(init_pid n1)" -n ip link set mine0 alias "somebody else's"
}

@test "macvlan: its own address on the parent's wire, hot and cold, in every mode" {
	for mode in bridge private vepa passthru; do
		nic n1 nictype=macvlan "mode=$mode" hwaddr=02:00:00:00:00:77 mtu=1300
		[ "$(n1 cat /sys/class/net/card0/address)" = 02:00:00:00:00:77 ]
		[ "$(n1 cat /sys/class/net/card0/mtu)" = 1300 ]
		nsenter -t "$(init_pid n1)" -n ip -d link show card0 | grep -q "macvlan mode $mode"
		[ "$mode" != bridge ] || reaches_out
		remove
		run ! n1 test -e /sys/class/net/card0
	done
	# With passthru it was the parent's address for as long.
	[ "$(cat "/sys/class/net/$CARD/address")" = 02:00:00:00:00:0c ]
	nic n1 nictype=macvlan
	n1 ip link set card0 name other0
	remove
	run ! n1 test -e /sys/class/net/other0
	nic n1 nictype=macvlan
	s restart -f n1
	reaches_out
	remove
}

@test "physical: it moves in, and comes back as it was when the device is removed" {
	local before
	before=$(card_state)
	nic n1 nictype=physical
	[ ! -e "/sys/class/net/$CARD" ]
	[ "$(n1 cat /sys/class/net/card0/address)" = 02:00:00:00:00:0c ]
	[ "$(n1 cat /sys/class/net/card0/mtu)" = 1400 ]
	reaches_out
	fails 1 "no interface \"$CARD\"" s config device add n1 twice nic nictype=physical "parent=$CARD"
	spoil
	remove
	is_back
	[ "$(n1 ls /sys/class/net | grep -c mine0)" = 0 ]
	# With an address of its own while it is inside.
	nic n1 nictype=physical hwaddr=02:00:00:00:00:78 mtu=1280
	[ "$(n1 cat /sys/class/net/card0/address)" = 02:00:00:00:00:78 ]
	[ "$(n1 cat /sys/class/net/card0/mtu)" = 1280 ]
	remove
	is_back
}

@test "physical: it comes back after a stop, a forced stop and a crash of init, and goes in again" {
	local before pid
	before=$(card_state)
	nic n1 nictype=physical
	spoil
	s stop -f n1
	retry 10 is_back
	s start n1
	n1 test -e /sys/class/net/card0
	pid=$(init_pid n1)
	asks_init n1 reboot
	again() {
		[ "$(init_pid n1)" != "$pid" ] && n1 test -e /sys/class/net/card0
	}
	retry 30 again
	spoil
	kill -9 "$(init_pid n1)"
	retry 20 is_status n1 Stopped
	retry 20 is_back
	s start n1
	n1 test -e /sys/class/net/card0
}

@test "physical: it comes back when the monitor, and the daemon with it, are killed" {
	local before monitor
	s stop -f n1
	before=$(card_state)
	s start n1
	spoil
	kill -9 "$(monitor_pid n1)"
	retry 20 is_status n1 Stopped
	retry 20 is_back
	s start n1
	spoil
	monitor=$(monitor_pid n1)
	daemon_kill
	kill -9 "$monitor"
	# It ran, so it is started again: with the card, which had come back as it was.
	daemon_start
	retry 30 is_status n1 Running
	retry 20 n1 test -e /sys/class/net/card0
	[ "$(n1 cat /sys/class/net/card0/mtu)" = 1400 ]
	# The daemon alone: nothing happens to it.
	daemon_kill
	daemon_start
	n1 test -e /sys/class/net/card0
	remove
	is_back
}

@test "its name is taken meanwhile: it comes back under another, with all else" {
	local name
	nic n1 nictype=physical
	ip link add "$CARD" type veth peer name "${TAG}x"
	remove
	name=$(ip -j link show | jq -er --arg a "${TAG}altname-one" \
		'.[] | select((.altnames // [] | contains([$a])) and .mtu == 1400).ifname')
	ip link delete "$CARD"
	ip link delete "$name"
	card
}

@test "what the host uses is not lent, and nothing changes" {
	local before uplink
	fails 1 "no interface \"${TAG}none\"" s config device add n1 card nic nictype=physical "parent=${TAG}none"
	fails 1 "no interface \"${TAG}none\"" s config device add n1 card nic nictype=macvlan "parent=${TAG}none"
	ip address add 198.18.79.9/24 dev "$CARD"
	fails 1 "has an address" nic n1 nictype=physical
	ip address flush dev "$CARD"
	ip link set "$CARD" master "$BRIDGE"
	fails 1 "is a port" nic n1 nictype=physical
	ip link set "$CARD" nomaster
	ip route add default dev "$CARD" metric 60000
	fails 1 "has the default route" nic n1 nictype=physical
	ip route delete default dev "$CARD" metric 60000
	before=$(card_state)
	fails 1 "must have parent" s config device add n1 card nic nictype=physical
	fails 1 "host_name is not for nictype=macvlan" nic n1 nictype=macvlan host_name=x
	fails 1 "is not for nictype=physical" nic n1 nictype=physical security.mac_filtering=true
	fails 1 "mode is not for nictype=physical" nic n1 nictype=physical mode=bridge
	fails 1 "macvlan" nic n1 nictype=macvlam
	# A name that the guest has already: it stays with the host.
	nsenter -t "$(init_pid n1)" -n ip link add card0 type veth peer name card1
	fails 1 "card0" nic n1 nictype=physical
	is_back
	[ "$(field n1 '.devices | has("card")')" = false ]
}

# routed OPTION=VALUE...: a nic "r0" of n1 with an address of the card's network
routed() {
	s config device add n1 r0 nic nictype=routed name=r0 ipv4.address=198.18.79.50 "$@"
}

# on_the_wire: the host is on it, and forwards
on_the_wire() {
	card
	ip address add 198.18.79.3/24 dev "$CARD"
	ip address add 2001:db8:79::3/64 dev "$CARD" nodad
	ip -n "$OUT" address add 2001:db8:79::1/64 dev out nodad
	sysctl -q -w "net.ipv4.conf.$CARD.forwarding=1" "net.ipv6.conf.$CARD.proxy_ndp=0"
}

proxies() {
	ip neighbour show proxy dev "$CARD" | wc -l
}

no_proxies() {
	[ "$(proxies)" = 0 ]
}

# from_outside ADDRESS: the other machine gets there; nobody listens, which is answered
from_outside() {
	ip netns exec "$OUT" python3 -c 'import errno, socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.settimeout(2)
sys.exit(s.connect_ex((sys.argv[1], 9)) != errno.ECONNREFUSED)' "$1"
}

has_default() {
	n1 ip route | grep '^default via 169.254.0.1 dev r0'
}

@test "routed: its addresses are reached from the parent's network, and reach it" {
	on_the_wire
	fails 1 "net.ipv6.conf.$CARD.proxy_ndp=1" routed "parent=$CARD" ipv6.address=2001:db8:79::50
	[ "$(proxies)" = 0 ]
	never n1 test -e /sys/class/net/r0
	sysctl -q -w "net.ipv6.conf.$CARD.proxy_ndp=1"
	routed "parent=$CARD" ipv6.address=2001:db8:79::50
	[ "$(proxies)" = 2 ]
	n1 ip -4 address show dev r0 | grep -w 198.18.79.50/32
	retry 10 from_outside 198.18.79.50
	retry 10 from_outside 2001:db8:79::50
	retry 10 n1 ping -c 1 -W 2 -I r0 198.18.79.1
	# The other machine knows the host's card alone.
	ip -n "$OUT" neighbour show 198.18.79.50 | grep -i "$(cat "/sys/class/net/$CARD/address")"
	fails 1 'the host has a route to 198.18.79.50 already' s config device add n1 r1 nic \
		nictype=routed name=r1 ipv4.address=198.18.79.50
	retry 10 from_outside 198.18.79.50
	s restart -f n1
	retry 10 from_outside 198.18.79.50
	has_default
	# With its cable pulled nobody gets there; when it is in again everybody does.
	s config device set n1 r0 connected=false
	never from_outside 198.18.79.50
	s config device set n1 r0 connected=true
	retry 10 from_outside 198.18.79.50
	# Its own default route, unless it is not to have one.
	s config device set n1 r0 ipv4.gateway=none
	never has_default
	s config device remove n1 r0
	[ "$(proxies)" = 0 ]
	[ -z "$(ip route show 198.18.79.50)" ]
	never from_outside 198.18.79.50
}

@test "routed: nothing is left of it by a stop, nor by a monitor that is killed" {
	on_the_wire
	routed "parent=$CARD"
	s stop -f n1
	[ "$(proxies)" = 0 ]
	s start n1
	[ "$(proxies)" = 1 ]
	has_default
	kill -9 "$(monitor_pid n1)"
	retry 20 is_status n1 Stopped
	retry 20 no_proxies
	s start n1
	retry 10 from_outside 198.18.79.50
	# Both at once: the next start of the daemon sees to it.
	s config set n1 boot.autostart=false
	daemon_kill
	kill -9 "$(monitor_pid n1)"
	daemon_start
	retry 20 is_status n1 Stopped
	retry 20 no_proxies
	s config unset n1 boot.autostart
	s config device remove n1 r0
	s start n1
	retry 30 address n1
}

@test "routed: what it cannot have is said" {
	fails 1 'must have ipv4.address' s config device add n1 r0 nic nictype=routed
	fails 1 'limits.max is not for nictype=routed' routed limits.max=1Mbit
	fails 1 'parent: the host has no interface "nothing0"' routed parent=nothing0
	fails 1 'ipv4.gateway is for nictype=routed' s config device add n1 r0 nic "network=$BRIDGE" ipv4.gateway=none
	never n1 test -e /sys/class/net/r0
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# devices_filter.bats - what a filtered nic can send, and how much, as another container sees it
load lib

MAC=00:16:3e:00:00:51
IN_ORDER="ip4 arp arp-probe dhcp ip6 ip6-local advert"
FORGED="mac arp-mac advert-mac dhcp-mac ip4-other ip4-zero arp-other dhcp-offer vlan qinq
	ip6-other advert-other router dhcp6-offer"

setup_file() {
	export ID_BASE=2080000000
	daemon_setup
	s init alpine/3.20/mini f1
	mini f2
	plug
	s start f1
	retry 30 address f1
	retry 30 address f2
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

# plug [OPTION=VALUE...]: eth0 of f1 with these options
plug() {
	local options
	options=$(printf '%s\n' "$@" | jq -Rn '[inputs | select(. != "") | capture("(?<key>[^=]*)=(?<value>.*)")] | from_entries')
	s query -X PATCH -d "$(jq -n --argjson o "$options" --arg b "$BRIDGE" --arg m "$MAC" \
		'{devices: {eth0: ({type: "nic", name: "eth0", network: $b, hwaddr: $m} + $o)}}')" \
		/1.0/instances/f1 >/dev/null
}

# lease FAMILY: the address of f1 by the network
lease() {
	s network list-leases "$BRIDGE" --format json |
		jq -er --arg m "$MAC" --arg f "$1" '[.[] | select(.hwaddr == $m).address |
			select((contains(":") and $f == "6") or ((contains(":") | not) and $f == "4"))][0]'
}

# passes KIND...: those of these frames that f2 sees
passes() {
	"$SRCDIR/tests/system/frames.py" "$(init_pid f1)" "$(init_pid f2)" "$MAC" "$(lease 4)" \
		"$(lease 6)" "$@" | xargs
}

ping_from() {
	s exec f1 -- ping -c 1 -W 2 -I "$1" "$(address f2)"
}

filter_rules() {
	nft list table bridge "$TAG-nics"
}

no_filter_rules() {
	! filter_rules
}

@test "H2 H3: without a filter everything passes but what makes it a DHCP server or a router" {
	all=$(passes $IN_ORDER $FORGED)
	echo "$all"
	[ "$all" = "$(xargs <<<"$IN_ORDER $FORGED" | sed 's/ dhcp-offer//; s/ router dhcp6-offer//')" ]
	no_filter_rules
}

@test "mac_filtering: no other MAC address on frames, in ARP, neighbour discovery and DHCP" {
	local index
	index=$(s exec f1 -- cat /sys/class/net/eth0/ifindex)
	plug security.mac_filtering=true
	[ "$(passes $IN_ORDER)" = "$IN_ORDER" ]
	[ "$(passes mac arp-mac advert-mac dhcp-mac ip4-other)" = ip4-other ]
	# It is the same interface as before: a filter needs no exchange.
	[ "$(s exec f1 -- cat /sys/class/net/eth0/ifindex)" = "$index" ]
}

@test "the guest's own tools cannot get round it" {
	retry 10 ping_from "$(lease 4)"
	s exec f1 -- sh -c 'ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:01; ip link set eth0 up'
	never ping_from eth0
	s exec f1 -- sh -c "ip link set eth0 down; ip link set eth0 address $MAC; ip link set eth0 up"
	retry 20 ping_from eth0
}

@test "ipv4_filtering: no other address, no DHCP server, nothing wrapped" {
	plug security.ipv4_filtering=true
	[ "$(passes $IN_ORDER)" = "$IN_ORDER" ]
	[ "$(passes $FORGED)" = "ip6-other advert-other" ]
	s exec f1 -- ip address add 10.66.66.66/32 dev eth0
	never ping_from 10.66.66.66
	retry 10 ping_from "$(lease 4)"
	# DHCP goes on.
	s exec f1 -- udhcpc -q -n -i eth0
}

@test "ipv6_filtering: no other address, no router, no neighbour but itself" {
	plug security.ipv6_filtering=true
	[ "$(passes $IN_ORDER)" = "$IN_ORDER" ]
	[ "$(passes $FORGED)" = "ip4-other ip4-zero arp-other" ]
	plug security.ipv4_filtering=true security.ipv6_filtering=true
	[ "$(passes $IN_ORDER)" = "$IN_ORDER" ]
	[ -z "$(passes $FORGED)" ]
}

@test "rules outlive the daemon, a flush by others, and a restart of the container" {
	nft delete table bridge "$TAG-nics"
	retry 20 filter_rules
	[ -z "$(passes mac ip4-other router)" ]
	daemon_kill
	filter_rules
	daemon_start
	filter_rules
	[ -z "$(passes mac ip4-other router)" ]
	s restart -f f1
	retry 30 address f1
	[ -z "$(passes mac ip4-other router)" ]
}

@test "what nft refuses starts nothing and changes nothing" {
	s stop -f f1
	retry 10 no_filter_rules
	# A table of that name that belongs to another process, as long as that lives.
	mkfifo "$T/owner"
	nft -i <"$T/owner" >/dev/null 3>&- 4>&- &
	exec 5>"$T/owner"
	echo "add table bridge $TAG-nics { flags owner; }" >&5
	retry 10 filter_rules
	fails 1 "filters of network devices" s start f1
	[ "$(status_of f1)" = Stopped ]
	plug
	s start f1
	fails 1 "filters of network devices" plug security.mac_filtering=true
	[ "$(field f1 '.devices.eth0["security.mac_filtering"]')" = null ]
	exec 5>&-
	retry 10 no_filter_rules
	retry 30 address f1
}

# flood FROM TO: how many bytes of 3 MB come
flood() {
	"$SRCDIR/tests/system/frames.py" "$(init_pid "$1")" "$(init_pid "$2")" "$MAC" "$(lease 4)" \
		"$(lease 6)" flood
}

@test "limits.egress and limits.ingress hold on the wire, each its own way, and change live" {
	local open out in index
	plug
	index=$(s exec f1 -- cat /sys/class/net/eth0/ifindex)
	open=$(flood f1 f2)
	[ "$open" -gt 1500000 ]
	plug limits.egress=100kbit
	out=$(flood f1 f2)
	[ $((out * 3)) -lt "$open" ]
	[ $(($(flood f2 f1) * 3)) -gt "$open" ]
	plug limits.ingress=100kbit
	in=$(flood f2 f1)
	[ $((in * 3)) -lt "$open" ]
	[ $(($(flood f1 f2) * 3)) -gt "$open" ]
	plug limits.max=100kbit
	[ $(($(flood f1 f2) * 3)) -lt "$open" ]
	[ $(($(flood f2 f1) * 3)) -lt "$open" ]
	plug
	[ $(($(flood f1 f2) * 3)) -gt "$open" ]
	[ "$(s exec f1 -- cat /sys/class/net/eth0/ifindex)" = "$index" ]
	fails 1 "10Mbit" plug limits.egress=10MB
	fails 1 "is for ports of a bridge" s query -X PATCH -d '{"devices":{"eth1":{"type":"nic","nictype":"p2p","limits.max":"1Mbit"}}}' /1.0/instances/f1
}

@test "options that make no sense are refused, and no rule is left" {
	fails 1 "needs ipv4.address" s query -X PATCH -d "{\"devices\":{\"eth1\":{\"type\":\"nic\",\"nictype\":\"bridged\",\"parent\":\"$BRIDGE\",\"security.ipv4_filtering\":\"true\"}}}" /1.0/instances/f1
	fails 1 "is for ports of a bridge" s query -X PATCH -d '{"devices":{"eth1":{"type":"nic","nictype":"p2p","security.mac_filtering":"true"}}}' /1.0/instances/f1
	plug security.mac_filtering=true
	filter_rules
	plug
	retry 10 no_filter_rules
	[ "$(passes mac)" = mac ]
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# devices_nic.bats - network devices that come and go, and what the wire between containers carries
load lib

setup_file() {
	export ID_BASE=2070000000
	daemon_setup
	mini n1
	mini n2
	retry 30 address n1
	retry 30 address n2
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

n1() {
	s exec n1 -- "$@"
}

# device INSTANCE NAME JSON: adds or replaces one device
device() {
	s query -X PATCH -d "{\"devices\":{\"$2\":$3}}" "/1.0/instances/$1"
}

# own_devices INSTANCE JSON: these instead of those it has itself
own_devices() {
	s query "/1.0/instances/$1" | jq --argjson d "$2" \
		'{config, profiles, description, ephemeral, devices: $d}' >"$T/put.json"
	s query -X PUT --wait -d "$(cat "$T/put.json")" "/1.0/instances/$1" >/dev/null
}

reaches() {
	s exec "$1" -- ping -c 1 -W 2 "$(address "$2")"
}

@test "a nic on the network is added, exchanged and removed while the container runs" {
	device n1 net1 "{\"type\":\"nic\",\"network\":\"$BRIDGE\",\"name\":\"second\",\"mtu\":\"1400\",\"hwaddr\":\"00:16:3e:00:00:77\"}"
	[ "$(n1 cat /sys/class/net/second/mtu)" = 1400 ]
	[ "$(n1 cat /sys/class/net/second/address)" = 00:16:3e:00:00:77 ]
	# A lease is waiting for it.
	n1 sh -c 'ip link set second up; udhcpc -q -n -i second' >/dev/null
	s network list-leases "$BRIDGE" --format csv | grep -q 00:16:3e:00:00:77
	device n1 net1 "{\"type\":\"nic\",\"network\":\"$BRIDGE\",\"name\":\"third\",\"hwaddr\":\"00:16:3e:00:00:77\"}"
	run ! n1 test -e /sys/class/net/second
	n1 test -e /sys/class/net/third
	own_devices n1 '{}'
	run ! n1 test -e /sys/class/net/third
	reaches n1 n2
}

@test "a nic without a name gets the first that is free, and keeps it when others go" {
	for name in net1 net2; do
		device n1 $name '{"type":"nic","nictype":"p2p"}'
	done
	[ "$(n1 sh -c 'cd /sys/class/net && echo eth*')" = 'eth0 eth1 eth2' ]
	[ "$(s config get n1 volatile.net2.name)" = eth2 ]
	before=$(n1 cat /sys/class/net/eth2/ifindex)
	s config device remove n1 net1
	[ "$(n1 sh -c 'cd /sys/class/net && echo eth*')" = 'eth0 eth2' ]
	# One that asks for it has it; the other moves on.
	device n1 net0 '{"type":"nic","nictype":"p2p","name":"eth1"}'
	device n1 net1 '{"type":"nic","nictype":"p2p"}'
	[ "$(n1 sh -c 'cd /sys/class/net && echo eth*')" = 'eth0 eth1 eth2 eth3' ]
	[ "$(n1 cat /sys/class/net/eth2/ifindex)" = "$before" ]
	fails 1 'have the same name "eth1"' s config device set n1 net2 name=eth1
	own_devices n1 '{}'
	[ "$(n1 sh -c 'cd /sys/class/net && echo eth*')" = eth0 ]
}

@test "attached and connected: out of its slot, and its cable pulled" {
	device n1 net1 "{\"type\":\"nic\",\"network\":\"$BRIDGE\",\"queue.tx.length\":\"77\"}"
	[ "$(n1 cat /sys/class/net/eth1/tx_queue_len)" = 77 ]
	n1 sh -c 'ip link set eth1 up; udhcpc -q -n -i eth1' >/dev/null
	before=$(n1 cat /sys/class/net/eth1/ifindex) ip=$(n1 ip -4 -o address show dev eth1)
	s config device set n1 net1 connected=false
	[ "$(n1 cat /sys/class/net/eth1/carrier)" = 0 ]
	[ "$(n1 cat /sys/class/net/eth1/ifindex)" = "$before" ]
	s config device set n1 net1 connected=true
	[ "$(n1 cat /sys/class/net/eth1/carrier)" = 1 ]
	[ "$(n1 ip -4 -o address show dev eth1)" = "$ip" ]
	s config device set n1 net1 attached=false
	never n1 test -e /sys/class/net/eth1
	mac=$(s config get n1 volatile.net1.hwaddr)
	# From the start on, too; and it comes back as it was.
	s config device set n1 net1 connected=false
	s restart -f n1
	never n1 test -e /sys/class/net/eth1
	s config device unset n1 net1 attached
	[ "$(n1 cat /sys/class/net/eth1/address)" = "$mac" ]
	n1 ip link set eth1 up
	[ "$(n1 cat /sys/class/net/eth1/carrier)" = 0 ]
	s restart -f n1
	n1 ip link set eth1 up
	[ "$(n1 cat /sys/class/net/eth1/carrier)" = 0 ]
	own_devices n1 '{}'
	retry 30 address n1
}

@test "p2p is a pair with a name of one's own choice, which nobody else loses" {
	device n1 pair "{\"type\":\"nic\",\"nictype\":\"p2p\",\"name\":\"p0\",\"host_name\":\"${TAG}p\",\"mtu\":\"1300\"}"
	[ "$(cat "/sys/class/net/${TAG}p/mtu")" = 1300 ]
	[ ! -e "/sys/class/net/${TAG}p/master" ]
	ip address add 198.18.77.1/24 dev "${TAG}p"
	n1 sh -c 'ip address add 198.18.77.2/24 dev p0; ip link set p0 up'
	retry 10 n1 ping -c 1 -W 2 198.18.77.1
	# The other one may not take that name, and is not plugged in at all.
	fails 1 "host_name=${TAG}p" device n2 pair "{\"type\":\"nic\",\"nictype\":\"p2p\",\"name\":\"p0\",\"host_name\":\"${TAG}p\"}"
	n1 ping -c 2 -W 2 198.18.77.1
	run ! s exec n2 -- test -e /sys/class/net/p0
	own_devices n1 '{}'
	[ ! -e "/sys/class/net/${TAG}p" ]
}

# host_route SUBNET: over which interface, "" for none
host_route() {
	ip -j route show "$1" | jq -r '.[0].dev // ""'
}

no_host_route() {
	[ -z "$(host_route "$1")" ]
}

@test "routes: subnets behind a nic, and gone with it however that goes" {
	s config device override n1 eth0 ipv4.routes=198.18.80.0/28,198.18.80.32/28
	[ "$(host_route 198.18.80.0/28)" = "$BRIDGE" ]
	[ "$(host_route 198.18.80.32/28)" = "$BRIDGE" ]
	s restart -f n1
	retry 30 address n1
	n1 ip address add 198.18.80.1/28 dev eth0
	retry 10 s exec n2 -- ping -c 1 -W 2 198.18.80.1 # through the host
	device n2 p "{\"type\":\"nic\",\"nictype\":\"p2p\",\"name\":\"p0\",\"host_name\":\"${TAG}p\",\"ipv4.routes\":\"198.18.81.0/28\"}"
	[ "$(host_route 198.18.81.0/28)" = "${TAG}p" ]
	fails 1 'the host has a route to 198.18.80.0/28 already' \
		s config device set n2 p ipv4.routes=198.18.81.0/28,198.18.80.0/28
	[ "$(host_route 198.18.81.0/28)" = "${TAG}p" ]
	[ "$(host_route 198.18.80.0/28)" = "$BRIDGE" ]
	fails 1 'must be subnets like 10.1.2.0/24' s config device set n2 p ipv4.routes=198.18.81.1/28
	own_devices n2 '{}'
	s config device set n1 eth0 ipv4.routes=198.18.80.32/28
	[ -z "$(host_route 198.18.80.0/28)" ]
	[ "$(host_route 198.18.80.32/28)" = "$BRIDGE" ]
	s stop -f n1
	[ -z "$(host_route 198.18.80.32/28)" ]
	s start n1
	[ "$(host_route 198.18.80.32/28)" = "$BRIDGE" ]
	kill -9 "$(monitor_pid n1)"
	retry 20 is_status n1 Stopped
	retry 20 no_host_route 198.18.80.32/28
	own_devices n1 '{}'
	s start n1
	retry 30 address n1
}

@test "isolated ports reach the network, but not each other" {
	reaches n1 n2
	for name in n1 n2; do
		device $name eth0 "{\"type\":\"nic\",\"network\":\"$BRIDGE\",\"name\":\"eth0\",\"security.port_isolation\":\"true\"}"
		s restart -f $name
		retry 30 address $name
	done
	run ! reaches n1 n2
	retry 10 n1 ping -c 1 -W 2 "$(n1 ip route | awk '/default/ { print $3 }')"
	own_devices n2 '{}'
	s restart -f n2
	retry 30 address n2
	retry 10 reaches n1 n2
}

@test "lxc config device, as it is" {
	export LXD_SOCKET=$SYSCTR_SOCKET LXD_CONF=$T/lxc HOME=$T
	mkdir -p "$T/src"
	echo hello >"$T/src/file"
	chmod 755 "$T" "$T/src"
	lxc config device add n1 data disk source="$T/src" path=/data
	[ "$(n1 cat /data/file)" = hello ]
	lxc config device set n1 data readonly=true
	n1 grep ' /data ro' /proc/self/mountinfo
	[ "$(lxc config device get n1 data readonly)" = true ]
	lxc config device list n1 | grep -qx data
	run lxc config device add n1 bad disk source="$T/none" path=/bad
	[ "$status" -ne 0 ]
	[[ $output == *"does not exist"* ]]
	lxc config device remove n1 data
	run ! n1 grep ' /data ' /proc/self/mountinfo
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# devices_nat.bats - ports of the host that the kernel gives to an instance (proxy with nat=true)
load lib

setup_file() {
	export ID_BASE=2190000000
	daemon_setup
	mini n1
	mini n2
	retry 30 address n1
	retry 30 address n2
	# Nobody else's, and below those that the kernel gives out.
	export PORT=$((10000 + (BASHPID % 1000) * 10))
	# Another machine, as far as the host can tell.
	export OUT=$TAG-out NET=$((BASHPID % 250))
	ip netns add "$OUT"
	ip link add "${TAG}o" type veth peer name eth0 netns "$OUT"
	ip address add "198.19.$NET.1/24" dev "${TAG}o"
	ip address add "fd18:$NET::1/64" dev "${TAG}o" nodad
	ip link set "${TAG}o" up
	ip -n "$OUT" address add "198.19.$NET.2/24" dev eth0
	ip -n "$OUT" address add "fd18:$NET::2/64" dev eth0 nodad
	ip -n "$OUT" link set eth0 up
	serve
}

teardown_file() {
	server_gone
	ip netns delete "$OUT"
	ip link delete "${TAG}o" 2>/dev/null || true
	daemon_teardown
}

teardown() {
	daemon_check
}

# serve: an echo on the addresses of n1
serve() {
	nsenter -t "$(init_pid n1)" -n python3 "$SRCDIR/tests/fakes/echo.py" serve tcp:0.0.0.0:8080 \
		tcp:0.0.0.0:8081 "tcp:[::]:8090" udp:0.0.0.0:8080 "udp:[::]:8090" \
		>/dev/null 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$T/server"
	disown
	retry 60 asks host "tcp:$(address n1):8080"
}

server_gone() {
	[ ! -e "$T/server" ] || kill "$(cat "$T/server")" || true
	rm -f "$T/server"
}

address6() {
	s query /1.0/instances/n1/state |
		jq -er '.network.eth0.addresses[] | select(.family == "inet6" and .scope == "global") | .address'
}

# routes6 NAME: a router has told it the way, and its address is its own
routes6() {
	local in=(nsenter -t "$(init_pid "$1")" -n ip -6)
	"${in[@]}" route show default | grep . && "${in[@]}" address show scope global -tentative | grep inet6
}

# asks WHO ADDRESS: whether the echo answers; WHO is host, out or a container
asks() {
	local -a in=()
	case $1 in
	host) ;;
	out) in=(ip netns exec "$OUT") ;;
	*) in=(nsenter -t "$(init_pid "$1")" -n) ;;
	esac
	echo "$1 asks $2"
	[ "$(timeout 10 "${in[@]}" python3 "$SRCDIR/tests/fakes/echo.py" ask "$2" <<<"hello $2")" = "hello $2" ]
}

# nat INSTANCE NAME LISTEN CONNECT [KEY=VALUE...]
nat() {
	local json pair
	json=$(jq -n --arg l "$3" --arg c "$4" '{type: "proxy", nat: "true", listen: $l, connect: $c}')
	for pair in "${@:5}"; do
		json=$(jq --arg k "${pair%%=*}" --arg v "${pair#*=}" '.[$k] = $v' <<<"$json")
	done
	s query -X PATCH -d "{\"devices\":{\"$2\":$json}}" "/1.0/instances/$1" >/dev/null
}

remove() {
	s config device remove "$1" "$2"
}

rules() {
	nft list table inet "$TAG-nat"
}

no_rules() {
	! rules
}

no_rule() {
	! grep -q "$1" <(rules)
}

@test "tcp and udp from outside, the host and a neighbour; no process carries it" {
	nat n1 web "tcp:0.0.0.0:$PORT-$((PORT + 1))" tcp:0.0.0.0:8080-8081
	nat n1 udp "udp:198.19.$NET.1:$PORT" "udp:$(address n1):8080"
	for who in out host n2; do
		asks "$who" "tcp:198.19.$NET.1:$PORT"
		asks "$who" "tcp:198.19.$NET.1:$((PORT + 1))"
	done
	asks out "udp:198.19.$NET.1:$PORT"
	asks host "udp:198.19.$NET.1:$PORT"
	asks n2 "udp:198.19.$NET.1:$PORT"
	# One rule for the range, and nobody in between.
	[ "$(nft list chain inet "$TAG-nat" prerouting | grep -c 'tcp dport')" -eq 1 ]
	for pid in $(pgrep -x sysctr-proxy); do
		never grep -q "$TAG/" "/proc/$pid/cgroup"
	done
}

@test "the container sees who connects" {
	local pid
	ip netns exec "$OUT" python3 -c "
import socket, time
s = socket.create_connection(('198.19.$NET.1', $PORT))
time.sleep(120)" 3>&- 4>&- &
	pid=$!
	seen() {
		s exec n1 -- netstat -tn | grep "198.19.$NET.2:"
	}
	retry 30 seen
	kill $pid
}

@test "IPv6, and another port inside" {
	nat n1 six "tcp:[::]:$((PORT + 2))" "tcp:[::]:8090"
	retry 20 address6
	retry 30 routes6 n1
	retry 30 routes6 n2
	nat n1 udp6 "udp:[fd18:$NET::1]:$((PORT + 2))" "udp:[$(address6)]:8090"
	for who in out host n2; do
		asks "$who" "tcp:[fd18:$NET::1]:$((PORT + 2))"
	done
	asks out "udp:[fd18:$NET::1]:$((PORT + 2))"
	remove n1 six
	remove n1 udp6
	never asks out "tcp:[fd18:$NET::1]:$((PORT + 2))"
}

@test "exchanged while it runs; a process instead, and back" {
	s config device set n1 web "listen=tcp:0.0.0.0:$((PORT + 3))" connect=tcp:0.0.0.0:8081
	asks out "tcp:198.19.$NET.1:$((PORT + 3))"
	never asks out "tcp:198.19.$NET.1:$PORT"
	s config device set n1 web nat=false
	asks out "tcp:198.19.$NET.1:$((PORT + 3))"
	retry 10 no_rule "dport $((PORT + 3))" # nft goes on after the answer
	s config device set n1 web nat=true
	grep -q "dport $((PORT + 3))" <(rules)
	asks out "tcp:198.19.$NET.1:$((PORT + 3))"
}

@test "rules outlive the daemon and a flush by others, and go with the container" {
	nft delete table inet "$TAG-nat"
	retry 20 rules
	asks out "tcp:198.19.$NET.1:$((PORT + 3))"
	daemon_kill
	asks out "tcp:198.19.$NET.1:$((PORT + 3))"
	nft delete table inet "$TAG-nat"
	daemon_start
	retry 20 rules
	asks out "tcp:198.19.$NET.1:$((PORT + 3))"
	server_gone
	s stop -f n1
	retry 10 no_rules
	s start n1
	retry 30 address n1
	serve
	asks out "tcp:198.19.$NET.1:$((PORT + 3))"
}

@test "what cannot be is said with the device and the key, and nothing changes" {
	local other
	other=$(address n2)
	while IFS='|' read -r listen connect text; do
		fails 1 "$text" nat n1 bad "$listen" "$connect"
	done <<-END
		tcp:127.0.0.1:80|tcp:0.0.0.0:80|loopback
		tcp:0.0.0.0:80|tcp:127.0.0.1:80|loopback
		tcp:[::]:80|tcp:0.0.0.0:80|use two devices
		unix:/run/x|tcp:0.0.0.0:80|tcp to tcp
		tcp:0.0.0.0:80|tcp:$other:80|device "bad": connect=tcp:$other:80
		tcp:198.19.$NET.1:$((PORT + 3))|tcp:0.0.0.0:80|port $((PORT + 3)) is device "bad"'s
	END
	fails 1 "proxy_protocol" nat n1 bad tcp:0.0.0.0:80 tcp:0.0.0.0:80 proxy_protocol=true
	fails 1 "bind=instance" nat n1 bad tcp:0.0.0.0:80 tcp:0.0.0.0:80 bind=instance
	fails 1 "port $((PORT + 3)) is instance \"n1\"'s already" \
		nat n2 bad "tcp:0.0.0.0:$((PORT + 3))" tcp:0.0.0.0:80
	[ "$(field n2 '.devices | has("bad")')" = false ]
	# The same for one that is to start.
	s stop -f n2
	nat n2 late "tcp:0.0.0.0:$((PORT + 3))" tcp:0.0.0.0:80
	fails 1 "port $((PORT + 3)) is instance \"n1\"'s already" s start n2
	remove n1 web
	remove n1 udp
	s start n2
	grep -q "dport $((PORT + 3))" <(rules)
	remove n2 late
	retry 10 no_rules
}

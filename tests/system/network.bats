#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# network.bats - managed networks on a host of their own (a network namespace), with real clients
# Threats: E6 H2 H3 H5 (docs/threats.md). Needs root, dnsmasq, nft and an Alpine root file system;
# drives the network manager through tests/fakes/netctl, without a daemon.

NET=ntbr0

setup_file() {
	srcdir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export SYSCTR_BUILDDIR=${SYSCTR_BUILDDIR:-$srcdir/build}
	export NETCTL=$SYSCTR_BUILDDIR/tests/fakes/netctl
	export ALPINE=${ALPINE:-$srcdir/../shared/data/alpine}
	export T=$BATS_FILE_TMPDIR NS=ntest$$ C1=ntestc1$$ C2=ntestc2$$
	# dnsmasq reads its files as its own user.
	for dir in "$T" "$(dirname "$T")" "$(dirname "$(dirname "$T")")"; do chmod a+x "$dir"; done
	mkdir -p "$T/root" "$T/log"
	tar xzf "$ALPINE"/alpine-minirootfs-*.tar.gz -C "$T/root"
	mknod -m 666 "$T/root/dev/null" c 1 3 2>/dev/null || true
	ip netns add "$NS"
	ip netns add "$C1"
	ip netns add "$C2"
	ip -n "$NS" link set lo up
	start_manager a nt
	ask a create $NET
	attach "$C1" ntv1 00:16:3e:01:02:03
	attach "$C2" ntv2 00:16:3e:09:09:09
	ask a instance web1
	ID=$(sed -n 's/^id=//p' <<<"$answer")
	export ID
	ask a assign "$ID" web1 eth0 $NET 00:16:3e:01:02:03
	# The second client asks for names, and so needs an address in every test.
	wait_for 10 dhcp "$C2"
}

teardown_file() {
	local pid
	for pid in $(cat "$T"/*.pid) $(pgrep -f "conf-file=$T/"); do kill -9 "$pid" 2>/dev/null || true; done
	for ns in "$NS" "$C1" "$C2"; do ip netns del "$ns"; done
}

setup() {
	exec 7>>"$T/a.in"
}

in_ns() {
	ip netns exec "$NS" "$@"
}

# in_client NS COMMAND...: in the client's network, with Alpine's programs
in_client() {
	local ns=$1
	shift
	ip netns exec "$ns" chroot "$T/root" "$@"
}

# start_manager NAME TAG: a network manager that reads $T/NAME.in and writes $T/NAME.out
start_manager() {
	mkdir -p "$T/$1/run" "$T/$1/state"
	[ -p "$T/$1.in" ] || mkfifo "$T/$1.in"
	: >"$T/$1.out"
	# The sleeper keeps the fifo open for writing.
	sleep 600 >"$T/$1.in" 3>&- 4>&- &
	echo $! >"$T/$1.sleep.pid"
	# exec: the pid is to be that of the manager.
	(exec ip netns exec "$NS" "$NETCTL" "$2" "$T/$1/run" "$T/$1/state" "$T/$1/db") \
		<"$T/$1.in" >>"$T/$1.out" 2>&1 3>&- 4>&- &
	echo $! >"$T/$1.pid"
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	local end=$((SECONDS + $1 * ${SYSCTR_SLOW:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -le $end ] || { echo "never: $*"; return 1; }
		sleep 0.05
	done
}

answered() {
	tail -n +$(($2 + 1)) "$T/$1.out" | grep -qE '^(ok$|error: )'
}

# ask NAME COMMAND...: its lines into $answer; fails on "error:"
ask() {
	local name=$1 before
	shift
	before=$(wc -l <"$T/$name.out")
	echo "$*" >"$T/$name.in"
	wait_for 20 answered "$name" "$before"
	answer=$(tail -n +$((before + 1)) "$T/$name.out")
	! grep '^error: ' <<<"$answer"
}

refused() {
	! ask "$@"
}

# said NAME PATTERN: it printed such a line at any time
said() {
	grep -qE "$2" "$T/$1.out"
}

attach() {
	ip -n "$NS" link add "$2" type veth peer name eth0 address "$3" netns "$1"
	ip -n "$NS" link set "$2" master $NET up
	ip -n "$1" link set eth0 up
}

gateway() {
	ip -n "$NS" -4 -o address show dev $NET | sed -n 's/.*inet \([0-9.]*\).*/\1/p'
}

dnsmasq_pid() {
	pgrep -f "conf-file=$T/a/run/networks/$NET/"
}

dnsmasq_is_new() {
	local pid
	pid=$(dnsmasq_pid) && [ "$pid" != "$1" ]
}

resolves() {
	in_client "$C2" nslookup "$1" "$(gateway)"
}

does_not_resolve() {
	! resolves "$1"
}

dhcp() {
	in_client "$1" udhcpc -i eth0 -n -q -f -t 10 -T 1 "${@:2}"
}

has_nat() {
	in_ns nft list table inet "${1:-nt}" | grep -q masquerade
}

@test "a new network has bridge, addresses, rules and dnsmasq" {
	ask a state $NET
	grep -qE '^address 10\.[0-9.]+\.1/24' <<<"$answer"
	grep -qE '^address fd[0-9a-f:]+::1/64' <<<"$answer"
	grep -q '^hwaddr=00:16:3e:.* mtu=1500 up=1 bridge=1' <<<"$answer"
	wait_for 20 has_nat
	wait_for 20 dnsmasq_pid
	[ "$(in_ns cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	[ "$(in_ns cat /proc/sys/net/ipv6/conf/all/forwarding)" = 1 ]
	[ "$(in_ns cat /proc/sys/net/ipv6/conf/$NET/accept_ra)" = 0 ]
	is_dnsmasq() { [ "$(ps -o user= -p "$(dnsmasq_pid)")" = dnsmasq ]; }
	wait_for 20 is_dnsmasq
}

@test "an address is known before the instance runs, and stays" {
	ask a assign "$ID" web1 eth0 $NET 00:16:3e:01:02:03
	first=$answer
	grep -qE '^ipv4=10\..*/24 ipv6=fd.*:216:3eff:fe01:203/64' <<<"$answer"
	ask a assign "$ID" web1 eth0 $NET 00:16:3e:01:02:03
	[ "$answer" = "$first" ]
	ask a instance other
	other=$(sed -n 's/^id=//p' <<<"$answer")
	ip4=$(sed -n 's/^ipv4=\([0-9.]*\).*/\1/p' <<<"$first")
	refused a assign "$other" other eth0 $NET 00:16:3e:00:00:01 ipv4.address="$ip4"
	grep -q 'belongs to instance "web1"' <<<"$answer"
	refused a assign "$other" other eth0 $NET 00:16:3e:01:02:03
	refused a assign "$other" other eth0 $NET 00:16:3e:00:00:01 ipv4.address=192.0.2.1
	refused a assign "$other" other eth0 $NET 00:16:3e:00:00:01 ipv4.address="$(gateway)"
	refused a assign "$other" "a,b" eth0 $NET 00:16:3e:00:00:01
	refused a assign "$other" other eth0 nowhere 00:16:3e:00:00:01
}

@test "the instance gets its address by DHCP at once, others one from the end of the pool" {
	wait_for 20 dnsmasq_pid
	dhcp "$C1"
	ask a assign "$ID" web1 eth0 $NET 00:16:3e:01:02:03
	ip4=$(sed -n 's/^ipv4=\([0-9.]*\).*/\1/p' <<<"$answer")
	ip -n "$C1" -4 address show dev eth0 | grep -q "inet $ip4/24"
	ip -n "$C1" route | grep -q "^default via $(gateway)"
	dhcp "$C2" -x hostname:evil
	last=$(ip -n "$C2" -4 -o address show dev eth0 | sed -n 's/.*inet [0-9]*\.[0-9]*\.[0-9]*\.\([0-9]*\).*/\1/p')
	[ "$last" -ge 192 ]
	ask a leases $NET
	grep -qE "^lease web1 00:16:3e:01:02:03 $ip4 static" <<<"$answer"
	grep -qE "^lease - 00:16:3e:09:09:09 10\..*\.$last dynamic" <<<"$answer"
}

@test "the instance makes its IPv6 address of the router's advertisement" {
	ask a assign "$ID" web1 eth0 $NET 00:16:3e:01:02:03
	ip6=$(sed -n 's/.* ipv6=\([0-9a-f:]*\).*/\1/p' <<<"$answer")
	has_ip6() { ip -n "$C1" -6 address show dev eth0 | grep -q "inet6 $ip6/64"; }
	wait_for 20 has_ip6
}

@test "names: of instances, short and long, both families, after a rename; of nobody else" {
	run resolves web1.sysctr
	grep -q 'Address: 10\.' <<<"$output"
	grep -q 'Address: fd' <<<"$output"
	resolves web1
	does_not_resolve evil.sysctr
	ask a rename-instance "$ID" web9
	wait_for 20 resolves web9.sysctr
	wait_for 20 does_not_resolve web1.sysctr
	ask a rename-instance "$ID" web1
	wait_for 20 resolves web1.sysctr
	ask a instance db1
	db=$(sed -n 's/^id=//p' <<<"$answer")
	ask a assign "$db" db1 eth0 $NET 00:16:3e:00:00:02
	wait_for 20 resolves db1.sysctr
	ask a release "$db"
	wait_for 20 does_not_resolve db1.sysctr
}

@test "rules come back after nft flush ruleset, and after less" {
	wait_for 20 has_nat
	in_ns nft flush ruleset
	wait_for 20 has_nat
	in_ns nft flush table inet nt
	wait_for 20 has_nat
	in_ns nft delete table inet nt
	wait_for 20 has_nat
}

@test "a foreign chain that drops is named, left alone, and forgotten when it is gone" {
	in_ns nft add table ip docker-like
	in_ns nft add chain ip docker-like FORWARD '{ type filter hook forward priority 0; policy drop; }'
	wait_for 20 said a "^warning $NET network-foreign-drop chain \"FORWARD\" of table ip \"docker-like\""
	in_ns nft list chain ip docker-like FORWARD | grep -q 'policy drop'
	in_ns nft delete table ip docker-like
	wait_for 20 said a "^warning $NET network-foreign-drop \(over\)"
}

@test "dnsmasq that is killed comes back at once" {
	pid=$(dnsmasq_pid)
	kill -9 "$pid"
	wait_for 5 dnsmasq_is_new "$pid"
	wait_for 20 resolves web1.sysctr
}

@test "dnsmasq outlives the daemon and is adopted; rows are read again" {
	pid=$(dnsmasq_pid)
	ask a assign "$ID" web1 eth0 $NET 00:16:3e:01:02:03
	before=$(grep '^ipv4=' <<<"$answer")
	kill -9 "$(cat "$T/a.pid")" "$(cat "$T/a.sleep.pid")"
	resolves web1.sysctr
	# A network that was forgotten but not taken down, and one of somebody else.
	in_ns ip link add ntstray type bridge
	in_ns ip link set ntstray alias "managed by sysctrd nt"
	in_ns ip link add ntother type bridge
	in_ns ip link set ntother alias "managed by sysctrd nt2"
	start_manager a nt
	ask a assign "$ID" web1 eth0 $NET 00:16:3e:01:02:03
	grep -qF "$before" <<<"$answer"
	no_stray() { ! in_ns ip link show ntstray; }
	wait_for 20 no_stray
	in_ns ip link del ntother
	[ "$(dnsmasq_pid)" = "$pid" ]
	kill -9 "$pid"
	wait_for 20 dnsmasq_is_new "$pid"
}

@test "a changed configuration is applied" {
	pid=$(dnsmasq_pid)
	ask a show $NET
	v4=$(sed -n 's/^ipv4.address=//p' <<<"$answer")
	v6=$(sed -n 's/^ipv6.address=//p' <<<"$answer")
	ask a update $NET ipv4.address="$v4" ipv6.address="$v6" ipv4.nat=false dns.domain=lab.example
	wait_for 20 dnsmasq_is_new "$pid"
	wait_for 20 resolves web1.lab.example
	no_nat4() { ! in_ns nft list table inet nt | grep -q 'ip saddr'; }
	wait_for 20 no_nat4
	refused a update $NET ipv4.address=192.168.77.1/24 ipv6.address="$v6"
	grep -q 'instance "web1" has address' <<<"$answer"
	refused a update $NET ipv4.address=nonsense
	ask a update $NET ipv4.address="$v4" ipv6.address="$v6" ipv4.nat=true
	wait_for 20 resolves web1.sysctr
}

@test "port 53 held by somebody: DHCP works, the warning names who" {
	pid=$(dnsmasq_pid)
	kill -STOP "$(cat "$T/a.pid")"
	kill -9 "$pid"
	holds_53() { in_ns ss -Hltnp 'sport = 53' | grep "\"$1\""; }
	no_dnsmasq_holds_53() { ! holds_53 dnsmasq; }
	wait_for 20 no_dnsmasq_holds_53
	in_ns chroot "$T/root" nc -l -p 53 >/dev/null 3>&- 4>&- &
	holder=$!
	wait_for 20 holds_53 nc
	kill -CONT "$(cat "$T/a.pid")"
	wait_for 20 said a "^warning $NET network-dns-port-in-use port 53 is held by nc \(pid"
	wait_for 20 dnsmasq_is_new "$pid"
	dhcp "$C1"
	kill -9 $holder "$(in_ns ss -Hltnp 'sport = 53' | sed -n 's/.*pid=\([0-9]*\).*/\1/p')" || true
	wait_for 45 said a "^warning $NET network-dns-port-in-use \(over\)"
	wait_for 20 resolves web1.sysctr
}

@test "a bridge that somebody removed is made again" {
	in_ns ip link del $NET
	wait_for 20 in_ns ip link show $NET
	in_ns ip link set ntv1 master $NET
	in_ns ip link set ntv2 master $NET
	wait_for 20 resolves web1.sysctr
}

@test "a second daemon beside it: nothing of the other is touched" {
	start_manager b nt2
	refused b create $NET
	grep -q 'was not made by this daemon' <<<"$answer"
	ask b create ntbr9
	wait_for 20 has_nat nt2
	pid=$(dnsmasq_pid)
	ask b delete ntbr9
	gone() { ! in_ns nft list table inet nt2; }
	wait_for 20 gone
	has_nat
	in_ns ip link show $NET
	run ! in_ns ip link show ntbr9
	[ "$(dnsmasq_pid)" = "$pid" ]
	kill "$(cat "$T/b.sleep.pid")" "$(cat "$T/b.pid")"
}

@test "without nft and dnsmasq the manager starts, warns, and has its bridge" {
	mkdir -p "$T/c/run" "$T/c/state"
	mkfifo "$T/c.in"
	sleep 600 >"$T/c.in" 3>&- 4>&- &
	echo $! >"$T/c.sleep.pid"
	: >"$T/c.out"
	(exec ip netns exec "$NS" unshare -m --propagation private sh -c 'for p in nft dnsmasq; do
			mount --bind /dev/null "$(command -v $p)" || exit 1
		done
		exec "$@"' - "$NETCTL" nt3 "$T/c/run" "$T/c/state" "$T/c/db") \
		<"$T/c.in" >>"$T/c.out" 2>&1 3>&- 4>&- &
	echo $! >"$T/c.pid"
	ask c create ntbr3
	wait_for 20 said c '^warning ntbr3 network-firewall no NAT'
	wait_for 20 said c '^warning ntbr3 network-dhcp'
	ask c ensure ntbr3
	in_ns ip link show ntbr3
	ask c delete ntbr3
	kill "$(cat "$T/c.sleep.pid")" "$(cat "$T/c.pid")"
}

@test "deleting leaves nothing behind" {
	refused a delete $NET
	grep -q 'instances have addresses' <<<"$answer"
	ask a release "$ID"
	ask a delete $NET
	run ! in_ns ip link show $NET
	no_dnsmasq() { ! dnsmasq_pid; }
	wait_for 20 no_dnsmasq
	no_table() { ! in_ns nft list table inet nt; }
	wait_for 20 no_table
	no_files() { [ -z "$(find "$T/a/run" "$T/a/state" -type f)" ]; }
	wait_for 20 no_files
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# devices_proxy.bats - what is connected from one side comes out on the other
# Rows of the threat table that a test is for begin its name (docs/threat-tests.md).
load lib

setup_file() {
	export ID_BASE=2030000000
	daemon_setup
	openrc_image
	chmod 755 "$T"
	# Ports of this file: nobody else's, and below those the kernel gives out.
	export PORT=$((20000 + (BASHPID % 1000) * 10))
	s launch openrc p1
	# An echo inside, on a port and the one behind it.
	s exec p1 -- sh -c 'for port in 8080 8081; do
		setsid nc -lk -p $port -e cat >/dev/null 2>&1 </dev/null & done'
	python3 "$SRCDIR/tests/fakes/echo.py" serve "tcp:127.0.0.1:$((PORT + 9))" \
		"udp:127.0.0.1:$((PORT + 9))" "unix:$T/echo.sock" >/dev/null 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$T/server"
	disown
	retry 60 chmod 600 "$T/echo.sock"
	retry 60 ask "tcp:127.0.0.1:$((PORT + 9))" <<<up
}

teardown_file() {
	[ ! -e "$T/server" ] || kill "$(cat "$T/server")"
	daemon_teardown
}

teardown() {
	daemon_check
}

ask() {
	timeout 30 python3 "$SRCDIR/tests/fakes/echo.py" ask "$1"
}

p1() {
	s exec p1 -- "$@"
}

# proxy NAME LISTEN CONNECT [KEY=VALUE...]: on p1
proxy() {
	local json pair
	json=$(jq -n --arg l "$2" --arg c "$3" '{type: "proxy", listen: $l, connect: $c}')
	for pair in "${@:4}"; do
		json=$(jq --arg k "${pair%%=*}" --arg v "${pair#*=}" '.[$k] = $v' <<<"$json")
	done
	s query -X PATCH -d "{\"devices\":{\"$1\":$json}}" /1.0/instances/p1 >/dev/null
}

no_proxies() {
	s query /1.0/instances/p1 | jq '{config, profiles, description, ephemeral,
		devices: (.devices | with_entries(select(.value.type != "proxy")))}' >"$T/put.json"
	s query -X PUT --wait -d "$(cat "$T/put.json")" /1.0/instances/p1 >/dev/null
}

# proxy_pids: processes of this file's proxies
proxy_pids() {
	local pid
	for pid in $(pgrep -x sysctr-proxy); do
		grep -q "$TAG/" "/proc/$pid/cgroup" && echo "$pid"
	done
}

# closed PORT...: nobody listens there on the host
closed() {
	local port
	for port in "$@"; do
		! (exec 5<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 1
	done
}

@test "tcp from the host to the inside, with a range of ports as one rule" {
	proxy web "tcp:127.0.0.1:$PORT-$((PORT + 1))" tcp:127.0.0.1:8080-8081
	for i in 0 1; do
		[ "$(ask "tcp:127.0.0.1:$((PORT + i))" <<<"hello $i")" = "hello $i" ]
	done
	head -c 20000000 /dev/urandom >"$T/big"
	ask "tcp:127.0.0.1:$PORT" <"$T/big" | cmp - "$T/big"
	# Exchanged while it runs.
	proxy web "tcp:127.0.0.1:$((PORT + 2))" tcp:127.0.0.1:8080
	closed "$PORT" $((PORT + 1))
	[ "$(ask "tcp:127.0.0.1:$((PORT + 2))" <<<again)" = again ]
	no_proxies
	closed $((PORT + 2))
	[ -z "$(proxy_pids)" ]
}

@test "from the inside to the host: tcp, udp, and socket files in both directions" {
	proxy t tcp:127.0.0.1:7000 "tcp:127.0.0.1:$((PORT + 9))" bind=instance
	proxy u udp:127.0.0.1:7000 "udp:127.0.0.1:$((PORT + 9))" bind=instance
	proxy f unix:/run/host.sock "unix:$T/echo.sock" bind=instance uid=5 gid=6 mode=0660
	proxy back "unix:$T/in.sock" unix:/run/host.sock mode=0600 uid=3 security.uid=5 security.gid=6
	[ "$(p1 sh -c 'echo out | nc -w 5 127.0.0.1 7000')" = out ]
	[ "$(p1 sh -c 'echo datagram | nc -u -w 2 127.0.0.1 7000')" = datagram ]
	[ "$(p1 stat -c %u:%g:%a /run/host.sock)" = 5:6:660 ]
	[ "$(stat -c %u:%a "$T/in.sock")" = 3:600 ]
	# Host, inside, host: through both files.
	[ "$(ask "unix:$T/in.sock" <<<around)" = around ]
	no_proxies
	[ ! -e "$T/in.sock" ]
	run ! p1 test -e /run/host.sock
	[ -z "$(proxy_pids)" ]
}

@test "proxy_protocol tells who connected" {
	proxy pp "tcp:127.0.0.1:$PORT" tcp:127.0.0.1:8080 proxy_protocol=true
	ask "tcp:127.0.0.1:$PORT" <<<body >"$T/origin"
	grep -qE "^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 [0-9]+ $PORT"$'\r$' "$T/origin"
	[ "$(tail -n 1 "$T/origin")" = body ]
	no_proxies
}

@test "H7: its process has no rights, no files, no way into a namespace" {
	proxy a "tcp:127.0.0.1:$PORT" tcp:127.0.0.1:8080
	proxy b "unix:$T/in.sock" unix:/run/none.sock
	proxy c tcp:127.0.0.1:7000 "unix:$T/echo.sock" bind=instance
	[ "$(proxy_pids | wc -l)" -eq 3 ]
	for pid in $(proxy_pids); do
		for set in CapInh CapPrm CapEff CapBnd CapAmb; do
			grep -qE "^$set:\s+0+$" "/proc/$pid/status"
		done
		grep -qE '^NoNewPrivs:\s+1$' "/proc/$pid/status"
		grep -qE '^Seccomp:\s+2$' "/proc/$pid/status"
		# Sockets, pipes, the null device, its log and an epoll: nothing of the monitor's.
		run ! grep -vE '/dev/null|pipe:|socket:|anon_inode:\[eventpoll\]|/monitor\.log$' \
			<(find "/proc/$pid/fd" -type l -printf '%l\n')
	done
	no_proxies
}

@test "what cannot be is said with the key, and nothing changes" {
	proxy taken "tcp:127.0.0.1:$PORT" tcp:127.0.0.1:8080
	while IFS='|' read -r listen connect text; do
		fails 1 "$text" proxy bad "$listen" "$connect"
	done <<-END
		tcp:127.0.0.1|tcp:127.0.0.1:80|listen=
		tcp:localhost:80|tcp:127.0.0.1:80|IPv4 address
		tcp:127.0.0.1:90-80|tcp:127.0.0.1:80|ports must be
		tcp:127.0.0.1:1-300|tcp:127.0.0.1:80|at most 256
		tcp:127.0.0.1:80-82|tcp:127.0.0.1:80-81|connect must have
		udp:127.0.0.1:80|tcp:127.0.0.1:80|udp
		sctp:127.0.0.1:80|tcp:127.0.0.1:80|must be tcp
		tcp:127.0.0.1:$PORT|tcp:127.0.0.1:80|port $PORT is in use
		unix:$T/big/x|tcp:127.0.0.1:80|directory of
	END
	[ "$(s query /1.0/instances/p1 | jq '.devices | has("bad")')" = false ]
	[ "$(ask "tcp:127.0.0.1:$PORT" <<<still)" = still ]
	no_proxies
}

@test "it outlives the daemon, comes back when killed, after a reboot, and goes with the container" {
	proxy keep "tcp:127.0.0.1:$PORT" tcp:127.0.0.1:22022
	proxy out tcp:127.0.0.1:7000 "tcp:127.0.0.1:$((PORT + 9))" bind=instance
	proxy file "unix:$T/in.sock" tcp:127.0.0.1:22022
	before=$(proxy_pids)
	daemon_kill
	daemon_start
	retry 10 is_status p1 Running
	[ "$(p1 sh -c 'echo out | nc -w 5 127.0.0.1 7000')" = out ]
	[ "$(proxy_pids)" = "$before" ]
	sleep 1 # one that ends sooner is not started again
	kill -9 $before
	gets_out() { [ "$(p1 sh -c 'echo out | nc -w 5 127.0.0.1 7000')" = out ]; }
	three_new() {
		local now
		now=$(proxy_pids)
		[ "$(wc -w <<<"$now")" -eq 3 ] && [ "$now" != "$before" ]
	}
	retry 10 three_new
	retry 10 gets_out
	s restart -f p1
	retry 10 three_new
	retry 10 gets_out
	s stop -f p1
	[ -z "$(proxy_pids)" ]
	[ ! -e "$T/in.sock" ]
	closed "$PORT"
	s start p1
	retry 10 three_new
}

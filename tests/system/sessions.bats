#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# sessions.bats - exec, shell and console on a real daemon: nothing lost, nothing leaked, nobody fooled
# Threats: A12 A15 A20 C3 C4 C5 C7 C9.
load lib

setup_file() {
	export ID_BASE=1840000000
	daemon_setup
	openrc_image
	s launch openrc c1 -q
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

setup() {
	export PATH="$BUILDDIR:$PATH" NO_COLOR=1
	exec </dev/null
}

@test "C7: --user and --group take a name or an id, and nothing that only looks like one" {
	[ "$(s exec c1 --user daemon -- id)" = "uid=2(daemon) gid=2(daemon) groups=1(bin),4(adm)" ]
	[ "$(s exec c1 --user 2 -- id)" = "uid=2(daemon) gid=0(root)" ]
	[ "$(s exec c1 --user daemon --group wheel -- id)" = "uid=2(daemon) gid=10(wheel) groups=1(bin),4(adm)" ]
	[ "$(s exec c1 --user 2 --group 10 -- id)" = "uid=2(daemon) gid=10(wheel)" ]
	[ "$(s exec c1 --group wheel -- id)" = "uid=0(root) gid=10(wheel)" ]
	for name in +0 00 0x0 " 0" root: -1 4294967295 4294967296 "root " /root; do
		fails 1 "" s exec c1 --user "$name" -- id
		fails 1 "" s exec c1 --group "$name" -- id
	done
	fails 1 'no user "nosuch"' s exec c1 --user nosuch -- id
	fails 1 'no group "nosuch"' s exec c1 --group nosuch -- id
}

# types SCRIPT COMMAND...: on a terminal of its own
types() {
	timeout -k 1 100 "$SRCDIR/tests/fakes/typist.py" "$@" 3>&- 4>&-
}

sleeps() {
	[ "$(s exec c1 -- sh -c 'ps | grep -c "[s]leep 301"')" = "$1" ]
}

# says FILE TEXT
says() {
	grep -qaF -- "$2" "$1"
}

# in_background FILE COMMAND...: its output, then "exit N", into the file
in_background() {
	local out=$1
	shift
	("$@" >"$out" 2>&1 && echo "exit 0" >>"$out" || echo "exit $?" >>"$out") 3>&- 4>&- &
}

@test "kill -9 of sysctrd: our own commands, shells and consoles go on, and end as ever" {
	mkfifo "$T/slow"
	in_background "$T/pipe" sh -c 'sysctr exec c1 -- sh -c "echo ready; md5sum; exit 5" <"$T/slow"'
	exec 7>"$T/slow"
	head -c 3000000 /dev/zero >&7
	in_background "$T/shell" types \
		"expect:#|mark:$T/shell.on|file:$T/go|size:77,33|send:until [ \"\$(stty size)\" = '33 77' ]; do sleep 0.1; done; exit 9\n" \
		sysctr shell c1
	in_background "$T/console" types \
		"expect:ctrl-a q|send:\n|expect:login:|mark:$T/console.on|file:$T/go|send:nobody\n|expect:Password|send:\x01q" \
		sysctr console c1
	in_background "$T/dies" "$BUILDDIR/sysctr" exec c1 -- sh -c 'echo ready; exec sleep 301'
	retry 30 says "$T/pipe" ready
	retry 30 says "$T/dies" ready
	retry 30 test -e "$T/shell.on"
	retry 30 test -e "$T/console.on"
	daemon_kill
	pkill -KILL -f "^$BUILDDIR/sysctr exec c1 -- sh -c echo ready; exec sleep 301"
	touch "$T/go"
	head -c 3000000 /dev/zero >&7
	exec 7>&-
	retry 30 says "$T/pipe" "exit 5"
	says "$T/pipe" "$(head -c 6000000 /dev/zero | md5sum)"
	retry 60 says "$T/shell" "exit 9"
	retry 60 says "$T/console" "exit 0"
	daemon_start
	retry 20 sleeps 0
}

@test "console: one types, the others watch and are told; force changes that" {
	in_background "$T/first" types \
		"expect:ctrl-a q|send:\n|expect:login:|mark:$T/first.on|expect:taken over this console|send:never\n|file:$T/end|send:\x01q" \
		sysctr console c1
	retry 30 test -e "$T/first.on"
	run types 'expect:login:|expect:read-only|send:never\n|wait:0.6|send:\x01q' sysctr console c1
	[[ $output == *"exit 0" && $output != *never* ]]
	run types 'expect:ctrl-] q|send:forced\n|expect:forced|expect:Password|send:\x1dq' sysctr console c1 --force -e ctrl-]
	[[ $output == *"exit 0" && $output != *read-only* && $output != *never* ]]
	touch "$T/end"
	retry 30 says "$T/first" "exit 0"
	fails 2 "is no key" s console c1 -e x
}

@test "console: the log shows it while running and after, over two generations, until it is cleared" {
	s exec c1 -- sh -c 'for i in $(seq 1 22000); do echo "line $i of what the console says, which is long"; done >/dev/console'
	shows_last() { s console c1 --show-log >"$T/running" && says "$T/running" "line 22000 of"; }
	retry 20 shows_last
	[ -s "$T/log/c1/console.log.1" ]
	[ "$(stat -c %s "$T/log/c1/console.log")" -le 1048576 ]
	[ "$(stat -c %s "$T/running")" -eq 131072 ]
	s stop c1 --force
	s console c1 --show-log >"$T/stopped"
	[ "$(stat -c %s "$T/stopped")" -eq 131072 ]
	says "$T/stopped" "line 22000 of"
	s console c1 --clear
	[ -z "$(s console c1 --show-log)" ]
	[ ! -e "$T/log/c1/console.log.1" ]
	run types 'expect:login:|send:\x01q' sysctr start c1 --console
	[[ $output == *"exit 0" ]]
}

# l ARGUMENT...: lxc, which has WebSockets
l() {
	LXD_SOCKET=$SYSCTR_SOCKET LXD_CONF=$T/lxc LXC_CONF=$T/lxc HOME=$T timeout 100 lxc "$@" 3>&- 4>&-
}

daemon_kb() {
	awk '/^VmRSS/ { print $2 }' "/proc/$(daemon_pid)/status"
}

# counted: descriptors of daemon and monitor, processes inside, groups of sessions
counted() {
	local pid
	for pid in "$(daemon_pid)" "$(monitor_pid c1)"; do find "/proc/$pid/fd" -mindepth 1 | wc -l; done
	find /sys/fs/cgroup -path "*/$TAG/c1/payload/sysctr-session-*" -type d | wc -l
	s query /1.0/instances/c1/state | jq .processes
}

is_counted() {
	[ "$(counted)" = "$1" ]
}

# is_settled: nothing of what is over is still being put away
is_settled() {
	local before
	before=$(counted)
	sleep 0.5
	is_counted "$before"
}

@test "a stopped reader, here or inside, does not make the daemon grow" {
	mkdir -p "$T/lxc"
	mkfifo "$T/gate"
	l exec c1 -- true
	before=$(daemon_kb)
	(l exec c1 -- head -c 60000000 /dev/zero | { cat "$T/gate" >/dev/null && md5sum; } >"$T/out") 3>&- 4>&- &
	(head -c 60000000 /dev/zero | l exec c1 -- sh -c 'while [ ! -e /tmp/go ]; do sleep 0.2; done; md5sum' >"$T/in") 3>&- 4>&- &
	sleep 4
	grown=$(($(daemon_kb) - before))
	[ "$grown" -lt 20000 ]
	echo >"$T/gate"
	s exec c1 -- touch /tmp/go
	wait
	sum=$(head -c 60000000 /dev/zero | md5sum)
	[ "$(cat "$T/out")" = "$sum" ]
	[ "$(cat "$T/in")" = "$sum" ]
}

@test "a client that vanishes takes its session along; one that stops reading sends SIGPIPE" {
	(exec 3>&- 4>&-; LXD_SOCKET=$SYSCTR_SOCKET LXD_CONF=$T/lxc HOME=$T exec lxc exec c1 -- sh -c 'sleep 301 & sleep 301') &
	retry 30 sleeps 2
	kill -9 $!
	retry 20 sleeps 0
	s exec c1 -t -- sh -c 'sleep 301 & echo; sleep 301' >/dev/null &
	retry 30 sleeps 2
	pkill -9 -f "^$BUILDDIR/sysctr exec c1 -t -- sh -c sleep 301"
	retry 20 sleeps 0
	LXD_DIR=$T/run timeout 60 /usr/bin/python3 -W ignore - <<-'END'
		import pylxd
		from ws4py.client import WebSocketBaseClient
		client = pylxd.Client()
		answer = client.api.containers["c1"].exec.post(json={
		    "command": ["yes"], "wait-for-websocket": True, "interactive": False}).json()
		sockets = {}
		for name in ("control", "0", "1", "2"):
		    sockets[name] = WebSocketBaseClient(client.websocket_url)
		    sockets[name].resource = "%s/websocket?secret=%s" % (
		        answer["operation"], answer["metadata"]["metadata"]["fds"][name])
		    sockets[name].connect()
		sockets["1"].close()
		sockets["1"].close_connection()
		operation = client.api.operations[answer["metadata"]["id"]].wait.get().json()["metadata"]
		assert operation["metadata"]["return"] == 141, operation
	END
}

# ended OPERATION: what the command of it returned
ended() {
	s query "/1.0/operations/$1/wait?timeout=30" | jq -r '.metadata.return'
}

# starts BODY: an exec without our own client; the operation's id
starts() {
	s query -X POST /1.0/instances/c1/exec -d "$1" | jq -r .id
}

@test "kill -9 of sysctrd: a WebSocket client's command and its status survive, pipes or terminal" {
	cat >"$T/open.py" <<-'END'
		import sys, time, pylxd
		from ws4py.client import WebSocketBaseClient
		client = pylxd.Client()
		terminal = sys.argv[1] == "terminal"
		answer = client.api.containers["c1"].exec.post(json={
		    "command": ["sh", "-c", sys.argv[2]], "wait-for-websocket": True, "interactive": terminal}).json()
		sockets = []
		for name in ["control", "0"] + ([] if terminal else ["1", "2"]):
		    secret = answer["metadata"]["metadata"]["fds"][name]
		    socket = WebSocketBaseClient(client.websocket_url)
		    socket.resource = "%s/websocket?secret=%s" % (answer["operation"], secret)
		    socket.connect()
		    sockets.append(socket)
		print(answer["metadata"]["id"], flush=True)
		time.sleep(100)
	END
	# shellcheck disable=SC2016
	local work='cat >/tmp/in.$0; seq 100000; echo end >/tmp/$0; exit 7'
	for way in pipes terminal; do
		(LXD_DIR=$T/run exec timeout 100 /usr/bin/python3 -W ignore "$T/open.py" $way "${work//'$0'/$way}" >"$T/id.$way") 3>&- 4>&- &
	done
	(LXD_DIR=$T/run exec timeout 100 /usr/bin/python3 -W ignore "$T/open.py" pipes 'touch /tmp/long; exec sleep 301' >"$T/id.long") 3>&- 4>&- &
	for way in pipes terminal long; do retry 30 test -s "$T/id.$way"; done
	retry 30 s exec c1 -- sh -c 'test -e /tmp/long && [ "$(pgrep -x cat | wc -l)" = 2 ]' # both read by now
	daemon_kill
	daemon_start
	for way in pipes terminal; do
		[ "$(ended "$(cat "$T/id.$way")")" = 7 ]
		[ "$(s exec c1 -- cat /tmp/$way)" = end ]
	done
	s query "/1.0/operations/$(cat "$T/id.long")" | jq -e '.status == "Running" and .resources.instances == ["/1.0/instances/c1"]'
	s query -X DELETE "/1.0/operations/$(cat "$T/id.long")"
	retry 20 sleeps 0
	pkill -f "$T/open.py"
}

@test "recorded output: whole after a kill -9 of sysctrd, and never more than its limit" {
	id=$(starts '{"command":["sh","-c","seq 1000; until [ -e /tmp/more ]; do sleep 0.1; done; seq 200000; echo e >&2; exit 4"],"record-output":true}')
	retry 20 test -s "$T/log/c1/exec_$id.stdout"
	pid=$(init_pid c1)
	daemon_kill
	enters "$pid" touch /tmp/more
	retry 60 says "$T/log/c1/exec_$id.stderr" e # it ends while nobody is there
	daemon_start
	[ "$(ended "$id")" = 4 ]
	(seq 1000; seq 200000) | cmp - "$T/log/c1/exec_$id.stdout"
	[ "$(cat "$T/log/c1/exec_$id.stderr")" = e ]
	s query "/1.0/operations/$id" | jq -e ".metadata.output[\"1\"] == \"/1.0/instances/c1/logs/exec_$id.stdout\""
	id=$(starts '{"command":["yes"],"record-output":true}')
	[ "$(ended "$id")" = 141 ]
	[ "$(stat -c %s "$T/log/c1/exec_$id.stdout")" -eq 67108864 ]
	rm "$T/log/c1"/exec_*
	# what is left in the background goes on being recorded
	id=$(starts '{"command":["sh","-c","(sleep 2; echo late) & echo early"],"record-output":true}')
	[ "$(ended "$id")" = 0 ]
	retry 20 says "$T/log/c1/exec_$id.stdout" late
}

@test "40 at once, 30 one after the other, through both ways: nothing is left" {
	s exec c1 -t -- true
	l exec c1 -- true
	retry 20 is_settled
	before=$(counted)
	for i in $(seq 40); do
		if [ $((i % 3)) -eq 0 ]; then client=l; else client=s; fi
		($client exec c1 -- sh -c "while [ ! -e /tmp/all ]; do sleep 0.5; done; echo done $i" >"$T/out.$i") 3>&- 4>&- </dev/null &
	done
	waiting() { [ "$(s exec c1 -- sh -c 'ps | grep -c "[/]tmp/all"')" -ge 40 ]; }
	retry 100 waiting
	s exec c1 -- touch /tmp/all
	wait
	for i in $(seq 40); do [ "$(cat "$T/out.$i")" = "done $i" ]; done
	for i in $(seq 20); do [ "$(s exec c1 -- echo "$i")" = "$i" ]; done
	for i in $(seq 10); do [ "$(l exec c1 -- echo "$i")" = "$i" ]; done
	retry 20 is_counted "$before"
}

@test "C9: the environment of one command is nobody else's" {
	s exec c1 --env HIDDEN=secret-of-one -- sleep 301 &
	retry 30 sleeps 1
	[ -z "$(s exec c1 -- env | grep HIDDEN)" ]
	[ -z "$(l exec c1 -- env | grep HIDDEN)" ]
	for pid in "$(daemon_pid)" "$(monitor_pid c1)"; do
		grep -qa secret-of-one "/proc/$pid/environ" "/proc/$pid/cmdline" && return 1
	done
	s exec c1 -- pkill sleep
	wait || true
}

@test "C3: no working directory leads out through the API" {
	for n in 0 3 4 5 6 9 12; do
		fails 1 "working directory" s exec c1 --cwd "/proc/self/fd/$n" -- pwd
	done
	fails 1 "working directory" s exec c1 --cwd /proc/1/root -- ls
	[ "$(s exec c1 -- sh -c 'ls /proc/self/fd | tr "\n" " "')" = "0 1 2 3 " ]
}

@test "C5: what others wrote does not reach the administrator's terminal as sequences" {
	s exec c1 -- sh -c 'printf "\033]0;evil\007\033[31mred\n" >/dev/console'
	s config edit c1 <<<"$(s config show c1 | sed 's/^description:.*/description: "a\\e]0;evil\\ab"/')"
	for command in "console c1 --show-log" "info c1" "info c1 --show-log" "list" "config get c1 user.x"; do
		# shellcheck disable=SC2086
		run types "wait:0.6" "$BUILDDIR/sysctr" $command
		[[ $output != *$'\033'* && $output != *$'\007'* ]] || {
			echo "sequences in $command"
			return 1
		}
	done
	# a pipe gets the bytes as they are
	s console c1 --show-log | grep -qa $'\033\\[31mred'
}

@test "A12, A20: nothing of the container is loaded or run by those who enter it" {
	s exec c1 -- sh -c '
		echo /lib/evil.so >/etc/ld.so.preload; echo "passwd: evil" >/etc/nsswitch.conf
		for p in ps ip tar login getent id su nsenter; do
			for d in /bin /usr/bin /sbin /usr/sbin; do
				[ ! -e $d/$p ] || { rm -f $d/$p; printf "#!/bin/busybox sh\ntouch /tmp/ran-%s\n" $p >$d/$p; chmod 755 $d/$p; }
			done
		done'
	strace -f -qq -e trace=openat,open,openat2,execve,setns -o "$T/trace" -p "$(monitor_pid c1)" 3>&- 4>&- &
	tracer=$!
	retry 30 grep -q '^TracerPid:[^0]*[1-9]' "/proc/$(monitor_pid c1)/status"
	s exec c1 --user daemon --group wheel -- /bin/busybox true
	s shell c1 -u root </dev/null
	s list >/dev/null
	s info c1 >/dev/null
	s console c1 --show-log >/dev/null
	kill $tracer
	wait $tracer || true
	# from the first setns of a process, or of the one it was cloned from, to its execve
	awk '/setns\(/ { entered = 1 } /execve\(/ { entered = 0 } entered && /open/' "$T/trace" >"$T/opened"
	grep -q '"/etc/passwd"' "$T/opened"
	grep -vE '"(/etc/passwd|/etc/group|/|/root|/sbin|dev/pts/ptmx|/proc/self/[a-z/]*|/dev/null)"' "$T/opened" | never grep -E '"[^"]+"'
	[ -z "$(s exec c1 -- sh -c 'ls /tmp | grep ran-')" ]
}

# says_over CLIENT...: the command ends although somebody in the background keeps its output open
says_over() {
	"$@" exec c1 -- sh -c 'sleep 301 & echo over' >"$T/over"
	[ "$(cat "$T/over")" = over ]
}

# Clock ticks that the monitor of c1 has had.
monitor_ticks() {
	local pid
	pid=$(cat /sys/fs/cgroup/{unified/,}"$TAG"/.monitor/c1/cgroup.procs 2>/dev/null | head -n 1)
	awk '{ print $14 + $15 }' "/proc/$pid/stat"
}

@test "a background process that keeps the terminal or the pipes does not hold the session" {
	run timeout 30 "$BUILDDIR/sysctr" exec c1 -t -- sh -c 'trap "" HUP; sleep 301 & echo over'
	[ "${output//$'\r'/}" = over ]
	says_over s
	says_over l
	# nor does the monitor turn in circles until it ends: that would be some 200 ticks
	before=$(monitor_ticks)
	sleep 2
	[ $(($(monitor_ticks) - before)) -lt 100 ]
	s exec c1 -- /bin/busybox pkill sleep
}

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
		"expect:#|mark:$T/shell.on|file:$T/go|size:77,33|send:sleep 0.5; stty size\n|expect:33 77|send:exit 9\n" \
		sysctr shell c1
	in_background "$T/console" types \
		"expect:ctrl-a q|send:\n|expect:login:|mark:$T/console.on|file:$T/go|send:nobody\n|expect:Password|send:\x01q" \
		sysctr console c1
	in_background "$T/dies" sysctr exec c1 -- sh -c 'echo ready; exec sleep 301'
	retry 30 says "$T/pipe" ready
	retry 30 says "$T/dies" ready
	retry 30 test -e "$T/shell.on"
	retry 30 test -e "$T/console.on"
	daemon_kill
	pkill -KILL -f "^$BUILDDIR/sysctr exec c1 -- sh -c echo ready; exec sleep 301|^sysctr exec c1 -- sh -c echo ready; exec sleep 301"
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
	s console c1 --show-log >"$T/running"
	says "$T/running" "line 22000 of"
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

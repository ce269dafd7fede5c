#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# The command alone, against a daemon that only pretends; needs no root.

setup_file() {
	export FAKES="$BATS_TEST_DIRNAME/../fakes"
	export PATH="${SYSCTR_BUILDDIR:-$BATS_TEST_DIRNAME/../../build}:$PATH"
	export SYSCTR_SOCKET="$BATS_FILE_TMPDIR/socket"
	export LOG="$BATS_FILE_TMPDIR/log"
	export NO_COLOR=1
	python3 "$FAKES/sysctrd.py" "$SYSCTR_SOCKET" "$LOG" 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/pid"
	sysctr admin waitready --timeout 10
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/pid")"
}

setup() {
	: >"$LOG"
	exec </dev/null
}

# comes WORD FILE: it is in there within half a minute
comes() {
	for _ in $(seq 300); do
		grep -q "$1" "$2" && return
		sleep 0.1
	done
	return 1
}

@test "wrong usage is 2, with a hint" {
	run sysctr lunch
	[ "$status" = 2 ]
	[[ $output == *'did you mean "sysctr launch"?'* ]]
	run sysctr list --fromat json
	[ "$status" = 2 ]
	[[ $output == *'did you mean --format?'* ]]
	run sysctr config
	[ "$status" = 2 ]
	run sysctr start
	[ "$status" = 2 ]
}

@test "help goes to standard output with status 0" {
	sysctr --help | grep -q launch
	sysctr config --help | grep -q 'config set'
	sysctr help image import | grep -q -- --alias
	sysctr exec --help | grep -q 'Example:'
}

@test "no daemon: says so and how to start it" {
	SYSCTR_SOCKET=/nonexistent run sysctr list
	[ "$status" = 1 ]
	[[ $output == *'sysctrd is not running'*Hint:* ]]
}

@test "list in every format, only the fields that are shown" {
	run sysctr list
	[[ ${lines[0]} == NAME*STATE*IPV4*IPV6*TYPE*SNAPSHOTS* ]]
	[[ $output == *web1*RUNNING*10.1.2.3* ]]
	grep -q 'recursion=2&usage=false&fields=name%2C' "$LOG"
	sysctr list -c nm >/dev/null
	grep -q 'recursion=2&fields=name%2C' "$LOG"
	[ "$(sysctr list -f csv -c ns)" = $'web1,RUNNING\ndb1,STOPPED' ]
	grep -q 'recursion=1&fields' "$LOG"
	sysctr list -f json | python3 -c 'import json,sys; assert json.load(sys.stdin)[0]["name"] == "web1"'
	sysctr list -f yaml | grep -q '^- name: web1'
	[ "$(sysctr list -f csv -c n status=stopped)" = db1 ]
	[ "$(sysctr list -f csv -c n 'we*')" = web1 ]
	[ "$(sysctr list -f csv -c n,limits.memory web1)" = web1,256MiB ]
}

@test "control characters of the daemon's texts are not passed on" {
	run sysctr list -c nd
	[[ $output != *$'\e'* ]]
	[[ $output == *'?[31mred'* ]]
	run sysctr info web1 --show-log
	[[ $output != *$'\e'* ]]
}

@test "launch sends what was asked" {
	run sysctr launch alpine l1 -c limits.cpu=2 -p default -n sysctrbr0 -d root,size=1GiB
	[ "$status" = 0 ]
	[ "$output" = "l1 is running." ]
	python3 - "$LOG" <<-'PY'
		import json, sys
		line = [l for l in open(sys.argv[1]) if l.startswith("POST /1.0/instances ")][0]
		body = json.loads(line.split(" ", 2)[2])
		assert body["source"] == {"type": "image", "alias": "alpine"}, body
		assert body["name"] == "l1" and body["start"] is True
		assert body["config"] == {"limits.cpu": "2"} and body["profiles"] == ["default"]
		assert body["devices"]["eth0"]["network"] == "sysctrbr0"
		assert body["devices"]["root"] == {"size": "1GiB"}, "the rest is inherited"
	PY
	sysctr delete --force l1
}

@test "create takes YAML from standard input and prints a chosen name" {
	[ "$(printf 'config:\n  user.x: "1"\n' | sysctr create alpine -q)" = pet-name ]
	[ "$(sysctr config get pet-name user.x)" = 1 ]
	run sysctr create
	[ "$status" = 2 ]
	sysctr delete pet-name
}

@test "a failed launch says object, step, reason" {
	run sysctr launch broken b1
	[ "$status" = 1 ]
	[ "${lines[0]}" = "Error: b1: launch: mount /proc: Permission denied" ]
	run sysctr launch missing m1
	[ "$status" = 1 ]
	[[ $output == *'sysctr image list'* ]]
}

@test "state verbs take several names and --all" {
	sysctr start db1
	sysctr stop web1 db1
	[ "$(sysctr list -f csv -c s | sort -u)" = STOPPED ]
	sysctr start --all
	sysctr pause web1
	sysctr resume web1
	run sysctr start web1 wbe1
	[ "$status" = 1 ]
	[[ $output == *"Error: web1: start: Instance is already running"* ]]
	[[ $output == *'did you mean "web1"?'* ]]
	sysctr stop db1
}

@test "exec passes pipes and the exit status on" {
	[ "$(echo hello | sysctr exec web1 -- cat)" = hello ]
	run sysctr exec web1 -- sh -c 'exit 7'
	[ "$status" = 7 ]
	run sysctr exec web1 sh -c 'kill -9 $$'
	[ "$status" = 137 ]
	run -127 sysctr exec web1 -- /nonexistent
	[ "$(sysctr exec web1 --env A=b -- sh -c 'echo $A' 2>/dev/null)" = b ]
	[ -z "$(sysctr exec web1 -- sh -c 'echo err >&2' 2>/dev/null)" ]
	head -c 5000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	sysctr exec web1 -- cat <"$BATS_TEST_TMPDIR/in" | cmp - "$BATS_TEST_TMPDIR/in"
	run sysctr exec db1 -- true
	[ "$status" = 1 ]
	[[ $output == *"Error: db1: exec: Instance is not running"* ]]
	run sysctr exec web1 --mode both -- true
	[ "$status" = 2 ]
}

@test "exec on a terminal is interactive and puts it back" {
	run "$FAKES/typist.py" 'send:hello\n|expect:hello|send:\x04|wait:0.2' \
		sysctr exec web1 -- sh -c 'read x; echo "got $x"; exit 3'
	[[ $output == *"exit 3" ]]
	grep -q '"interactive": *true' "$LOG"
}

@test "exec forwards signals" {
	sysctr exec web1 -- sh -c 'trap "exit 9" TERM; echo on; while :; do sleep 0.05; done' >"$BATS_TEST_TMPDIR/out" &
	pid=$!
	comes on "$BATS_TEST_TMPDIR/out"
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" = 9 ]
}

@test "console: ctrl-a q leaves it" {
	run "$FAKES/typist.py" 'expect:ctrl-a q|send:x\n|expect:x|send:\x01q' sysctr console web1
	[[ $output == *"exit 0" ]]
}

@test "the first ctrl-c cancels, progress is drawn on a terminal" {
	run "$FAKES/typist.py" 'expect:left|signal:SIGINT|expect:undone' sysctr launch slow-30 s1
	[[ $output == *"Creating instance: "*"%"* ]]
	[[ $output == *"Cancelling"* ]]
	[[ $output == *"Error: s1: launch: cancelled and undone"* ]]
	[[ $output == *"exit 1" ]]
	grep -q '^DELETE /1.0/operations/' "$LOG"
}

@test "the second ctrl-c leaves the operation alone" {
	run "$FAKES/typist.py" 'expect:left|signal:SIGINT|expect:Cancelling|signal:SIGINT|wait:1' sysctr launch stubborn-8 s9
	[[ $output == *"left running as operation"* ]]
	[[ $output == *"exit 1" ]]
}

@test "no progress on a pipe" {
	run sysctr launch slow-2 s2
	[ "$output" = "s2 is running." ]
}

@test "config: get, set, unset, show, edit" {
	sysctr config set web1 limits.cpu=2 user.a=b
	sysctr config set web1 user.c d
	[ "$(sysctr config get web1 limits.cpu)$(sysctr config get web1 user.c)" = 2d ]
	sysctr config unset web1 user.c
	run sysctr config unset web1 user.c
	[ "$status" = 1 ]
	sysctr config show web1 | sed 's/"2"/"3"/' | sysctr config edit web1
	[ "$(sysctr config get web1 limits.cpu)" = 3 ]
	sysctr config show web1 --expanded | grep -q 'network: sysctrbr0  # from profile default'
	EDITOR="sed -i s/3/4/" "$FAKES/typist.py" 'wait:0.2' sysctr config edit web1
	[ "$(sysctr config get web1 limits.cpu)" = 4 ]
	run sysctr profile edit default <<<'config: ['
	[ "$status" = 1 ]
	grep -q '^PUT /1.0/instances/web1' "$LOG"
}

@test "profiles" {
	sysctr profile create web -c limits.cpu=2
	sysctr profile add web1 web
	run sysctr profile add web1 web
	[ "$status" = 1 ]
	[ "$(sysctr list -f csv -c P web1)" = $'"default\nweb"' ]
	sysctr profile remove web1 web
	sysctr profile copy web w2
	sysctr profile rename w2 w3
	sysctr profile show w3 | grep -q limits.cpu
	sysctr profile delete web w3
}

@test "images: import, alias, export, build, delete" {
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/i.tar"
	run sysctr image import "$BATS_TEST_TMPDIR/i.tar" --alias mine --alias other
	[ "$output" = "$(sha256sum <"$BATS_TEST_TMPDIR/i.tar" | cut -d' ' -f1)" ]
	sysctr image list -f csv -c ls | grep -q mine
	sysctr image info mine | grep -q 'Size: 2.86MiB'
	(cd "$BATS_TEST_TMPDIR" && sysctr image export mine out)
	cmp "$BATS_TEST_TMPDIR/i.tar" "$BATS_TEST_TMPDIR/out"
	sysctr image alias create a/b mine
	sysctr image alias list | grep -q a/b
	run sysctr image import "$BATS_TEST_TMPDIR"
	[[ $output == *"is a directory"*"tar -C"* ]]
	sysctr image build debian/trixie
	grep -q '"template": *"debian/trixie"' "$LOG"
	printf 'image: {}\n' >"$BATS_TEST_TMPDIR/t.yaml"
	sysctr image build "$BATS_TEST_TMPDIR/t.yaml"
	grep -q '"name": *"t"' "$LOG"
	sysctr image import "$BATS_TEST_TMPDIR/t.yaml" "$BATS_TEST_TMPDIR/i.tar"
	sysctr image delete mine
	run sysctr image delete mien
	[ "$status" = 1 ]
}

@test "networks, storage, operations, warnings, query, version" {
	sysctr network list | grep -q sysctrbr0
	sysctr network list-leases sysctrbr0 -f csv | grep -q '^web1,'
	sysctr network info sysctrbr0 | grep -q 10.1.2.1
	[ "$(sysctr network get sysctrbr0 ipv4.address)" = 10.1.2.1/24 ]
	sysctr storage info default | grep -q 'Total space: 10.00GiB'
	sysctr operation list
	sysctr warning list
	sysctr query /1.0 | grep -q server_version
	run sysctr query /1.0/nothing
	[ "$status" = 1 ]
	[ "$(sysctr version)" = "$(printf 'client %s\nserver 9.9' "$(sysctr version | sed -n 's/client //p')")" ]
}

@test "monitor shows events" {
	timeout 60 sysctr monitor --type operation >"$BATS_TEST_TMPDIR/events" 3>&- &
	comes operation "$BATS_TEST_TMPDIR/events"
	kill $!
}

@test "completion knows commands, options, names and keys" {
	[ "$(sysctr __complete -- st)" = $'start\nstop\nstorage' ]
	[ "$(sysctr __complete -- exec w)" = web1 ]
	sysctr __complete -- list --fo | grep -qx -- --format
	[ "$(sysctr __complete -- list --format j)" = json ]
	sysctr __complete -- config set web1 limits. | grep -qx limits.memory
	[ "$(SYSCTR_SOCKET=/nonexistent sysctr __complete -- start '')" = "" ]
}

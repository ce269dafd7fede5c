#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# cli.bats - what the command does with terminals, files and names, on a real daemon
load lib

setup_file() {
	daemon_setup
	openrc_image
	s launch openrc c1
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

# types SCRIPT COMMAND...: on a terminal of its own
types() {
	timeout -k 1 60 "$SRCDIR/tests/fakes/typist.py" "$@"
}

ends_with() {
	[[ $output == *"$1" ]] || {
		echo "not at the end: $1"
		echo "$output"
		return 1
	}
}

@test "exec on a terminal: a tty there, its size, ctrl-c, the status, and this one put back" {
	run types 'size:100,30|expect:#|send:tty; stty size\n|expect:30 100|send:exit 4\n' \
		sysctr exec c1 sh
	[[ $output == */dev/pts/* ]]
	ends_with "exit 4"
	run types 'expect:#|size:90,20|send:until [ "$(stty size)" = "20 90" ]; do sleep 0.1; done; exit\n' \
		sysctr exec c1 sh
	ends_with "exit 0"
	run types 'expect:#|send:sh -c "echo be$x""gun; exec sleep 100"\n|expect:begun|send:\x03|send:exit 6\n' \
		sysctr exec c1 sh
	ends_with "exit 6"
}

@test "pipes even from a terminal, with -T" {
	run types 'send:hello\n|expect:hello|send:\x04' sysctr exec c1 -T -- sh -c 'cat; tty; exit 3'
	[[ $output == *"not a tty"* ]]
	ends_with "exit 3"
}

@test "a terminal on one side only is not given away" {
	run types 'send:abc\n|send:\x04' sh -c 'sysctr exec c1 -- sh -c "cat; tty" >"$T/out"; cat "$T/out"'
	[[ $output == *"not a tty"* ]]
	ends_with "exit 0"
}

@test "shell logs in" {
	run types 'expect:#|send:echo $HOME-$USER; exit 5\n' sysctr shell c1
	[[ $output == */root-root* ]]
	ends_with "exit 5"
}

@test "signals reach the command" {
	sysctr exec c1 -- sh -c 'trap "exit 9" TERM; echo on; while :; do sleep 0.1; done' >"$T/trapped" 3>&- 4>&- &
	pid=$!
	retry 20 grep on "$T/trapped"
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" = 9 ]
}

@test "a reader that goes away ends the command with SIGPIPE" {
	sysctr exec c1 -- sh -c 'yes 2>/dev/null; echo $? >/tmp/status' | head -n 1 | grep y
	retry 20 s exec c1 -- test -s /tmp/status
	[ "$(s exec c1 -- cat /tmp/status)" = 141 ]
}

@test "200 MB through both pipes arrive as they are" {
	sum=$(head -c 200000000 /dev/zero | md5sum)
	[ "$(head -c 200000000 /dev/zero | sysctr exec c1 -- cat | md5sum)" = "$sum" ]
}

@test "console: a login prompt, ctrl-a q leaves it, the log stays" {
	run types 'expect:ctrl-a q|send:\n|expect:login:|send:\x01q' sysctr console c1
	ends_with "exit 0"
	s console c1 --show-log | grep -a login:
}

@test "config edit through an editor and from a file" {
	export EDITOR="sed -i s/^description:.*/description:\ edited/"
	run types 'wait:0.5' sysctr config edit c1
	ends_with "exit 0"
	[ "$(field c1 .description)" = edited ]
	s config show c1 | sed 's/^description:.*/description: piped/' | s config edit c1
	[ "$(field c1 .description)" = piped ]
	[ "$(field c1 .ephemeral)" = false ]
	fails 1 "line " s config edit c1 <<<'config: ['
	fails 1 'no key "confg" here, but ' s config edit c1 <<<'confg: {}'
	[ "$(field c1 .description)" = piped ]
	fails 1 "did you mean" s config set c1 limits.memry=1GiB
	fails 1 "did you mean \"c1\"" s config show c2
}

@test "an image goes out and comes back with the same fingerprint" {
	s image export openrc "$T/out.image" -q
	cmp "$T/out.image" "$OPENRC"
	s image export openrc - | cmp - "$OPENRC"
	fails 1 "" s image import "$T/out.image"
	[ "$(s image list --format csv --columns F openrc)" = "$(sha256sum <"$OPENRC" | cut -d' ' -f1)" ]
}

@test "a split image goes out as two files that come back" {
	printf 'architecture: x86_64\ncreation_date: 1\n' >"$T/metadata.yaml"
	tar -C "$T" -cf "$T/meta.tar" metadata.yaml
	mkdir -p "$T/root/sbin" && touch "$T/root/sbin/init"
	tar -C "$T/root" -cf "$T/root.tar" .
	fingerprint=$(s image import "$T/meta.tar" "$T/root.tar" --alias split)
	s image export split "$T/split" -q
	cmp "$T/split" "$T/meta.tar"
	cmp "$T/split.root" "$T/root.tar"
	[ ! -e "$T/split.part" ]
	fails 1 "the image is two files" s image export split -
	s image delete split
	[ "$(s image import "$T/split" "$T/split.root")" = "$fingerprint" ]
	s image delete "${fingerprint:0:12}"
}

@test "completion knows what is there" {
	[ "$(s __complete -- stop '')" = c1 ]
	s __complete -- launch o | grep -qx openrc
	[ "$(s __complete -- profile show d)" = default ]
	[ "$(s __complete -- network show "${BRIDGE:0:3}")" = "$BRIDGE" ]
}

@test "wait tells when it is over and when it cannot be" {
	s wait c1 running
	fails 1 "not ready after 1 s" s wait c1 ready --timeout 1 || s wait c1 ready
	fails 2 "did you mean ipv4" s wait c1 ipv5
	s create openrc c3 -q
	fails 1 "not running" s wait c3 ipv4
	s wait c3 stopped
	s delete c3
}

@test "monitor shows what happens" {
	listens "$T/events" --type operation --type lifecycle
	: >"$T/events"
	s config set c1 user.x=1
	retry 20 grep -q 'operation .*Success' "$T/events"
	retry 20 grep -q 'lifecycle instance-updated' "$T/events"
	kill $LISTENER
}

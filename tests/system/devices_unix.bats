#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# devices_unix.bats - device nodes inside, and that nothing else can be opened
# Rows of the threat table that a test is for begin its name (docs/threat-tests.md).
load lib

setup_file() {
	export ID_BASE=2050000000
	daemon_setup
	openrc_image
	ln -s /dev/loop-control "$T/link"
	head -c 1048576 /dev/zero >"$T/disk"
	printf 'first words' | dd of="$T/disk" conv=notrunc status=none
	losetup -f --show "$T/disk" >"$T/loop"
	s launch openrc u1
}

teardown_file() {
	losetup -d "$(cat "$T/loop")" || true
	daemon_teardown
}

teardown() {
	daemon_check
}

u1() {
	s exec u1 -- "$@"
}

# device NAME JSON: adds or replaces one device of u1
device() {
	s query -X PATCH -d "{\"devices\":{\"$1\":$2}}" /1.0/instances/u1
}

no_devices() {
	s query /1.0/instances/u1 | jq '{config, profiles, description, ephemeral, devices: {}}' >"$T/put.json"
	s query -X PUT --wait -d "$(cat "$T/put.json")" /1.0/instances/u1 >/dev/null
}

# opens PATH: whether root inside may open it
opens() {
	u1 sh -c ": <$1" 2>/dev/null
}

@test "G8: a character device is there with its owner, and only as long as it is a device of ours" {
	run ! opens /dev/loop-control
	device c '{"type":"unix-char","source":"/dev/loop-control","path":"/dev/own/control","uid":"3","gid":"4","mode":"0640"}'
	[ "$(u1 stat -c '%F %t:%T %u:%g %a' /dev/own/control)" = 'character special file a:ed 3:4 640' ]
	opens /dev/own/control
	# The host's node has its own owner.
	[ "$(stat -c %u:%g /dev/loop-control)" != 3:4 ]
	# Neighbours stay closed, whoever makes the node.
	for node in 'c 10 236' 'c 1 1' 'b 7 0'; do
		run u1 sh -c "rm -f /tmp/n; mknod /tmp/n $node && : </tmp/n"
		[ "$status" -ne 0 ]
	done
	u1 ln /dev/own/control /dev/own/kept || true
	no_devices
	run ! u1 test -e /dev/own/control
	run ! opens /dev/own/kept
	# What every container has stays.
	opens /dev/null
}

@test "a block device by its number, read and written inside, at start and after a reboot" {
	loop=$(cat "$T/loop")
	device b "{\"type\":\"unix-block\",\"path\":\"/dev/disk0\",\"major\":\"7\",\"minor\":\"$((0x$(stat -c %T "$loop")))\"}"
	[ "$(u1 head -c 11 /dev/disk0)" = 'first words' ]
	[ "$(u1 stat -c %a:%u /dev/disk0)" = 660:0 ]
	u1 sh -c 'printf FIRST | dd of=/dev/disk0 conv=notrunc,fsync 2>/dev/null'
	[ "$(head -c 11 "$T/disk")" = 'FIRST words' ]
	s restart -f u1
	[ "$(u1 head -c 11 /dev/disk0)" = 'FIRST words' ]
	daemon_restart
	retry 10 is_status u1 Running
	no_devices
	run ! u1 test -e /dev/disk0
}

@test "what is not there or not right is said, unless it need not be there" {
	while IFS='|' read -r json text; do
		fails 1 "$text" s query -X PATCH /1.0/instances/u1 -d "{\"devices\":{\"x\":$json}}"
	done <<-END
		{"type":"unix-char"}|source=PATH
		{"type":"unix-char","path":"/dev/x","major":"1"}|major and minor
		{"type":"unix-char","path":"/dev/nothing"}|No such file
		{"type":"unix-char","source":"$(cat "$T/loop")"}|is no character device
		{"type":"unix-block","source":"/dev/null"}|is no block device
		{"type":"unix-char","source":"/dev/null","path":"/dev/x","mode":"0999"}|permissions
		{"type":"unix-char","source":"/dev/null","path":"/dev/x","uid":"70000"}|uid
		{"type":"unix-char","source":"$T/link"}|ymbolic
		{"type":"tpm"}|known in Incus, not supported here
	END
	device soft '{"type":"unix-char","source":"/dev/nothing","required":"false"}'
	no_devices
}

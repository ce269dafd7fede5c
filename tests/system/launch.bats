#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# launch.bats - Alpine from a mirror, an imported OpenRC: from nothing to deleted, with every verb
load lib

setup_file() {
	daemon_setup
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

console_says() {
	s console "$1" --show-log | grep -a "$2"
}

resolves() {
	s exec "$1" -- nslookup "$2" "$(gateway)"
}

gateway() {
	ip -4 -o address show dev "$BRIDGE" | sed -n 's/.*inet \([0-9.]*\).*/\1/p'
}

@test "a template is built from a mirror and launched" {
	mini c1 --wait ipv4
	is_status c1 Running
	[ "$(s exec c1 -- cat /etc/alpine-release)" = 3.20.3 ]
	s image alias list | grep alpine/3.20/mini
}

@test "its address is the lease's, and the bridge answers for its name" {
	ip4=$(address c1)
	s exec c1 -- ip -4 address show dev eth0 | grep "inet $ip4/"
	s network list-leases "$BRIDGE" | grep -w "$ip4" | grep c1
	s list --format csv | grep -w "$ip4"
	resolves c1 c1.sysctr | grep "$ip4"
	[ "$(s exec c1 -- hostname)" = c1 ]
}

@test "console, list and info show it" {
	retry 20 console_says c1 'login:'
	[ "$(s list --format csv --columns ns)" = c1,RUNNING ]
	s info c1 | grep -i running
	s list --format json | jq -e '.[0].name == "c1"'
	s list --format yaml | grep 'name: c1'
}

@test "exec passes on input, output, status, user, directory, environment" {
	[ "$(echo hello | s exec c1 -- cat)" = hello ]
	fails 7 "" s exec c1 -- sh -c 'exit 7'
	[ "$(s exec c1 --cwd /tmp --env A=b --user 65534 -- sh -c 'echo $(pwd) $A $(id -u)')" = "/tmp b 65534" ]
	[ "$(s exec c1 -- sh -c 'echo out; echo err >&2' 2>/dev/null)" = out ]
	fails 127 "" s exec c1 -- /no/such/program
	[ "$(head -c 3000000 /dev/zero | s exec c1 -- wc -c)" = 3000000 ]
}

@test "pause, resume, restart, stop, start, each told apart" {
	s pause c1
	is_status c1 Frozen
	s resume c1
	is_status c1 Running
	before=$(init_pid c1)
	s restart c1 --timeout 20
	is_status c1 Running
	[ "$(init_pid c1)" != "$before" ]
	s stop c1 --timeout 20
	is_status c1 Stopped
	fails 1 c1 s exec c1 -- true
	s start c1
	is_status c1 Running
	s stop c1 --force
	is_status c1 Stopped
}

@test "what was written stays over a stop" {
	s start c1
	s exec c1 -- sh -c 'echo kept >/root/mark; sync'
	s restart c1 --force
	[ "$(s exec c1 -- cat /root/mark)" = kept ]
}

@test "power-off and reboot from inside" {
	asks_init c1 poweroff
	retry 30 is_status c1 Stopped
	s start c1
	before=$(init_pid c1)
	asks_init c1 reboot
	rebooted() { is_status c1 Running && [ "$(init_pid c1)" != "$before" ] && s exec c1 -- true; }
	retry 30 rebooted
}

@test "a reboot while the daemon is down" {
	before=$(init_pid c1)
	retry 20 s exec c1 -- true
	daemon_kill
	enters "$before" reboot || true # init ends this, too
	again() { grep -x state=running "$T/run/instances/c1/status" && ! grep -x "pid=$before" "$T/run/instances/c1/status"; }
	retry 60 again
	daemon_start
	rebooted() { is_status c1 Running && [ "$(init_pid c1)" != "$before" ] && s exec c1 -- true; }
	retry 30 rebooted
}

@test "an ephemeral one is gone when it stops" {
	mini e1 --ephemeral
	is_status e1 Running
	s stop e1 --force
	retry 20 is_gone e1
	mini e2 --ephemeral
	asks_init e2 poweroff
	retry 30 is_gone e2
}

@test "an OpenRC image is imported and boots to a login prompt" {
	openrc_image
	s launch openrc o1
	retry 20 console_says o1 'login:'
	[ "$(s exec o1 -- hostname)" = o1 ]
	s stop o1 --timeout 20
	is_status o1 Stopped
	s delete o1
	is_gone o1
}

@test "delete wants a stopped one, or force" {
	fails 1 c1 s delete c1
	is_status c1 Running
	s delete --force c1
	is_gone c1
	[ ! -e "$T/run/instances/c1" ]
}

@test "wrong names, images, keys, verbs: words, hints and a status" {
	fails 1 "no-such-image" s launch no-such-image w1
	is_gone w1
	openrc_image
	fails 1 "openrc" s launch openrcc w1
	fails 1 "-bad" s launch openrc -- -bad
	for name in a/b a..b UPPER_case 1234 a.b "$(printf 'a%.0s' {1..64})" 'a b' '../x'; do
		run s create openrc "$name"
		[ "$status" -ne 0 ]
	done
	fails 1 "limits.cpu" s create openrc w1 -c limits.cpuu=1
	fails 1 "limits.memory" s create openrc w1 -c limits.memory=much
	fails 1 "nowhere" s create openrc w1 --profile nowhere
	fails 1 "nowhere" s create openrc w1 --network nowhere
	fails 1 "nobody" s start nobody
	fails 2 "launch" s lanch openrc w1
	fails 2 "" s list --formt json
	is_gone w1
}

@test "an image is built from a template file, under its own name and one more" {
	sed 's/release: "3.22"/release: "3.20"/; s/  variant: default/  variant: mini/' \
		"$SRCDIR/templates/alpine.yaml" >"$T/mine.yaml"
	run s image build "$T/mine.yaml" --alias mine --alias another
	[ "$status" -eq 0 ]
	s image list --format csv | grep mine
	s image show another
	s image delete mine
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# debian.bats - Debian 12 and 13 built by their templates: systemd is content, and the network works
load lib

setup_file() {
	export ID_BASE=1710000000
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
	s exec "$1" -- getent ahostsv4 "$2"
}

# boots RELEASE NAME: built, launched, looked at; left running
boots() {
	S_SECONDS=300 s launch "debian/$1" "$2" --wait ipv4
	[ "$(s exec "$2" -- systemctl is-system-running --wait)" = running ] || {
		s exec "$2" -- systemctl --failed --no-pager
		return 1
	}
	[ -z "$(s exec "$2" -- systemctl --failed --no-legend --plain)" ]
	retry 20 console_says "$2" 'login:'
	[ "$(s exec "$2" -- hostname)" = "$2" ]
	ip4=$(address "$2")
	s exec "$2" -- ip -4 address show dev eth0 | grep "inet $ip4/"
	retry 10 resolves "$2" "$2.sysctr"
	resolves "$2" "$2.sysctr" | grep -w "$ip4"
	[ "$(s exec "$2" -- cat /etc/machine-id | wc -c)" = 33 ]
}

# ends NAME: reboot and power-off as systemd does them, then delete
ends() {
	before=$(init_pid "$1")
	asks_init "$1" systemctl reboot
	rebooted() { is_status "$1" Running && [ "$(init_pid "$1")" != "$before" ]; }
	retry 30 rebooted "$1"
	s stop "$1" --timeout 30
	is_status "$1" Stopped
	s delete "$1"
	is_gone "$1"
}

@test "Debian 12 boots without a failed unit, with address and name" {
	boots bookworm b12
}

@test "Debian 12 reboots, stops and goes" {
	ends b12
}

@test "Debian 13 boots without a failed unit, with address and name" {
	boots trixie d13
}

@test "two instances of one image have ids of their own" {
	s launch debian/trixie d14
	booted() { s exec d14 -- systemctl is-system-running --wait; }
	retry 30 booted
	[ "$(s exec d13 -- cat /etc/machine-id)" != "$(s exec d14 -- cat /etc/machine-id)" ]
	s delete --force d14
}

@test "Debian 13 reboots, stops and goes" {
	ends d13
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# debian.bats - Debian 12 and 13 built by their templates: systemd is content, and the network works
load lib

setup_file() {
	export ID_BASE=1710000000
	daemon_setup
}

teardown_file() {
	pools_teardown onext4 onxfs onbtrfs
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

# is_up NAME: all its units run; before its bus does, nobody answers
is_up() {
	s exec "$1" -- systemctl is-system-running --wait | grep -x running
}

# runs NAME: its machine-id, when it is up
runs() {
	retry 60 is_up "$1" >&2 && s exec "$1" -- cat /etc/machine-id
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

@test "Debian in pools on loop files of ext4, xfs and btrfs: snapshots, restore, copies as it runs" {
	local fs next id other
	for fs in ext4 xfs btrfs; do
		truncate -s 3G "$T/on$fs.img"
		mkfs.$fs -q "$T/on$fs.img"
		mkdir "$T/on$fs"
		mount -o loop "$T/on$fs.img" "$T/on$fs"
	done
	s storage create onext4 overlay "source=$T/onext4"
	s storage create onxfs dir "source=$T/onxfs"
	s storage create onbtrfs btrfs "source=$T/onbtrfs"
	for fs in ext4:xfs xfs:btrfs btrfs:ext4; do
		next=on${fs#*:} fs=on${fs%:*}
		S_SECONDS=300 s launch debian/bookworm d1 -s $fs
		id=$(runs d1)
		s exec d1 -- sh -c 'echo one >/root/mark; chown daemon:mail /root/mark; ln /root/mark /root/mark2'
		s snapshot create d1 s0
		s exec d1 -- sh -c 'echo two >/root/mark; rm -r /usr/share/doc'
		S_SECONDS=300 s copy d1 d2 -s $next
		s snapshot restore d1 s0
		[ "$(runs d1)" = "$id" ]
		[ "$(s exec d1 -- cat /root/mark2)" = one ]
		[ "$(s exec d1 -- stat -c '%U %G %h' /root/mark)" = "daemon mail 2" ]
		s exec d1 -- test -d /usr/share/doc
		s start d2
		other=$(runs d2)
		[ "$other" != "$id" ]
		[ "$(s exec d2 -- cat /root/mark)" = two ]
		never s exec d2 -- test -e /usr/share/doc
		s stop -f d2
		s snapshot restore d2 s0
		s start d2
		[ "$(s exec d2 -- cat /root/mark2)" = one ]
		s delete --force d1 d2
	done
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

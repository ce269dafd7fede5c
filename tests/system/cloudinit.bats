#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# cloudinit.bats - the cloud-init of Debian takes what the keys say, in an image that has it
load lib

# What a user would write; the password's hash is never seen by anybody.
USER_DATA='#cloud-config
fqdn: seeded.example.org
prefer_fqdn_over_hostname: false
ssh_authorized_keys:
  - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpEqA0GGf6xVhwIi3t8zzzzzzzzzzzzzzzzzzzzzzzz of-a-test
write_files:
  - path: /etc/seeded
    content: "by user-data\n"
runcmd:
  - [sh, -c, "echo $(hostname) >/etc/ran"]
'
VENDOR_DATA='#cloud-config
bootcmd:
  - "echo by vendor-data >/etc/vendor"
'
NETWORK_CONFIG='version: 2
ethernets:
  eth0:
    dhcp4: false
    addresses: [198.18.9.9/24]
'

setup_file() {
	export ID_BASE=2290000000
	daemon_setup
	sed 's/^        - ca-certificates$/&\n        - cloud-init\n        - openssh-server/' \
		"$SRCDIR/templates/debian.yaml" >"$T/seeded.yaml"
	grep -q cloud-init "$T/seeded.yaml"
	S_SECONDS=600 s image build "$T/seeded.yaml" --alias seeded
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

# is_done NAME: cloud-init has run to its end, without an error
is_done() {
	S_SECONDS=180 s exec "$1" -- cloud-init status --wait --long | tee "$T/status.$1"
	grep -qx 'status: done' "$T/status.$1"
}

@test "user-data and vendor-data: files, a key, a command and the host name" {
	s launch seeded ci1 --wait ipv4 -c "cloud-init.user-data=$USER_DATA" \
		-c "cloud-init.vendor-data=$VENDOR_DATA"
	is_done ci1
	s exec ci1 -- cloud-id | grep -qx nocloud
	[ "$(s exec ci1 -- cat /etc/seeded)" = 'by user-data' ]
	[ "$(s exec ci1 -- cat /etc/vendor)" = 'by vendor-data' ]
	s exec ci1 -- grep -q of-a-test /root/.ssh/authorized_keys
	[ "$(s exec ci1 -- hostname)" = seeded ]
	[ "$(s exec ci1 -- cat /etc/ran)" = seeded ]
}

@test "network-config, and the older names of the keys" {
	s launch seeded ci2 -c "user.network-config=$NETWORK_CONFIG" -c "user.user-data=#cloud-config
runcmd: [touch /etc/older]"
	is_done ci2
	s exec ci2 -- test -e /etc/older
	s exec ci2 -- ip -4 address show dev eth0 | grep -w 198.18.9.9/24
	[ "$(s exec ci2 -- hostname)" = ci2 ]
	never s exec ci2 -- test -e /etc/seeded
	s delete --force ci2
}

@test "what changes is a new instance to cloud-init, a restart alone is none" {
	id=$(s exec ci1 -- cloud-init query instance_id)
	s exec ci1 -- rm /etc/seeded /etc/ran
	s restart ci1
	is_done ci1
	[ "$(s exec ci1 -- cloud-init query instance_id)" = "$id" ]
	never s exec ci1 -- test -e /etc/ran
	s config set ci1 "cloud-init.user-data=${USER_DATA/by user-data/another}"
	s restart ci1
	is_done ci1
	[ "$(s exec ci1 -- cloud-init query instance_id)" != "$id" ]
	[ "$(s exec ci1 -- cat /etc/seeded)" = another ]
	s delete --force ci1
}

@test "without any of the keys cloud-init stays away, and nothing has failed" {
	s launch seeded ci3 --wait ipv4
	[ "$(s exec ci3 -- systemctl is-system-running --wait)" = running ] || {
		s exec ci3 -- systemctl --failed --no-pager
		return 1
	}
	s exec ci3 -- cloud-init status | grep -qx 'status: disabled'
	s delete --force ci3
}

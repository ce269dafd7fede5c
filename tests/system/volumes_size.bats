#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# volumes_size.bats - the size of custom volumes where quotas are others than simple ones of btrfs, or
# none; what does not fit. The rest is in quota.bats.

load lib

setup_file() {
	export ID_BASE=1950000000
	daemon_setup
	clients_setup
	openrc_image
	s storage create q btrfs size=1GiB
	s launch openrc c1
}

teardown_file() {
	pools_teardown q full ext4
	daemon_teardown
}

teardown() {
	daemon_check
}

needs_quotas() {
	s storage info q | grep -q "^Quotas: yes" || skip "kernel: no quotas of btrfs"
}

@test "lxc sets a size, and shows what a volume takes" {
	needs_quotas
	timeout 60 lxc storage volume create q data size=32MiB </dev/null
	timeout 60 lxc storage volume set q data size 64MiB </dev/null
	v attach q data c1 /srv/data
	s exec c1 -- dd if=/dev/urandom of=/srv/data/kept bs=1M count=20 conv=fsync
	v info q data | grep -E '^Usage: 2[0-9.]+MiB of 64.00MiB$'
	s query /1.0/storage-pools/q/volumes/custom/data/state |
		jq -e '.usage | .total == 67108864 and .used > 20000000 and .used < 67108864'
	timeout 60 lxc storage volume info q data </dev/null | grep -E '^Usage: 2'
}

@test "a copy, or a restored snapshot, that does not fit is refused, and changes nothing" {
	local root
	full_fs
	s storage create full btrfs "source=$T/full/pool"
	v create full data
	root=$(volume_root full data)
	dd if=/dev/urandom of="$root/kept" bs=1M count=20 conv=fsync status=none
	fails 1 "size 4.00MiB is too small" s query -X POST --wait /1.0/storage-pools/full/volumes/custom \
		-d '{"name":"x","config":{"size":"4MiB"},"source":{"type":"copy","name":"data"}}'
	never v show full x
	[ "$(find "$T/full/pool/custom" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]
	v snapshot create full data big
	rm "$root/kept"
	btrfs filesystem sync "$T/full"
	v set full data size=8MiB
	fails 1 "size 8.00MiB is too small" v snapshot restore full data big
	[ ! -e "$root/kept" ]
	v set full data size=64MiB
	v snapshot restore full data big
	[ -e "$root/kept" ]
	v delete full data
	s storage delete full
	umount "$T/full"
}

@test "where there are no quotas a size is refused with the reason" {
	local why
	s storage create none dir "source=$T/none"
	why=$(s storage info none | sed -n 's/^Quotas: no: //p')
	[ -n "$why" ]
	fails 1 "cannot limit its size: $why" v create none x size=1GiB
	never v show none x
	v create none x
	fails 1 "$why" v set none x size=1GiB
	[ -z "$(v get none x size)" ]
	v set none x user.a=1
	v delete none x
	s storage delete none
}

@test "project quotas of ext4: df inside shows the size" {
	project_fs ext4 CONFIG_QFMT_V2 mkfs.ext4 -q -O quota,project
	s storage create ext4 dir "source=$T/ext4/pool"
	v create ext4 data size=64MiB
	v attach ext4 data c1 edata /srv/edata
	[ "$(s exec c1 -- df -k /srv/edata | awk 'NR == 2 { print $2 }')" = 65536 ]
	v set ext4 data size=128MiB
	[ "$(s exec c1 -- df -k /srv/edata | awk 'NR == 2 { print $2 }')" = 131072 ]
	v detach ext4 data c1
	v delete ext4 data
	s storage delete ext4
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# space.bats - a small file system with the database on it: storage work stops before it is full, what
# frees space goes on. Threat: D15.

load lib

setup_file() {
	export ID_BASE=1970000000
	export SMALL=$BATS_FILE_TMPDIR/small
	daemon_setup
	daemon_stop
	mkdir "$SMALL"
	truncate -s 400M "$SMALL.img"
	mkfs.ext4 -q -m 0 "$SMALL.img"
	mount -o loop "$SMALL.img" "$SMALL"
	cp -a "$T/state/." "$SMALL/"
	rm -r "$T/state"
	ln -s "$SMALL" "$T/state"
	echo 'storage: { reserve: 64MiB }' >>"$T/sysctrd.yaml"
	daemon_start
	openrc_image
	s create openrc c1
	s storage create d dir
	s create openrc c2 -s d
	s storage create b btrfs size=300MiB
	s create openrc c3 -s b
}

teardown_file() {
	local rc=0
	fill 0 || true
	delete_all || rc=1
	s storage delete b || rc=1
	s storage delete d || rc=1
	daemon_teardown || rc=1
	umount "$SMALL" || rc=1
	return $rc
}

teardown() {
	daemon_check
}

# fill MIB: so much is left free in the small file system; 0: all that this took is given back
fill() {
	local free
	rm -f "$SMALL/filler"
	sync -f "$SMALL"
	[ "$1" -gt 0 ] || return 0
	free=$(df -k --output=avail "$SMALL" | tail -n 1)
	fallocate -l $((free - $1 * 1024))K "$SMALL/filler"
}

@test "below the reserve nothing begins that takes space, and everything that does not" {
	fill 50
	local text="must stay free for the database (storage.reserve in sysctrd.yaml)"
	fails 1 "$text" s create openrc x1
	fails 1 "$text" s copy c1 x1
	fails 1 "$text" s snapshot create c1
	fails 1 "$text" s image import "$OPENRC" --alias again
	fails 1 "$text" s publish c1 --alias again
	fails 1 "$text" s storage create x1 dir "source=$T/x1"
	[ ! -e "$T/state/pools/default/instances/x1" ]
	[ ! -e "$T/x1" ]
	s config set c1 user.a=1
	s export c1 "$T/c1.tar"
	s start c1
	s exec c1 -- true
	s stop -f c1
	s delete c1
	fill 0
	s create openrc c1
}

@test "work that would go below it ends in the middle and leaves nothing (D15)" {
	dd if=/dev/urandom of="$T/state/pools/d/instances/c2/rootfs/big" bs=1M count=40 conv=fsync status=none
	fill 90
	fails 1 "must stay free" s copy c2 x2
	[ ! -e "$T/state/pools/d/instances/x2" ]
	[ -z "$(find "$T/state/pools/d" -maxdepth 1 -name '.new-*')" ]
	fails 1 "not enough space" s snapshot create c2
	fill 0
	s copy c2 x2
	s delete x2
}

@test "a refresh that would go below it while it copies the second snapshot leaves the copy as it was" {
	local before
	s create openrc c4 -s d
	s snapshot create c4 one
	s copy c4 x4 --instance-only
	s snapshot create x4 own
	dd if=/dev/urandom of="$T/state/pools/d/instances/c4/rootfs/big" bs=1M count=40 conv=fsync status=none
	s snapshot create c4 two
	before=$(ls "$T/state/pools/d/snapshots")
	fill 95
	fails 1 "copy-snapshots" s copy c4 x4 --refresh
	[[ $output == *"must stay free"* ]]
	[ "$(snap_names x4)" = own ]
	[ "$(ls "$T/state/pools/d/snapshots")" = "$before" ]
	[ ! -e "$T/state/pools/d/instances/x4/rootfs/big" ]
	[ -z "$(find "$T/state/pools/d" -maxdepth 1 -name '.new-*')" ]
	fill 0
	s snapshot delete c4/two
	s copy c4 x4 --refresh
	[ "$(snap_names x4)" = one ]
	[ -e "$T/state/pools/d/instances/x4/rootfs/big" ]
	s delete c4 x4
}

@test "a pool in a file beside the database grows only as far" {
	s export c2 "$T/c2.tar" --compression none
	rm "$T/state/pools/d/instances/c2/rootfs/big"
	fill 125 # the upload takes 45 of it
	fails 1 "not enough space" s import "$T/c2.tar" x3 -s b
	never s query /1.0/instances/x3
	fill 0
	s import "$T/c2.tar" x3 -s b
	s delete x3
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# pools_btrfs.bats - the driver btrfs: in a file, on a block device, in a directory of one; and the
# drivers for directories on xfs and ext4. Everything here is on loop files.

load lib

setup_file() {
	export ID_BASE=1930000000
	daemon_setup
	openrc_image
}

teardown_file() {
	local name file
	delete_all || true
	for name in file nest dev w k xfs ext4; do
		s storage delete $name >/dev/null 2>&1 || true
	done
	umount "$T"/{btrfs,xfs,ext4} 2>/dev/null || true
	for file in "$T"/*.img; do
		losetup -j "$file" -O NAME -n | xargs -r -n 1 losetup -d || true
	done
	daemon_teardown
}

teardown() {
	daemon_check
}

pool() {
	s query "/1.0/storage-pools/$1" | jq -r "$2"
}

# file_system NAME MKFS...: a file system of 1 GiB, mounted at $T/NAME
file_system() {
	truncate -s 1G "$T/$1.img"
	"${@:2}" "$T/$1.img" >/dev/null
	mkdir -p "$T/$1"
	mount -o loop "$T/$1.img" "$T/$1"
}

is_empty() {
	[ -z "$(find "$@" -mindepth 1)" ]
}

subvolumes() {
	btrfs subvolume list "$1" | wc -l
}

# lives NAME POOL: an instance's whole life on the pool
lives() {
	s launch openrc "$1" -s "$2"
	s exec "$1" -- sh -c 'echo one >/root/f && adduser -D joe'
	s snapshot create "$1" one # while it runs
	s exec "$1" -- sh -c 'echo two >/root/f'
	s snapshot create "$1" two
	s exec "$1" -- rm /root/f
	s copy "$1" "$1copy"
	never s exec "$1" -- cat /root/f
	s snapshot restore "$1" one
	[ "$(s exec "$1" -- cat /root/f)" = one ]
	s snapshot restore "$1" two
	[ "$(s exec "$1" -- cat /root/f)" = two ]
	s snapshot diff "$1" one | grep /root/f
	s start "$1copy"
	s exec "$1copy" -- id joe
	[ "$(s exec "$1copy" -- hostname)" = "$1copy" ]
	s stop -f "$1copy"
	s rename "$1copy" "$1other"
	s snapshot delete "$1" one
	s delete -f "$1" "$1other"
}

@test "the contract of drivers holds for btrfs" {
	file_system btrfs mkfs.btrfs -q
	"$BUILDDIR/tests/unit/storage/test_driver" "$T/btrfs"
	[ "$(subvolumes "$T/btrfs")" = 0 ]
}

@test "a pool in a file that is made for it: a life on it, and again after a reboot" {
	s storage create file btrfs size=1GiB
	[ "$(pool file '.driver + " " + .config.size + " " + .config.source')" = "btrfs 1GiB $T/state/disks/file.img" ]
	[ "$(stat -c '%s %a' "$T/state/disks/file.img")" = "1073741824 600" ]
	[ "$(stat -f -c %T "$T/state/pools/file")" = btrfs ]
	grep " $T/state/pools/file .*nosuid,nodev" /proc/self/mountinfo
	s storage info file | grep -x 'Snapshots: in constant time'
	lives b1 file
	# nothing is left but the image
	retry 20 is_empty "$T"/state/pools/file/{instances,snapshots,trash}
	[ "$(subvolumes "$T/state/pools/file")" = 1 ]
	s launch openrc b2 -s file
	s stop -f b2
	daemon_stop
	retry 10 umount "$T/state/pools/file"
	daemon_start
	[ "$(pool file .status)" = Created ]
	s start b2
	s exec b2 -- true
	# an update of the daemon does not mount it twice
	daemon_restart
	[ "$(grep -c " $T/state/pools/file " /proc/self/mountinfo)" = 1 ]
	s delete -f b2
	s storage set file user.x=1
	fails 1 '"size" cannot become smaller' s storage set file size=900MiB
	s storage delete file
	[ ! -e "$T/state/disks/file.img" ]
	[ ! -e "$T/state/pools/file" ]
}

@test "a pool in a file that was unmounted while a container kept it is the same one again" {
	local before
	s storage create file btrfs size=512MiB
	s launch openrc k1 # its monitor has the mount too
	s launch openrc k2 -s file
	s exec k2 -- sh -c 'echo one >/root/f; sync'
	before=$(losetup -j "$T/state/disks/file.img" -O NAME -n)
	daemon_stop
	retry 10 umount "$T/state/pools/file"
	daemon_start
	[ "$(pool file .status)" = Created ]
	[ "$(losetup -j "$T/state/disks/file.img" -O NAME -n)" = "$before" ]
	[ "$(cat "$T/state/pools/file/instances/k2/rootfs/root/f")" = one ]
	s exec k2 -- sh -c 'echo two >/root/f'
	[ "$(cat "$T/state/pools/file/instances/k2/rootfs/root/f")" = two ]
	s delete -f k1 k2
	s storage delete file
}

@test "nested and read-only subvolumes of a container go with it" {
	s storage create nest btrfs "source=$T/btrfs/pool"
	s launch openrc n1 -s nest
	root=$T/btrfs/pool/instances/n1/rootfs
	btrfs subvolume create "$root/a"
	btrfs subvolume create "$root/a/b"
	touch "$root/a/b/f"
	btrfs subvolume snapshot -r "$root/a/b" "$root/a/c"
	btrfs property set "$root/a" ro true
	s delete -f n1
	retry 20 is_empty "$T/btrfs/pool/trash"
	[ "$(subvolumes "$T/btrfs")" = 1 ] # the image
	s storage delete nest
	[ -z "$(ls -A "$T/btrfs/pool")" ]
}

@test "a pool on a block device; what is on it is not overwritten unasked" {
	truncate -s 400M "$T/disk.img"
	mkfs.ext4 -q "$T/disk.img"
	device=$(losetup -f --show "$T/disk.img")
	fails 1 "source.wipe=true" s storage create dev btrfs "source=$device"
	never s storage show dev
	[ "$(blkid -p -o value -s TYPE "$device")" = ext4 ]
	s storage create dev btrfs "source=$device" source.wipe=true
	s launch openrc d1 -s dev
	s stop d1 -f
	# another file system in its place is not taken for it
	daemon_stop
	retry 10 umount "$T/state/pools/dev"
	cp --sparse=always "$T/disk.img" "$T/saved"
	retry 10 mkfs.btrfs -q -f "$device" # the monitor lets go of it a moment later
	daemon_start
	[ "$(pool dev .status)" = Unavailable ]
	fails 1 "not available" s launch openrc d2 -s dev
	s query "/1.0/warnings?recursion=1" | grep "holds the file system"
	daemon_stop
	dd if="$T/saved" of="$device" bs=4M conv=fsync status=none
	daemon_start
	s start d1
	s delete -f d1
	s storage delete dev
	[ "$(blkid -p -o value -s TYPE "$device")" = btrfs ]
	losetup -d "$device"
}

@test "what is wrong is said" {
	fails 1 "needs a btrfs" s storage create w btrfs "source=$T/elsewhere"
	[ ! -e "$T/elsewhere" ]
	fails 1 "at least 256MiB" s storage create w btrfs size=1MiB
	fails 1 "is for pools with the driver btrfs" s storage create w dir size=1GiB
	fails 1 "it has no source" s storage create w btrfs size=1GiB "source=$T/btrfs/w"
	[ -z "$(ls -A "$T/state/disks")" ]
}

@test "a life on xfs and on ext4" {
	local fs driver copied
	file_system xfs mkfs.xfs -q
	file_system ext4 mkfs.ext4 -q
	for fs in xfs:overlay ext4:dir; do
		driver=${fs#*:} fs=${fs%:*}
		s storage create "$fs" "$driver" "source=$T/$fs"
		copied=copied
		[ "$fs" = ext4 ] || copied='copied, blocks are shared'
		s storage info "$fs" | grep -x "Snapshots: $copied"
		lives "$fs" "$fs"
		s storage delete "$fs"
		retry 10 umount "$T/$fs"
	done
}

@test "kill -9 while a pool in a file is made: it works afterwards, or can be deleted" {
	dies_after pool-create/make s storage create k btrfs size=512MiB
	[ "$(pool k .status)" = Created ]
	dies_after pool-delete/remove s storage delete k
	[ "$(pool k .status)" = Unavailable ]
	s storage delete k
	[ -z "$(ls -A "$T/state/disks")" ]
	retry 10 umount "$T/btrfs"
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# quota.bats - the size of root disks: set, kept, changed while it runs, refused where it is impossible.
# btrfs in a file; ext4 and xfs on loop files where the kernel has their project quotas. Threat: D15.

load lib

setup_file() {
	export ID_BASE=1950000000
	daemon_setup
	openrc_image
	s storage create q btrfs size=1GiB
	s launch openrc c1 -s q -d root,size=128MiB
}

teardown_file() {
	delete_all || true
	s profile delete small >/dev/null 2>&1 || true
	pools_teardown q q2 full old ext4 xfs
	daemon_teardown
}

teardown() {
	daemon_check
}

# root_of NAME [POOL]: its root file system, as the host sees it
root_of() {
	echo "$T/state/pools/${2:-q}/instances/$1/rootfs"
}

# has_room NAME MIB: so much can be written to its root, and is removed again
has_room() {
	local rc=0
	dd if=/dev/zero of="$(root_of "$1")/filler" bs=1M count="$2" conv=fsync 2>"$T/dd" || rc=$?
	rm -f "$(root_of "$1")/filler"
	btrfs filesystem sync "$T/state/pools/q"
	[ $rc -eq 0 ] || grep -q "quota" "$T/dd" || echo "dd: $(cat "$T/dd")" >&2
	return $rc
}

# Full quota groups count the image too: their numbers are others. They have a test of their own.
needs_simple() {
	s storage info q | grep -q "simple quotas" || skip "kernel: no simple quotas of btrfs (6.7)"
}

set_size() {
	s config device set "$1" root size="$2"
}

@test "a size is set with the instance, and holds" {
	needs_simple
	s storage info q | grep -x "Quotas: yes: simple quotas; df inside shows the whole pool"
	s exec c1 -- dd if=/dev/zero of=/root/a bs=1M count=60
	run s exec c1 -- sh -c 'dd if=/dev/zero of=/root/b bs=1M count=100; sync'
	[[ $output == *"uota exceeded"* ]]
	s exec c1 -- rm -f /root/b
	btrfs filesystem sync "$T/state/pools/q"
	s query /1.0/instances/c1/state | jq -e '.disk.root | .total == 134217728 and .usage > 62000000 and .usage < 134217728'
	s info c1 | grep -E '^  Disk \(root\): [0-9.]+MiB of 128.00MiB$'
	# what is nested in it does not get out of it
	btrfs subvolume create "$(root_of c1)/nested"
	never dd if=/dev/zero of="$(root_of c1)/nested/f" bs=1M count=100 conv=fsync
	rm "$(root_of c1)/nested/f"
	retry 20 btrfs subvolume delete "$(root_of c1)/nested"
	retry 20 has_room c1 50
}

@test "it is changed while it runs; too small is refused with both numbers" {
	needs_simple
	set_size c1 256MiB
	retry 20 has_room c1 150
	never has_room c1 250
	fails 1 "size 32.00MiB is too small" set_size c1 32MiB
	fails 1 "takes 6" set_size c1 32MiB
	[ "$(field c1 '.devices.root.size')" = 256MiB ]
	never has_room c1 250
	has_room c1 150
	s config device unset c1 root size
	has_room c1 250
	set_size c1 128MiB
	never has_room c1 100
}

@test "copies, restored and rebuilt instances have it too; a new name changes nothing" {
	needs_simple
	s snapshot create c1 big
	s stop -f c1
	s copy c1 c2
	never has_room c2 130
	has_room c2 100
	fails 1 "is too small" s copy c1 c3 -d root,size=4KiB
	never s query /1.0/instances/c3
	s rename c2 c4
	never has_room c4 130
	s rebuild c4 openrc
	never has_room c4 130
	has_room c4 100
	s copy c1 c4 --refresh
	never has_room c4 130
	s snapshot restore c1 big
	never has_room c1 130
	has_room c1 100
	# as it was when the snapshot was made, not as it is
	set_size c1 200MiB
	s snapshot restore c1 big
	never has_room c1 150
	set_size c1 200MiB
	s snapshot restore c1 big --diskonly
	has_room c1 150
	never has_room c1 210
	s delete c4
	# nothing of what is gone is left in the quota tree
	retry 20 no_stale_groups
}

# no_stale_groups [POOL N]: N volumes have a limit
no_stale_groups() {
	btrfs filesystem sync "$T/state/pools/${1:-q}"
	[ "$(btrfs qgroup show "$T/state/pools/${1:-q}" | grep -c '^1/')" = "${2:-1}" ]
}

# limit_of NAME [POOL]: what btrfs says of its root, in MiB
limit_of() {
	local pool=$T/state/pools/${2:-q} id
	id=$(btrfs subvolume show "$(root_of "$1" "${2:-q}")" | sed -n 's/.*Subvolume ID:[[:space:]]*//p')
	btrfs qgroup show -re --raw "$pool" | awk -v id="1/$id" '$1 == id { print $4 == "none" || $4 == "-" ? 0 : $4 / 1048576 }'
}

@test "the size of one that runs holds in copies, refreshed ones, those in another pool, and after a restore" {
	needs_simple
	local name
	s storage create q2 btrfs size=1GiB
	s launch openrc l1 -s q -d root,size=128MiB
	s exec l1 -- sh -c 'dd if=/dev/urandom of=/root/a bs=1M count=40 2>/dev/null'
	s copy l1 l2
	s copy l1 l3 -s q2
	s copy l1 l4 -s q2 -d root,size=96MiB
	for name in l2:q:128 l3:q2:128 l4:q2:96; do
		IFS=: read -r name pool size <<<"$name"
		has_limit $name $size
		[ "$(limit_of $name $pool)" = $size ]
		s start $name
		s exec $name -- sh -c "dd if=/dev/zero of=/root/b bs=1M count=$((size - 60)) conv=fsync 2>/dev/null"
		never s exec $name -- dd if=/dev/zero of=/root/c bs=1M count=60 conv=fsync
		s stop -f $name
		s copy l1 $name --refresh
		[ "$(limit_of $name $pool)" = $size ]
		[ ! -e "$(root_of $name $pool)/root/b" ]
	done
	# what does not fit is refused, and the copy is what it was
	s exec l1 -- sh -c 'dd if=/dev/urandom of=/root/d bs=1M count=60 2>/dev/null; sync'
	fails 1 "is too small" s copy l1 l4 --refresh
	[ "$(limit_of l4 q2)" = 96 ]
	[ -e "$(root_of l4 q2)/root/a" ]
	[ ! -e "$(root_of l4 q2)/root/d" ]
	fails 1 "is too small" s copy l1 l5 -s q2 -d root,size=64MiB
	never s query /1.0/instances/l5
	[ ! -e "$T/state/pools/q2/instances/l5" ]
	[ -z "$(find "$T/state/pools/q" "$T/state/pools/q2" -maxdepth 1 -name '.new-*')" ]
	fails 1 "cannot limit its size" s copy l1 l5 -s default
	s copy l1 l5 -s default -d root,size=
	s delete l5
	# restored while it runs: the size that it had then
	s snapshot create l1 then
	set_size l1 160MiB
	[ "$(limit_of l1)" = 160 ]
	s restore l1 then
	[ "$(limit_of l1)" = 128 ]
	s snapshot restore l1 then --diskonly
	[ "$(limit_of l1)" = 128 ]
	s copy l1/then l5 -s q2
	[ "$(limit_of l5 q2)" = 128 ]
	s delete -f l1 l2 l3 l4 l5
	retry 20 no_stale_groups
	retry 20 no_stale_groups q2 0
	s storage delete q2
}

@test "a size of the profile reaches those that use it; what does not fit is a warning" {
	needs_simple
	printf 'devices: {root: {type: disk, path: /, pool: q}}\n' | s profile create small
	s create openrc p1 -p small
	has_room p1 100
	dd if=/dev/urandom of="$(root_of p1)/kept" bs=1M count=20 conv=fsync status=none
	s profile device set small root size=64MiB
	retry 20 has_limit p1 64 # to try it by writing would be in its way
	never has_room p1 70
	s profile device set small root size=8MiB
	retry 20 warned_of p1
	s query "/1.0/warnings?recursion=1" | grep "size 8.00MiB is too small"
	fails 1 "is too small" s start p1
	s profile device set small root size=96MiB
	retry 20 has_limit p1 96
	has_room p1 70
	retry 20 never warned_of p1
	s delete p1
	s profile delete small
}

# has_limit INSTANCE MIB: that is what its volume has
has_limit() {
	[ "$(s config get "$1" volatile.root.size)" = $(($2 << 20)) ]
}

# warned_of INSTANCE: its size could not be applied
warned_of() {
	s query "/1.0/warnings?recursion=1" |
		jq -e --arg url "/1.0/instances/$1" '.[] | select(.entity_url == $url and .status != "resolved")'
}

@test "kill -9 while it changes: the next start of sysctrd knows what is to be" {
	local step
	for step in size apply; do
		set_size c1 128MiB
		dies_after "edit/$step" set_size c1 64MiB
		[ "$(field c1 '.devices.root.size')" = 128MiB ]
		retry 20 has_room c1 100
		never has_room c1 130
		[ "$(field c1 '.config["volatile.root.size"]')" = 134217728 ]
	done
}

@test "an import stops at the size, and leaves nothing (D15)" {
	printf 'devices: {root: {type: disk, path: /, pool: q}}\n' | s profile create small
	s create openrc e1 -p small
	dd if=/dev/urandom of="$(root_of e1)/big" bs=1M count=20 conv=fsync status=none
	s export e1 "$T/e1.tar.gz" --compression none
	s delete e1
	s profile device set small root size=16MiB
	fails 1 "the size of the root disk is reached" s import "$T/e1.tar.gz" e2
	never s query /1.0/instances/e2
	[ ! -e "$T/state/pools/q/instances/e2" ]
	s profile device set small root size=64MiB
	s import "$T/e1.tar.gz" e2
	never has_room e2 60
	s delete e2
	s profile delete small
}

@test "a pool in a file grows while it is used" {
	s exec c1 -- true 2>/dev/null || s start c1
	[ "$(s query /1.0/storage-pools/q/resources | jq .space.total)" = $((1 << 30)) ]
	fails 1 '"size" cannot become smaller' s storage set q size=512MiB
	s storage set q size=1536MiB user.a=1
	[ "$(s storage get q size)" = 1536MiB ]
	[ "$(s storage get q user.a)" = 1 ]
	[ "$(s query /1.0/storage-pools/q/resources | jq .space.total)" = $((1536 << 20)) ]
	s exec c1 -- true
	# the file became longer, but nobody knows: again
	dies_after pool-grow/grow s storage set q size=1792MiB
	[ "$(s storage get q size)" = 1536MiB ]
	s storage set q size=1792MiB
	[ "$(s query /1.0/storage-pools/q/resources | jq .space.total)" = $((1792 << 20)) ]
	fails 1 '"size" cannot be changed' s storage unset q size
	s storage create own dir "source=$T/own"
	fails 1 "is for pools with the driver btrfs" s storage set own size=1GiB
	s storage delete own
}

# vol COMMAND NAME WORD...: on a volume of q
vol() {
	v "$1" q "${@:2}"
}

# fits NAME MIB: so much can be written to the volume, and is removed again
fits() {
	local file rc=0
	file=$(volume_root q "$1")/filler
	dd if=/dev/zero of="$file" bs=1M count="$2" conv=fsync 2>"$T/dd" || rc=$?
	rm -f "$file"
	btrfs filesystem sync "$T/state/pools/q"
	[ $rc -eq 0 ] || grep -q quota "$T/dd" || echo "dd: $(cat "$T/dd")" >&2
	return $rc
}

@test "a custom volume has a size: set, held, changed while it is used, kept by copies and restores" {
	needs_simple
	s exec c1 -- true 2>/dev/null || s start c1
	vol create v1 size=32MiB
	vol attach v1 c1 /srv/v1
	s exec c1 -- dd if=/dev/zero of=/srv/v1/a bs=1M count=20
	run s exec c1 -- sh -c 'dd if=/dev/zero of=/srv/v1/b bs=1M count=20; sync'
	[[ $output == *"uota exceeded"* ]]
	s exec c1 -- rm -f /srv/v1/b
	vol set v1 size=64MiB
	retry 20 fits v1 30
	never fits v1 60
	s query /1.0/storage-pools/q/volumes/custom/v1/state | jq -e '.usage.total == 67108864'
	vol info v1 | grep -E '^Usage: [0-9.]+MiB of 64.00MiB$'
	fails 1 "size 8.00MiB is too small" vol set v1 size=8MiB
	[ "$(vol get v1 size)" = 64MiB ]
	v snapshot create q v1 one
	v copy q/v1 q/v2
	[ "$(vol get v2 size)" = 64MiB ]
	never fits v2 70
	fits v2 30
	vol detach v1 c1
	s stop -f c1
	v snapshot restore q v1 one # what a snapshot has does not count
	never fits v1 70
	retry 20 fits v1 30
	vol unset v1 size
	retry 20 fits v1 100
	s query -X PATCH -d '{"config":{"size":"32MiB"}}' /1.0/storage-pools/q/volumes/custom/v1
	never fits v1 40
	fails 1 "size" vol set v1 size=much
}

@test "kill -9 while a volume's size changes: the next start sets what its row says" {
	needs_simple
	vol create v3 size=32MiB
	for step in journal limit; do
		dies_after "volume-edit/$step" vol set v3 size=64MiB
		[ "$(vol get v3 size)" = 32MiB ]
		retry 20 holds v3 40
		fits v3 20
	done
	dies_after volume-edit/record vol set v3 size=64MiB
	[ "$(vol get v3 size)" = 64MiB ]
	fits v3 40
	[ -z "$(sqlite3 "$T/state/sysctr.db" 'SELECT id FROM journal')" ]
	vol delete v1
	vol delete v2
	vol delete v3
}

# holds NAME MIB: so much is too much
holds() {
	never fits "$@"
}

@test "a worker that dies while it changes a volume's size: the old one counts" {
	needs_simple
	vol create v4 size=32MiB
	worker_dies volume-limit
	fails 1 "before it was done" vol set v4 size=64MiB
	[ ! -e "$T/bin/die" ]
	[ "$(vol get v4 size)" = 32MiB ]
	retry 20 holds v4 40
	fits v4 20
	[ -z "$(sqlite3 "$T/state/sysctr.db" 'SELECT id FROM journal')" ]
	vol set v4 size=64MiB
	fits v4 40
	vol delete v4
	daemon_restart
}

@test "full quota groups hold a size too, and say what they cost" {
	local root=$T/full/pool/instances/f1/rootfs
	full_fs
	s storage create full btrfs "source=$T/full/pool"
	s storage info full | grep "^Quotas: yes: full quota groups, which make deleting slow"
	s launch openrc f1 -s full -d root,size=128MiB
	s query /1.0/instances/f1/state | jq -e '.disk.root.total == 134217728'
	s exec f1 -- dd if=/dev/zero of=/root/a bs=1M count=30
	run s exec f1 -- sh -c 'dd if=/dev/zero of=/root/b bs=1M count=120; sync'
	[[ $output == *"uota exceeded"* ]]
	s exec f1 -- rm -f /root/b
	fails 1 "size 16.00MiB is too small" s config device set f1 root size=16MiB
	s config device set f1 root size=300MiB
	s exec f1 -- sh -c 'dd if=/dev/zero of=/root/b bs=1M count=120; sync'
	[ "$(stat -c %s "$root/root/b")" = $((120 << 20)) ]
	s copy f1 f2
	s delete --force f1 f2
	s storage delete full
	umount "$T/full"
}

# over NAME: more than 128 MiB are refused by its quotas, from inside
over() {
	run s exec "$1" -- sh -c 'dd if=/dev/zero of=/root/over bs=1M count=140; sync'
	[[ $output == *"uota exceeded"* ]]
	s exec "$1" -- rm -f /root/over
}

@test "a kernel without simple quotas: a pool that is made gets full ones, which hold" {
	daemon_stop
	daemon_start SYSCTRD_TEST_FULL_QUOTAS=1
	s storage create old btrfs size=1GiB
	s storage info old | grep "^Quotas: yes: full quota groups, which make deleting slow"
	s launch openrc o1 -s old -d root,size=128MiB
	over o1
	s exec o1 -- dd if=/dev/zero of=/root/a bs=1M count=20
	s copy o1 o2
	s start o2
	over o2
	s snapshot create o1 snap0
	s exec o1 -- rm /root/a
	s restore o1 snap0
	retry 20 is_status o1 Running
	s exec o1 -- test -e /root/a
	over o1
	# the mode is the file system's, whatever the kernel could do by now
	daemon_stop
	daemon_start
	s storage info old | grep "^Quotas: yes: full quota groups"
	over o1
	s delete --force o1 o2
	s storage delete old
}

@test "where there are no quotas a size is refused with the reason" {
	local why
	s storage create none dir "source=$T/none"
	why=$(s storage info none | sed -n 's/^Quotas: no: //p')
	[ -n "$why" ]
	fails 1 "cannot limit its size: $why" s create openrc n1 -s none -d root,size=1GiB
	never s query /1.0/instances/n1
	s create openrc n1 -s none
	fails 1 "$why" set_size n1 1GiB
	s delete n1
	s storage delete none
}

@test "the contract of drivers holds with quotas" {
	mkdir "$T/state/pools/q/unit"
	"$BUILDDIR/tests/unit/storage/test_driver" "$T/state/pools/q/unit"
	rmdir "$T/state/pools/q/unit"
}

# df_total NAME: KiB that its root has for df inside
df_total() {
	s exec "$1" -- df -k / | awk 'NR == 2 { print $2 }'
}

# project_life NAME DRIVER: what is limited by project quotas, from the start to the end
project_life() {
	local content=$T/$1/pool/instances/$1
	"$BUILDDIR/tests/unit/storage/test_driver" "$T/$1" quotas
	s storage create "$1" "$2" "source=$T/$1/pool"
	s storage info "$1" | grep -x "Quotas: yes: project quotas; df inside shows the size"
	s launch openrc "$1" -s "$1" -d root,size=64MiB
	[ "$(df_total "$1")" = 65536 ]
	s query "/1.0/instances/$1/state" | jq -e '.disk.root | .total == 67108864 and .usage > 0'
	run s exec "$1" -- sh -c 'dd if=/dev/zero of=/root/a bs=1M count=100; sync; mv /root/a /root/b'
	[ "$(s exec "$1" -- stat -c %s /root/b)" -lt $((64 << 20)) ]
	s exec "$1" -- sh -c 'truncate -s 32M /root/b; ln -s b /root/link && mv /root/link /etc/link && ln /root/b /b && rm /root/b'
	s config device set "$1" root size=128MiB
	[ "$(df_total "$1")" = 131072 ]
	fails 1 "is too small" s config device set "$1" root size=16MiB
	[ "$(df_total "$1")" = 131072 ]
	s snapshot create "$1" one
	s snapshot restore "$1" one
	[ "$(df_total "$1")" = 131072 ]
	s copy "$1" "$1copy"
	s copy "$1" "$1copy" --refresh
	s start "$1copy"
	[ "$(df_total "$1copy")" = 131072 ]
	s config device unset "$1" root size
	[ "$(df_total "$1")" -gt 200000 ]
	s delete -f "$1" "$1copy"
	[ ! -e "$content" ]
	s storage delete "$1"
	umount "$T/$1"
}

@test "project quotas of ext4" {
	project_fs ext4 CONFIG_QFMT_V2 mkfs.ext4 -q -O quota,project
	project_life ext4 overlay
}

@test "project quotas of xfs" {
	project_fs xfs CONFIG_XFS_QUOTA mkfs.xfs -q
	project_life xfs dir
}

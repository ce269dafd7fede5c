#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# recover_pools.bats - storage pools, custom volumes and what is in them come back when the database is
# gone; a disk from another host; what strangers put on it. Everything is on loop files.

load lib

setup_file() {
	export ID_BASE=1970000000
	daemon_setup
	openrc_image
	file_system ext4 mkfs.ext4
	truncate -s 512M "$T/disk.img"
	# as names in /dev/disk are links too. The loop device itself stays: mount namespaces of others, which
	# have a copy of what is mounted here, may keep it
	export DEVICE=$T/disk LOOP
	LOOP=$(losetup -f --show "$T/disk.img")
	plug
}

teardown_file() {
	local name
	delete_all || true
	for name in $(s storage list --format csv -c n 2>/dev/null | grep -v default); do
		s storage volume list "$name" --format csv -c n 2>/dev/null |
			while read -r vol; do s storage volume delete "$name" "$vol" || true; done
		s storage delete "$name" >/dev/null 2>&1 || true
	done
	umount "$T"/{ext4,state/pools/*} 2>/dev/null || true
	detach_disks
	losetup -d "$LOOP" || true
	daemon_teardown
}

teardown() {
	daemon_check
}

# plug: the disk is there
plug() {
	ln -sfn "$LOOP" "$DEVICE"
}

# file_system NAME MKFS...: a file system of 512 MiB, mounted at $T/NAME
file_system() {
	truncate -s 512M "$T/$1.img"
	"${@:2}" -q "$T/$1.img" >/dev/null
	mkdir -p "$T/$1"
	mount -o loop "$T/$1.img" "$T/$1"
}

# lose_database: as after a disk error; what runs and what is mounted goes as with a reboot
lose_database() {
	s list --format csv -c n | while read -r name; do s stop -f "$name" 2>/dev/null || true; done
	daemon_stop
	rm "$T"/state/sysctr.db*
	retry 10 unmount_pools
	daemon_start
}

unmount_pools() {
	local dir
	for dir in "$T"/state/pools/*; do
		! mountpoint -q "$dir" || umount "$dir" || return 1
	done
}

pool() {
	s query "/1.0/storage-pools/$1" | jq -r "$2"
}

# recovered NAME [ARGUMENT...]: what a recovery says of it
recovered() {
	s admin recover --format json "${@:2}" 2>/dev/null | jq -r ".[] | select(.name == \"$1\") | .result"
}

# notes NAME [ARGUMENT...]
notes() {
	s admin recover --format json "${@:2}" 2>/dev/null | jq -r ".[] | select(.name == \"$1\") | .notes[]"
}

# says FILE TEXT: a moment later it is in there
says() {
	retry 30 grep -qF -- "$2" "$1"
}

@test "each pool is noted beside the database and in itself, as it is edited" {
	local file=$T/state/backups/pools
	s storage create dev btrfs "source=$DEVICE" --description "a disk"
	s storage create img btrfs size=300MiB user.a=1
	s storage create ext dir "source=$T/ext4/pool"
	[ "$(stat -c %a "$file" "$file/dev.yaml" | xargs)" = "700 600" ]
	grep -x "driver: btrfs" "$file/dev.yaml"
	grep -F "source: $DEVICE" "$file/dev.yaml"
	grep -F "source: $T/ext4/pool" "$file/ext.yaml"
	says "$T/state/pools/dev/pool.yaml" "name: dev"
	says "$T/ext4/pool/pool.yaml" "driver: dir"
	[ "$(stat -c %a "$T/ext4/pool/pool.yaml")" = 600 ]
	s storage set img user.a=edited
	grep -F "user.a: edited" "$file/img.yaml"
	says "$T/state/pools/img/pool.yaml" "user.a: edited"
	s storage create short dir "source=$T/short"
	[ -e "$file/short.yaml" ]
	says "$T/short/pool.yaml" short
	s storage delete short
	[ ! -e "$file/short.yaml" ]
	[ -z "$(ls -A "$T/short")" ]
}

@test "the database is gone: pools on a device, in a file and in a directory come back with all in them" {
	s launch openrc c1 -s dev -c snapshots.schedule="0 3 * * *" -c snapshots.expiry=4w
	s exec c1 -- sh -c 'echo one >/root/f'
	s storage volume create dev data size=64MiB user.x=y snapshots.schedule=@daily
	s storage volume attach dev data c1 /srv/data
	s snapshot create c1 one # with that disk
	s exec c1 -- sh -c 'echo two >/root/f; echo kept >/srv/data/file'
	s storage volume snapshot create dev data v1
	s exec c1 -- rm /srv/data/file
	s launch openrc c2 -s img
	s launch openrc c3 -s ext
	s query -X PATCH -d '{"expires_at":"2099-01-02T03:04:05Z"}' /1.0/instances/c1/snapshots/one
	created=$(s query /1.0/instances/c1/snapshots/one | jq -r .created_at)
	vcreated=$(s query /1.0/storage-pools/dev/volumes/custom/data/snapshots/v1 | jq -r .created_at)
	s stop -f c1 c2 c3
	says "$T/state/pools/dev/records/c1.yaml" 2099-01-02
	retry 30 grep -rqF "name: v1" "$T/state/pools/dev/records/custom"
	says "$T/ext4/pool/records/c3.yaml" "name: c3"
	says "$T/state/pools/img/records/c2.yaml" "name: c2"
	lose_database
	[ "$(s query /1.0/lost-storage-pools | jq -c sort)" = '["dev","ext","img"]' ]

	# a trial mounts nothing and changes nothing
	for name in dev img ext c1 c2 c3 data; do
		[ "$(recovered $name)" = recoverable ]
	done
	[ "$(s storage list --format csv -c n | xargs)" = default ]
	never grep -q "$T/state/pools" /proc/self/mountinfo

	s admin recover --apply
	[ "$(pool dev '.driver + .status + .config.source + .description')" = "btrfsCreated${DEVICE}a disk" ]
	[ "$(pool img '.config["user.a"] + .config.size')" = edited300MiB ]
	[ "$(s storage volume get dev data user.x)" = y ]
	[ "$(s storage volume get dev data snapshots.schedule)" = @daily ]
	[ "$(s query /1.0/storage-pools/dev/volumes/custom/data/snapshots/v1 | jq -r .created_at)" = "$vcreated" ]
	[ "$(s query /1.0/instances/c1/snapshots/one | jq -r '.created_at + .expires_at')" = "${created}2099-01-02T03:04:05.000000000Z" ]
	[ "$(s config get c1 snapshots.schedule)" = "0 3 * * *" ]
	s query /1.0/snapshot-plan | grep -q c1
	s start c1 c2 c3
	[ "$(s exec c1 -- cat /root/f)" = two ]
	[ "$(s exec c3 -- hostname)" = c3 ]
	# no two have the same ids
	bases=$(for c in c1 c2 c3; do awk 'NR == 1 { print $2 }' "/proc/$(init_pid $c)/uid_map"; done)
	[ "$(sort -u <<<"$bases" | wc -l)" = 3 ]
	never s exec c1 -- ls /srv/data/file
	s stop -f c1
	s snapshot restore c1 one
	s storage volume snapshot restore dev data v1
	s start c1
	[ "$(s exec c1 -- cat /root/f /srv/data/file | xargs)" = "one kept" ]
	if s storage info dev | grep -q "^Quotas: yes: simple"; then
		never s exec c1 -- sh -c 'dd if=/dev/urandom of=/srv/data/b bs=1M count=70 && sync'
		s exec c1 -- rm -f /srv/data/b
	fi
	[ "$(s admin recover 2>&1)" = "The database knows all that is in these pools." ]
}

@test "what the database has lost is no reason to lose it again: a default pool is where it was" {
	s storage create moved dir "source=$T/moved"
	grep -q "driver: overlay" "$T/state/backups/pools/default.yaml"
	daemon_stop
	sed -i "s,^config:.*,config: {source: $T/elsewhere}," "$T/state/backups/pools/default.yaml"
	cp "$T/state/sysctr.db" "$T/saved.db"
	cp "$T/state/backups/pools/default.yaml" "$T/default.yaml"
	mkdir -p "$T/elsewhere/instances"
	rm "$T"/state/sysctr.db*
	daemon_start
	[ "$(pool default .config.source)" = "$T/elsewhere" ]
	daemon_stop
	rm -r "$T"/state/sysctr.db* "$T/elsewhere"
	cp "$T/saved.db" "$T/state/sysctr.db"
	daemon_start
	[ "$(pool default .config.source)" = "$T/state/pools/default" ]
	never grep -q elsewhere "$T/state/backups/pools/default.yaml"
	s storage delete moved
}

@test "kill -9 after each step of a pool's recovery: the next one finishes it" {
	local place
	for place in recover-pool/look recover-pool/register recover-open/open recover/read; do
		lose_database
		dies_after "$place" s admin recover img --apply
		retry 20 s admin recover --apply
		[ "$(pool img .status)" = Created ]
		[ "$(pool dev .status)" = Created ]
		s start c2
		[ "$(s exec c2 -- hostname)" = c2 ]
		[ "$(s list --format csv -c n | xargs)" = "c1 c2 c3" ]
	done
}

@test "a disk from another host: named by its device, under another name, by what is wrong with it" {
	s config device add c1 eth9 nic network="$BRIDGE" name=eth9
	says "$T/state/pools/dev/records/c1.yaml" eth9
	lose_database
	rm "$T/state/backups/pools/"{dev,ext,img}.yaml
	mv "$T/state/disks/img.img" "$T/img.img"
	[ "$(s query /1.0/lost-storage-pools)" = "[]" ]
	fails 1 "name its source" s admin recover dev
	printf 'driver: [\n' >"$T/state/backups/pools/dev.yaml"
	fails 1 "backups/pools/dev.yaml: line" s admin recover dev
	rm "$T/state/backups/pools/dev.yaml"
	fails 1 "is not there" s admin recover dev --source /dev/sysctr-none
	fails 1 "there is no btrfs on" s admin recover x --source "$(findmnt -no SOURCE "$T/ext4")"
	fails 1 "there is no storage pool in" s admin recover x --source "$T/log"
	fails 1 "move it to" s admin recover img --source "$T/img.img"
	fails 1 "must be an absolute path" s admin recover img --source img.img
	fails 1 "exists already" s admin recover default --source "$DEVICE"
	fails 1 "only btrfs pools" s admin recover dev --source "$DEVICE" --driver dir
	fails 1 "unknown storage driver" s admin recover dev --source "$DEVICE" --driver zfs
	fails 2 "is of one pool" s admin recover a b --source "$DEVICE"

	# it says its name itself; under another one its disks follow
	[ "$(recovered dev --source "$DEVICE")" = recoverable ]
	[ "$(recovered c1 --source "$DEVICE")" = recoverable ]
	s admin recover other --source "$DEVICE" --apply
	[ "$(pool other '.config.source + .status')" = "${DEVICE}Created" ]
	[ "$(field c1 '.devices.data.pool + .devices.root.pool')" = otherother ]
	fails 1 "of storage pool \"other\" already" s admin recover dev --source "$DEVICE"
	s start c1
	[ "$(s exec c1 -- cat /srv/data/file)" = kept ]

	s admin recover --source "$T/ext4/pool" --apply
	[ "$(pool ext .driver)" = dir ]
	mv "$T/img.img" "$T/state/disks/"
	s admin recover img --apply
	[ "$(pool img '.driver + .config.size')" = btrfs300MiB ]
	s start c2 c3
}

@test "a directory that does not say what it is needs a driver" {
	lose_database
	rm "$T/state/backups/pools/"*.yaml "$T/ext4/pool/pool.yaml"
	fails 1 "give it one" s admin recover --source "$T/ext4/pool" --driver dir
	fails 1 "tells which driver" s admin recover ext --source "$T/ext4/pool"
	printf 'name: ext\ndriver: [\n' >"$T/ext4/pool/pool.yaml"
	fails 1 "tells which driver" s admin recover ext --source "$T/ext4/pool"
	fails 1 "pool.yaml cannot be read" s admin recover --source "$T/ext4/pool" --driver dir
	s admin recover ext --source "$T/ext4/pool" --driver dir --apply
	s admin recover other --source "$DEVICE" --apply
	s admin recover img --apply
	[ "$(s list --format csv -c n | xargs)" = "c1 c2 c3" ]
}

@test "what strangers wrote beside a root is named and not taken, until it is trusted" {
	local records=$T/ext4/pool/records
	s config set c3 security.privileged=true
	s config device add c3 etc disk source=/etc path=/mnt
	s profile create deep
	s config set c3 limits.memory=64MiB
	s profile set deep security.privileged=true
	s create --empty c4 -s ext -p default -p deep
	s create --empty c5 -s ext
	s storage volume create ext vol
	retry 30 grep -qF "source: /etc" "$records/c3.yaml"
	says "$records/c4.yaml" deep
	says "$records/c5.yaml" c5
	retry 30 grep -rqF "name: vol" "$records/custom"
	uuid=$(basename "$(ls "$records/custom"/*.yaml)" .yaml)
	lose_database
	# names, uuids and sources that are anybody's
	printf 'name: ../../x\ndriver: btrfs\nconfig: {source: /etc, volatile.disk: /dev/null, user.ok: fine}\n' >"$T/ext4/pool/pool.yaml"
	cp "$records/custom/$uuid.yaml" "$records/custom/no-uuid.yaml"
	ln -s /etc/shadow "$records/custom/11111111-1111-4111-8111-111111111111.yaml"
	printf 'type: custom\nconfig: {volume: {name: ../up}}\n' >"$records/custom/22222222-2222-4222-8222-222222222222.yaml"
	printf 'type: custom\nconfig: {volume: {name: gone}}\n' >"$records/custom/33333333-3333-4333-8333-333333333333.yaml"
	sed "s,^volumes:.*,volumes: {s: $uuid}," "$records/c5.yaml" >"$records/c6.yaml"
	rm "$T/state/backups/pools/ext.yaml"
	fails 1 'storage pool name "../../x"' s admin recover --source "$T/ext4/pool" --driver dir
	source=(ext --source "$T/ext4/pool" --driver dir)
	[ "$(recovered c3 "${source[@]}")" = refused ]
	notes c3 "${source[@]}" | grep -F "key security.privileged=true: reaches the host; --trusted takes it"
	notes c3 "${source[@]}" | grep -F 'device "etc": source=/etc: reaches the host'
	[ "$(recovered c4 "${source[@]}")" = refused ] # by its profile
	[ "$(recovered c5 "${source[@]}")" = recoverable ]
	[ "$(recovered c6 "${source[@]}")" = lost ]
	[ "$(recovered vol "${source[@]}")" = recoverable ]
	[ "$(recovered gone "${source[@]}")" = lost ]
	[ "$(s admin recover "${source[@]}" --format json | jq '[.[] | select(.result == "unreadable")] | length')" = 3 ]
	rm "$records"/custom/{no-uuid,1111,2222,3333}*.yaml "$records/c6.yaml"

	fails 1 "REFUSED" s admin recover "${source[@]}" --apply --format csv
	[ "$(pool ext '.config.source + .driver + .config["user.ok"]')" = "$T/ext4/pooldirfine" ]
	is_gone c3
	is_gone c4
	exists c5
	# known now, it is no more trusted than before
	[ "$(recovered c3)" = refused ]
	never s profile show deep
	s admin recover ext --apply --trusted
	[ "$(s config get c3 security.privileged)" = true ]
	[ "$(field c3 .devices.etc.source)" = /etc ]
	[ "$(s profile get deep security.privileged)" = true ]
	s admin recover other --source "$DEVICE" --apply
	s admin recover img --apply
	s delete c3 c4 c5
	s profile delete deep
}

@test "what is missing is named: a device, a network, another file system" {
	s network create "${TAG}n" ipv4.address=none ipv6.address=none
	s config device set c2 eth0 network "${TAG}n" 2>/dev/null ||
		s config device add c2 eth1 nic network="${TAG}n" name=eth1
	says "$T/state/pools/img/records/c2.yaml" "${TAG}n"
	s network delete "${TAG}n" 2>/dev/null || true
	lose_database
	s network delete "${TAG}n" 2>/dev/null || true
	mv "$T/state/disks/img.img" "$T/img.img"
	[ "$(recovered img)" = lost ]
	notes img | grep -F 'img.img" is not there'
	mv "$T/img.img" "$T/state/disks/"
	notes c2 | grep -F "network \"${TAG}n\" does not exist here: make it first"
	truncate -s 300M "$T/another.img"
	mkfs.btrfs -q "$T/another.img"
	ln -sfn "$(losetup -f --show "$T/another.img")" "$DEVICE"
	notes other | grep -F "holds the file system"
	fails 1 "holds the file system" s admin recover other --apply
	never s storage show other
	losetup -d "$DEVICE"
	truncate -s 0 "$T/nothing.img"
	ln -sfn "$(losetup -f --show "$T/nothing.img")" "$DEVICE"
	notes other | grep -F "nothing is behind \"$DEVICE\""
	losetup -d "$DEVICE"
	plug
	s admin recover --apply
	s start c1
}

# lose_device: what is on it is unplugged, as a disk that dies while nothing runs
lose_device() {
	s list --format csv -c n | while read -r name; do s stop -f "$name" 2>/dev/null || true; done
	daemon_stop
	retry 10 unmount_pools
	rm "$DEVICE"
	daemon_start
	[ "$(pool other .status)" = Unavailable ]
}

@test "a pool whose device is gone: what is on it is not deleted but forgotten, and found again" {
	s storage volume create other free
	says "$T/state/pools/other/records/c1.yaml" "name: c1"
	retry 30 grep -rqF "name: free" "$T/state/pools/other/records/custom"
	lose_device
	fails 1 "\"$DEVICE\" is not there; when it is back: sysctr admin recover --apply other" s delete c1
	exists c1
	[ "$(s query "/1.0/instances/c1" | jq -r .status)" = Stopped ]
	fails 1 "is not available: \"$DEVICE\" is not there" s start c1
	fails 1 "is not available: \"$DEVICE\" is not there" s snapshot delete c1 one
	[ "$(s snapshot list c1 --format csv | wc -l)" = 1 ]
	fails 1 "--forget takes the storage volume out of the database" s storage volume delete other free
	s storage volume show other free
	fails 1 "is available: delete the instance without --forget" s delete --forget c2
	s storage volume create img none
	fails 1 "is available: delete the storage volume without" s storage volume delete --forget img none
	s storage volume delete img none
	fails 1 "in use" s storage delete other
	fails 1 "in use" s storage delete --forget other
	fails 1 "is no boolean" s query -X DELETE "/1.0/instances/c1?forget=maybe"
	exists c1

	never grep -q "needs" <<<"$(s delete c1 2>&1)" # no hint of --force
	run s delete --forget c1
	[ "$status" -eq 0 ]
	[[ $output == *"c1 is forgotten"* ]]
	is_gone c1
	s storage volume delete --forget other free data
	[ -z "$(sqlite3 "$T/state/sysctr.db" 'SELECT id FROM journal')" ]
	# its name is free, and a restart changes nothing
	s create --empty c1
	daemon_restart
	[ "$(s storage list --format csv -c n | grep -c other)" = 1 ]
	s delete c1

	# it comes back while sysctrd runs: all of it is found, nothing of it was removed
	plug
	[ "$(recovered other)" = recoverable ]
	[ "$(recovered c1)" = recoverable ]
	s admin recover --apply other
	[ "$(pool other .status)" = Created ]
	# side files are written, and those of what came back stay
	s storage volume create other probe
	retry 30 grep -rqF "name: probe" "$T/state/pools/other/records/custom"
	[ -e "$T/state/pools/other/records/c1.yaml" ]
	s storage volume delete other probe
	s start c1
	[ "$(s exec c1 -- cat /root/f)" = one ]
}

@test "a lost pool that nothing uses is deleted, whatever is in its place" {
	s list --format csv -c n | while read -r name; do s stop -f "$name" 2>/dev/null || true; done
	lose_device
	for name in $(s list --format csv -c n); do
		[ "$(field "$name" .expanded_devices.root.pool)" != other ] || s delete --forget "$name"
	done
	s storage volume list other --format csv -c n | while read -r vol; do s storage volume delete --forget other "$vol"; done
	s storage delete other
	[ ! -e "$T/state/backups/pools/other.yaml" ]
	plug
	# a directory whose disk is not mounted is no empty pool
	s delete -f c3 c4 2>/dev/null || true
	openrc_image
	s launch openrc d1 -s ext
	s stop -f d1
	daemon_stop
	retry 10 umount "$T/ext4"
	daemon_start
	[ "$(pool ext .status)" = Unavailable ]
	fails 1 "is what is to be mounted there mounted?" s start d1
	fails 1 "is what is to be mounted there mounted?" s delete d1
	[ ! -e "$T/ext4/pool" ]
	mount -o loop "$T/ext4.img" "$T/ext4"
	s admin recover --apply ext
	s start d1
	s delete -f d1
	# something else is there: it stays
	s storage create odd dir "source=$T/odd"
	daemon_stop
	rm -r "$T/odd"
	echo mine >"$T/odd"
	daemon_start
	fails 1 "Not a directory" s storage delete odd
	s storage create fine dir "source=$T/fine"
	fails 1 "is available: delete the storage pool without" s storage delete --forget fine
	s storage delete fine
	s storage delete --forget odd
	[ "$(cat "$T/odd")" = mine ]
	never s storage show odd
	daemon_restart
	never s storage show odd
	[ "$(s query /1.0/lost-storage-pools)" = "[]" ]
}

# hangs POOL: by helpers_do; the worker that prepares POOL hangs as long as $T/bin/hang is there
hangs() {
	mkdir -p "$T/bin"
	touch "$T/bin/hang"
	helpers_do "if [ \"\$1\" = pool-prepare ] && grep -q '$1' /proc/self/fd/3; then
		while [ -e '$T/bin/hang' ]; do sleep 0.1; done
	fi"
}

is_created() {
	[ "$(pool "$1" .status)" = Created ]
}

@test "a disk that does not answer holds up nothing else" {
	s storage create slow dir "source=$T/slow"
	openrc_image
	s create openrc s1 -s slow
	cp "$T/sysctrd.yaml" "$T/kept.yaml"
	echo "storage: { wait: 1 }" >>"$T/sysctrd.yaml"
	hangs slow
	[ "$(pool slow .status)" = Unavailable ]
	retry 20 is_created default # which may take longer than it is waited for
	s launch openrc s2
	fails 1 "what it is on does not answer; it is still waited for" s start s1
	fails 1 "does not answer" s delete s1
	# what could not wait is forgotten
	s storage create slow2 dir "source=$T/slow2"
	daemon_stop
	daemon_start_here() { BUILDDIR=$T/bin daemon_start; }
	daemon_start_here
	s storage delete --forget slow2
	rm "$T/bin/hang"
	retry 20 is_created slow
	never s storage show slow2
	unwarned() { [ "$(s query "/1.0/warnings?recursion=1" | jq '[.[] | select(.entity_url == "/1.0/storage-pools/slow" and .status != "resolved")] | length')" = 0 ]; }
	retry 20 unwarned
	s start s1
	[ "$(s exec s1 -- hostname)" = s1 ]
	cp "$T/kept.yaml" "$T/sysctrd.yaml"
	daemon_restart
	s delete -f s1 s2
	s storage delete slow
}

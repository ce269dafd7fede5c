#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# devices_disk.bats - disks of the host inside, at start and while the container runs, as it sees them
# Rows of the threat table that a test is for begin its name (docs/threat-tests.md).
load lib

setup_file() {
	export ID_BASE=2010000000
	daemon_setup
	openrc_image
	export SRC=$T/src
	mkdir -p "$SRC/sub" "$T/canary"
	echo hello >"$SRC/file"
	chmod 755 "$T" "$SRC"
	s launch openrc d1
}

teardown_file() {
	umount "$SRC/later" 2>/dev/null || true
	umount "$SRC" 2>/dev/null || true
	daemon_teardown
}

teardown() {
	[ -z "$(ls "$T/canary")" ]
	daemon_check
}

d1() {
	s exec d1 -- "$@"
}

# device NAME JSON: adds or replaces one device of d1
device() {
	s query -X PATCH -d "{\"devices\":{\"$1\":$2}}" /1.0/instances/d1
}

# no_device NAME: takes it from d1, the others stay
no_device() {
	s query /1.0/instances/d1 | jq --arg name "$1" '{config, profiles, description, ephemeral,
		devices: (.devices | del(.[$name]))}' >"$T/put.json"
	s query -X PUT --wait -d "$(cat "$T/put.json")" /1.0/instances/d1 >/dev/null
}

mounted() {
	d1 grep -q " $1 " /proc/self/mountinfo
}

@test "a directory of the host comes and goes while the container runs" {
	device data "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/srv/deep/data\"}"
	[ "$(d1 cat /srv/deep/data/file)" = hello ]
	[ "$(d1 stat -c %u /srv/deep/data/file)" = 65534 ]
	run d1 touch /srv/deep/data/new
	[ "$status" -ne 0 ]
	no_device data
	run ! mounted /srv/deep/data
	[ -z "$(d1 ls /srv/deep/data)" ]
}

@test "G10: a shifted disk has the container's ids, no setid files, no devices" {
	device data "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/data\",\"shift\":\"true\"}"
	[ "$(d1 stat -c %u /data/file)" = 0 ]
	d1 touch /data/new
	[ "$(stat -c %u "$SRC/new")" = 0 ]
	d1 grep ' /data ' /proc/self/mountinfo | grep -w nosuid | grep -w nodev
	run d1 mount -o remount,bind,suid,dev /data
	[ "$status" -ne 0 ]
	run d1 mknod /data/node c 1 3
	[ "$status" -ne 0 ]
	no_device data
	rm "$SRC/new"
}

@test "a read-only disk stays read-only whatever root inside tries" {
	device ro "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/ro\",\"shift\":\"true\",\"readonly\":\"true\"}"
	for command in 'touch /ro/x' 'mount -o remount,rw,bind /ro' 'mount -o remount,rw /ro' \
		'mkdir -p /tmp/b && mount --bind /ro /tmp/b && mount -o remount,rw,bind /tmp/b'; do
		run d1 sh -c "$command"
		[ "$status" -ne 0 ]
	done
	[ ! -e "$SRC/x" ]
	no_device ro
}

@test "a tmpfs of its own size, and single files" {
	device tmp '{"type":"disk","source":"tmpfs:","path":"/scratch","size":"1MiB"}'
	device one "{\"type\":\"disk\",\"source\":\"$SRC/file\",\"path\":\"/etc/one\"}"
	[ "$(d1 df -k /scratch | awk 'NR==2 { print $2 }')" = 1024 ]
	[ "$(d1 stat -c %u:%a /scratch)" = 0:755 ]
	d1 sh -c 'dd if=/dev/zero of=/scratch/x bs=1k count=4096 || true; [ $(stat -c %s /scratch/x) -le 1048576 ]'
	[ "$(d1 cat /etc/one)" = hello ]
	no_device tmp
	no_device one
	run ! mounted /scratch
	run ! mounted /etc/one
}

@test "recursive and propagation: what is mounted below the source, now and later" {
	mkdir -p "$SRC/later"
	mount -t tmpfs later "$SRC/later"
	touch "$SRC/later/seen"
	device flat "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/flat\"}"
	device tree "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/tree\",\"recursive\":\"true\",\"readonly\":\"true\"}"
	[ -z "$(d1 ls /flat/later)" ]
	[ "$(d1 ls /tree/later)" = seen ]
	# What is below cannot be written to nor be taken away to see what it covers.
	run d1 touch /tree/later/x
	[ "$status" -ne 0 ]
	run d1 umount /tree/later
	[ "$status" -ne 0 ]
	no_device tree
	no_device flat
	umount "$SRC/later"
	mount --bind "$SRC" "$SRC"
	mount --make-shared "$SRC"
	device lone "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/lone\"}"
	device slave "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/slave\",\"propagation\":\"rslave\"}"
	mount -t tmpfs later "$SRC/later"
	d1 grep ' /slave/later ' /proc/self/mountinfo
	run ! d1 grep ' /lone/later ' /proc/self/mountinfo
	umount "$SRC/later"
	run ! d1 grep ' /slave/later ' /proc/self/mountinfo
	no_device lone
	no_device slave
	umount "$SRC"
	fails 1 'must be one of' s query -X PATCH /1.0/instances/d1 \
		-d "{\"devices\":{\"sh\":{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/sh\",\"propagation\":\"rsharde\"}}}"
}

# host_mounts: how many of this file's mounts the host sees
host_mounts() {
	grep -cF "$SRC" /proc/self/mountinfo || true
}

# shared_source INSTANCE: what the host mounts at $SRC/later, and what INSTANCE mounts itself
shared_source() {
	mount --bind "$SRC" "$SRC"
	mount --make-shared "$SRC"
	s query -X PATCH -d "{\"devices\":{\"sh\":{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/sh\",\"propagation\":\"rshared\"}}}" "/1.0/instances/$1"
	s exec "$1" -- grep ' /sh ' /proc/self/mountinfo | grep 'shared:.*master:'
	# A container inside: what comes from the host, and from here, goes on to it.
	s exec "$1" -- sh -c 'mkdir -p /peer && mount --bind /sh /peer'
	mkdir -p "$SRC/later" "$SRC/inner"
	mount -t tmpfs later "$SRC/later"
	s exec "$1" -- grep ' /peer/later ' /proc/self/mountinfo
	before=$(host_mounts)
	s exec "$1" -- mount -t tmpfs inner /sh/inner
	s exec "$1" -- grep ' /peer/inner ' /proc/self/mountinfo
	[ "$(host_mounts)" = "$before" ]
	s exec "$1" -- sh -c 'umount /sh/inner; umount -l /peer'
	umount "$SRC/later"
	s config device remove "$1" sh
	umount "$SRC"
}

@test "propagation=shared goes on inside, and never back to the host" {
	shared_source d1
}

@test "propagation=shared: not even from a privileged container" {
	s launch openrc dp -c security.privileged=true
	shared_source dp
	s delete -f dp
}

@test "propagation=unbindable: nobody inside can have it elsewhere too" {
	device un "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/un\",\"propagation\":\"unbindable\"}"
	[ "$(d1 cat /un/file)" = hello ]
	d1 grep ' /un ' /proc/self/mountinfo | grep -w unbindable
	d1 mkdir -p /elsewhere
	never d1 mount --bind /un /elsewhere
	no_device un
}

@test "raw.mount.options hold, whoever mounts it again inside" {
	cp "$SRC/file" "$SRC/tool" && printf '#!/bin/sh\necho ran\n' >"$SRC/tool" && chmod 755 "$SRC/tool"
	device opt "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/opt1\",\"raw.mount.options\":\"noexec,nosuid,noatime\"}"
	d1 grep ' /opt1 ' /proc/self/mountinfo | grep -w noexec | grep -w nosuid | grep -w noatime
	never d1 /opt1/tool
	never d1 mount -o remount,bind,exec /opt1
	device opt "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/opt1\"}"
	[ "$(d1 /opt1/tool)" = ran ]
	device opt '{"type":"disk","source":"tmpfs:","path":"/opt1","raw.mount.options":"ro,noexec"}'
	never d1 touch /opt1/x
	no_device opt
	rm "$SRC/tool"
	fails 1 'raw.mount.options="uid=5": must be of noatime' s config device add d1 opt disk \
		source="$SRC" path=/opt1 raw.mount.options=uid=5
}

# io_limit: what the kernel says of d1, for all devices
io_limit() {
	cat "$(cgroup_file d1 blkio "blkio.throttle.$1_$2_device" io.max)"
}

# reads_for FILE: milliseconds that it takes d1 to read it from the device
reads_for() {
	local start
	start=$(date +%s%N)
	d1 dd if="$1" of=/dev/null bs=512k iflag=direct
	echo $((($(date +%s%N) - start) / 1000000))
}

@test "limits.read and limits.write of the device that a disk is on, live" {
	dd if=/dev/urandom of="$SRC/data" bs=512k count=6 conv=fsync status=none
	device io "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/io\"}"
	s config device set d1 io limits.read=1MiB limits.write=7MiB,70iops
	[ "$(reads_for /io/data)" -ge 2000 ]
	io_limit read bps | grep 1048576
	io_limit write bps | grep 7340032
	io_limit write iops | grep -w '\(wiops=\)\?70'
	# The root on the same device: what is less counts. From a start on, too.
	s config device override d1 root limits.max=512KiB || s config device set d1 root limits.max=512KiB
	io_limit read bps | grep 524288
	s restart -f d1
	io_limit read bps | grep 524288
	s config device unset d1 root limits.max
	s config device unset d1 io limits.read
	never eval 'io_limit read bps | grep 1048576'
	io_limit write bps | grep 7340032
	no_device io
	[ -z "$(io_limit write bps)" ]
	[ -z "$(io_limit read bps)" ]
	fails 1 'limits: "/proc" is on no block device' s config device add d1 io disk source=/proc path=/io limits.max=1MiB
	fails 1 'limits.read is not for source=tmpfs:' s config device add d1 io disk source=tmpfs: path=/io limits.read=1MiB
	fails 1 'must be bytes in a second' s config device add d1 io disk source="$SRC" path=/io limits.read=fast
	rm "$SRC/data"
}

@test "what cannot be is said before anything changes, and nothing stays half done" {
	before=$(s query /1.0/instances/d1 | jq -S '{config, devices}')
	inside=$(d1 cat /proc/self/mountinfo | wc -l)
	while IFS='|' read -r json text; do
		fails 1 "$text" s query -X PATCH /1.0/instances/d1 -d "{\"devices\":$json}"
		[ "$(s query /1.0/instances/d1 | jq -S '{config, devices}')" = "$before" ]
	done <<-END
		{"x":{"type":"disk","path":"/x"}}|source is missing
		{"x":{"type":"disk","path":"/x","source":"rel"}}|absolute path
		{"x":{"type":"disk","path":"/x","source":"/nowhere/at/all"}}|does not exist
		{"x":{"type":"disk","path":"/x","source":"tmpfs:","shift":"true"}}|shift is not for
		{"x":{"type":"disk","path":"/x","source":"$SRC","size":"1MiB"}}|size is for
		{"x":{"type":"disk","path":"/x","source":"$SRC","readonly":"true","propagation":"slave"}}|propagation
		{"x":{"type":"disk","path":"/x","source":"$SRC","raw.mount.options":"ro","propagation":"shared"}}|excludes raw.mount.options
		{"x":{"type":"disk","path":"/x","source":"$SRC"},"y":{"type":"disk","path":"/x","source":"$SRC"}}|same path
		{"x":{"type":"disk","path":"/x","source":"$SRC"},"y":{"type":"disk","path":"/y","source":"$SRC/nothing"}}|does not exist
		{"x":{"type":"disk","path":"/etc/hostname/x","source":"$SRC"}}|no directory
		{"root":{"type":"disk","path":"/x","source":"$SRC"}}|root disk
	END
	fails 1 'cannot be mounted with other ids' s config device add d1 x disk source=/proc path=/x shift=true
	[ "$(d1 cat /proc/self/mountinfo | wc -l)" = "$inside" ]
}

@test "required=false starts without its source, true does not" {
	s create openrc d2 -d "x,type=disk,source=$T/none,path=/x,required=false"
	s start d2
	s query -X PATCH -d "{\"devices\":{\"x\":{\"type\":\"disk\",\"source\":\"$T/none\",\"path\":\"/x\"}}}" /1.0/instances/d2 || true
	s stop -f d2
	s query -X PATCH -d "{\"devices\":{\"x\":{\"type\":\"disk\",\"source\":\"$T/none\",\"path\":\"/x\"}}}" /1.0/instances/d2
	fails 1 "does not exist" s start d2
	s delete -f d2
}

@test "B1 B11: neither target nor source is looked up through a link" {
	d1 sh -c "ln -sfn $T/canary /evil; ln -sfn /etc /inside"
	for path in /evil /evil/x /inside/x; do
		fails 1 "symbolic link" s query -X PATCH /1.0/instances/d1 \
			-d "{\"devices\":{\"e\":{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"$path\"}}}"
	done
	ln -sfn / "$SRC/sub/host"
	fails 1 "symbolic link" s query -X PATCH /1.0/instances/d1 \
		-d "{\"devices\":{\"e\":{\"type\":\"disk\",\"source\":\"$SRC/sub/host/etc\",\"path\":\"/e\"}}}"
	rm "$SRC/sub/host"
	run ! grep -F "$T" /proc/self/mountinfo
}

@test "B2: a target that flips between directory and link is never the host's" {
	s exec d1 -- sh -c 'cat >/root/attack; chmod 755 /root/attack' <"$BUILDDIR/tests/fakes/attack"
	mounts() { grep -F "$T" /proc/self/mountinfo | sort; } # other files have theirs
	before=$(mounts)
	s exec d1 -- sh -c "until [ -e /root/enough ]; do /root/attack flip /flip $T/canary 1; done" >"$T/flips" &
	flipper=$!
	flips() { grep 'flips=[1-9]' "$T/flips"; }
	retry 20 flips
	for ((i = 0; i < 15; i++)); do
		s query -X PATCH /1.0/instances/d1 -d "{\"devices\":{\"f\":{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/flip/x/y\"}}}" || true
		no_device f
		[ -z "$(ls -A "$T/canary")" ]
	done
	d1 touch /root/enough
	wait $flipper
	[ "$(mounts)" = "$before" ]
}

@test "disks outlive the daemon, come back after a reboot, and an edit cut short is taken back" {
	device keep "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/keep\"}"
	daemon_kill
	daemon_start
	retry 10 is_status d1 Running
	[ "$(d1 cat /keep/file)" = hello ]
	dies_after edit/apply device half "{\"type\":\"disk\",\"source\":\"$SRC\",\"path\":\"/half\"}"
	retry 10 is_status d1 Running
	[ "$(s query /1.0/instances/d1 | jq '.devices | has("half")')" = false ]
	not_half() { ! mounted /half; }
	retry 10 not_half
	mounted /keep
	s restart -f d1
	[ "$(d1 cat /keep/file)" = hello ]
	no_device keep
}

@test "a profile's disk reaches all that use it, or none" {
	s launch openrc d3
	s profile create shared
	s profile add d1 shared
	s profile add d3 shared
	s profile edit shared <<<"devices: { p: { type: disk, source: $SRC, path: /p } }"
	for name in d1 d3; do [ "$(s exec $name -- cat /p/file)" = hello ]; done
	# On d3 there is a file in the way of the second one.
	s exec d3 -- touch /q
	fails 1 d3 s profile edit shared <<<"devices: { q: { type: disk, source: $SRC, path: /q } }"
	for name in d1 d3; do
		[ "$(s exec $name -- cat /p/file)" = hello ]
		run ! s exec $name -- grep ' /q ' /proc/self/mountinfo
	done
	s profile edit shared <<<"devices: {}"
	for name in d1 d3; do run ! s exec $name -- grep ' /p ' /proc/self/mountinfo; done
	s delete -f d3
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# volumes.bats - sysctr-worker's volume jobs as root: both drivers, hostile trees, locks, kills
# Driven through tests/fakes/jobrun, without a daemon. Threats: A17 A18 G9.

IDS="id_base=1879048192 id_count=65536"

setup_file() {
	srcdir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export SYSCTR_BUILDDIR=${SYSCTR_BUILDDIR:-$srcdir/build}
	export PATH="$SYSCTR_BUILDDIR/tests/fakes:$srcdir/tests/fakes:$PATH"
	export T=$BATS_FILE_TMPDIR
	export IMG=$(printf '%064d' 1)
	mkdir -p /srv/canary/d && echo safe >/srv/canary/f
	mktar.py good_kinds "$T/image.tar.gz"
	for driver in overlay dir; do
		pool=$(pool_of $driver)
		jobrun pool-prepare $pool
		jobrun image-unpack $pool image="$IMG" src="$T/image.tar.gz" $IDS
	done
}

teardown_file() {
	umount "$T/mnt" 2>/dev/null || true
	rm -rf /srv/canary
}

pool_of() {
	echo "pool.name=$1 pool.driver=$1 pool.dir=$T/$1"
}

@test "an overlay volume is an upper layer that looks like the image's root" {
	run jobrun volume-create $(pool_of overlay) volume=c1 image="$IMG"
	[ "$status" -eq 0 ]
	cd "$T/overlay/instances/c1"
	[ "$(ls)" = "$(printf 'upper\nwork')" ]
	[ "$(stat -c '%a %u %Y' upper)" = "$(stat -c '%a %u %Y' "$T/overlay/images/$IMG/rootfs")" ]
	# again is no error
	run jobrun volume-create $(pool_of overlay) volume=c1 image="$IMG"
	[ "$status" -eq 0 ]
}

@test "a dir volume is the image, entry by entry" {
	run jobrun volume-create $(pool_of dir) volume=c1 image="$IMG"
	[ "$status" -eq 0 ]
	list() {
		(cd "$1" && find . -printf '%P %y %m %U %G %l %n %T@\n' | sort
			getfattr -R -d -m - . 2>/dev/null)
	}
	diff <(list "$T/dir/images/$IMG/rootfs") <(list "$T/dir/instances/c1/rootfs")
	[ "$T/dir/instances/c1/rootfs/bin/ash" -ef "$T/dir/instances/c1/rootfs/bin/sh" ]
	[ ! "$T/dir/instances/c1/rootfs/bin/sh" -ef "$T/dir/images/$IMG/rootfs/bin/sh" ]
}

@test "what is missing or wrong is said" {
	run jobrun volume-create $(pool_of overlay) volume=c9 image="$(printf '%064d' 9)"
	[[ "$output" == *"is not unpacked in pool"* ]]
	run jobrun volume-create $(pool_of overlay) volume=../x
	[ "$status" -eq 1 ]
	run jobrun volume-create pool.name=x pool.driver=overlay pool.dir=/nonexistent volume=x
	[[ "$output" == *"does not exist"* ]]
	run jobrun volume-create pool.name=x pool.driver=overlayy pool.dir=/tmp volume=x
	[[ "$output" == *'did you mean "overlay"'* ]]
	run jobrun volume-create $(pool_of overlay) volume=x size_bytes=1000
	[ "$status" -eq 1 ]
	[[ "$output" == *"project quotas"* || "$output" == *"too small"* ]]
	[ -z "$(find "$T" -name '.new-*')" ]
}

@test "delete: hidden at once, then freed; repeatable" {
	for driver in overlay dir; do
		run jobrun volume-delete $(pool_of $driver) volume=c1
		[ "$status" -eq 0 ]
		[[ "$output" == *"result hidden=true"* ]]
		[ ! -e "$T/$driver/instances/c1" ]
		[ -z "$(ls -A "$T/$driver/trash")" ]
		run jobrun volume-delete $(pool_of $driver) volume=c1
		[ "$status" -eq 0 ]
	done
}

@test "a volume in use is not deleted" {
	jobrun volume-create $(pool_of overlay) volume=used image="$IMG"
	exec 8<"$T/overlay/instances/used"
	flock 8
	run jobrun volume-delete $(pool_of overlay) volume=used
	[ "$status" -eq 1 ]
	[[ "$output" == *"is in use"* ]]
	exec 8<&-
	exec 8<"$T/overlay/images/$IMG"
	flock -s 8
	run jobrun image-delete $(pool_of overlay) image="$IMG"
	[ "$status" -eq 1 ]
	exec 8<&-
	run jobrun volume-delete $(pool_of overlay) volume=used
	[ "$status" -eq 0 ]
}

@test "a hostile tree is removed, and nothing outside of it" {
	jobrun volume-create $(pool_of dir) volume=evil
	root=$T/dir/instances/evil/rootfs
	ln -s /srv/canary "$root/link"
	ln -s ../../../../.. "$root/up"
	mkdir "$root/$(printf 'x\n-rf *')" && touch "$root/-rf" "$root/$(printf '\377\376')"
	mknod "$root/null" c 1 3 && mkfifo "$root/fifo"
	touch "$root/immutable" && chattr +i "$root/immutable"
	mkdir "$root/append" && touch "$root/append/f" && chattr +a "$root/append"
	mkdir "$root/000" && touch "$root/000/f" && chmod 000 "$root/000"
	python3 - "$root" <<-'PY'
	import os, sys
	os.chdir(sys.argv[1])
	for _ in range(5000):
	    os.mkdir("d" * 200)
	    os.chdir("d" * 200)
	PY
	run jobrun volume-delete $(pool_of dir) volume=evil
	[ "$status" -eq 0 ]
	[ -z "$(ls -A "$T/dir/trash")" ]
	[ "$(cat /srv/canary/f)" = safe ]
}

@test "a mount inside a volume stops the removal, not the host" {
	jobrun volume-create $(pool_of dir) volume=mnt
	mkdir "$T/dir/instances/mnt/rootfs/m"
	mount --bind /srv/canary "$T/dir/instances/mnt/rootfs/m"
	run jobrun volume-delete $(pool_of dir) volume=mnt
	umount "$T"/dir/trash/*/rootfs/m 2>/dev/null || umount "$T/dir/instances/mnt/rootfs/m"
	[ "$status" -eq 1 ]
	[ "$(cat /srv/canary/f)" = safe ]
	run jobrun pool-prepare $(pool_of dir)
	[ "$status" -eq 0 ]
	[ -z "$(ls -A "$T/dir/trash")" ]
}

@test "links in the place of the pool's directories are not followed" {
	mkdir "$T/linked"
	jobrun pool-prepare pool.name=l pool.driver=dir pool.dir="$T/linked"
	rmdir "$T/linked/instances" && ln -s /srv/canary/d "$T/linked/instances"
	run jobrun volume-create pool.name=l pool.driver=dir pool.dir="$T/linked" volume=c1
	[ "$status" -eq 1 ]
	run jobrun volume-delete pool.name=l pool.driver=dir pool.dir="$T/linked" volume=c1
	[ "$status" -eq 1 ]
	run jobrun pool-prepare pool.name=l pool.driver=dir pool.dir="$T/linked"
	[ "$status" -eq 1 ]
	[ -z "$(ls -A /srv/canary/d)" ]
}

@test "kill -9 of a copy and of a delete: invisible, and cleaned up by the next start" {
	pool=$(pool_of dir)
	big=$(printf '%064d' 2)
	mkdir -p "$T/big/etc" "$T/big/bin"
	cp /bin/true "$T/big/bin/sh"
	for i in $(seq 3000); do echo "$i" >"$T/big/etc/f$i"; done
	tar -C "$T/big" -cf "$T/big.tar" .
	jobrun image-unpack $pool image="$big" src="$T/big.tar" $IDS
	half_made() { [ -n "$(find "$T/dir" -maxdepth 1 -name '.new-*')" ]; }
	for _ in $(seq 10); do # until it is not faster
		run jobrun volume-create $pool volume=k image="$big" kill_when="$T/dir/.new-*"
		[ "$status" -eq 0 ] || break
		jobrun volume-delete $pool volume=k
	done
	[ "$status" -eq 137 ]
	[ ! -e "$T/dir/instances/k" ]
	half_made
	run jobrun volume-create $pool volume=k image="$big"
	[ "$status" -eq 0 ]
	run jobrun volume-delete $pool volume=k kill_after_ms=6
	jobrun pool-prepare $pool
	run jobrun volume-delete $pool volume=k
	[ "$status" -eq 0 ]
	[ -z "$(ls -A "$T/dir/trash")" ]
	[ -z "$(find "$T/dir" -maxdepth 1 -name '.new-*')" ]
	# asked to stop, it undoes
	for _ in $(seq 10); do
		run jobrun volume-create $pool volume=k image="$big" kill_when="$T/dir/.new-*" signal=15
		[ "$status" -eq 0 ] || break
		jobrun volume-delete $pool volume=k
	done
	[ "$status" -eq 1 ]
	[[ "$output" == *"error -125 8 cancelled"* ]]
	[ -z "$(find "$T/dir" -maxdepth 1 -name '.new-*')" ]
}

@test "a snapshot is the upper layer with whiteouts, redirects, ACLs and all; restoring is exact" {
	pool=$(pool_of overlay)
	stage=11111111-2222-4333-8444-555555555555
	snap=66666666-7777-4888-8999-aaaaaaaaaaaa
	jobrun volume-create $pool volume=s1 image="$IMG"
	upper=$T/overlay/instances/s1/upper
	mkdir "$T/mnt"
	mount -t overlay -o "redirect_dir=on,lowerdir=$T/overlay/images/$IMG/rootfs,upperdir=$upper,workdir=$T/overlay/instances/s1/work" o "$T/mnt"
	rm "$T/mnt/bin/sh"
	mv "$T/mnt/etc" "$T/mnt/etc2"
	mkdir "$T/mnt/etc" && echo new >"$T/mnt/etc/f" && chown 12:34 "$T/mnt/etc/f"
	setfacl -m u:77:rw "$T/mnt/etc/f"
	setcap cap_net_raw+ep "$T/mnt/etc/f"
	ln -s nowhere "$T/mnt/dangling" && mkfifo "$T/mnt/fifo" && mknod "$T/mnt/null" c 1 3
	ln "$T/mnt/etc/f" "$T/mnt/etc/g" && touch -d 2001-02-03 "$T/mnt/etc"
	truncate -s 1G "$T/mnt/sparse"
	umount "$T/mnt"
	list() {
		(cd "$1" && find . -type c -printf '%P whiteout\n' -o -printf '%P %y %m %U %G %l %n %T@\n' | sort
			find . ! -type c -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex 2>/dev/null)
	}
	list "$upper" >"$T/before"
	grep redirect "$T/before" && grep opaque "$T/before"
	[ -n "$(find "$upper" -type c -size 0 -name sh)" ]
	jobrun snapshot-copy $pool volume=s1 stage=$stage
	[ ! -e "$T/overlay/snapshots/$snap" ]
	run jobrun snapshot-commit $pool stage=$stage snapshot=$snap
	[ "$status" -eq 0 ]
	[[ "$output" == *"result size="* ]]
	list "$T/overlay/snapshots/$snap/upper" | diff "$T/before" -
	rm -r "$upper/etc" && touch "$upper/more"
	jobrun snapshot-copy $pool snapshot=$snap stage=$stage
	run jobrun snapshot-commit $pool stage=$stage volume=s1
	[ "$status" -eq 0 ]
	list "$upper" | diff "$T/before" -
	[ -z "$(ls -A "$T/overlay/trash")" ]
	jobrun volume-delete $pool volume=s1 snapshots=$snap
	[ -z "$(ls -A "$T/overlay/snapshots")" ]
}

@test "a snapshot stops before the pool's reserve is touched, and leaves nothing" {
	pool=$(pool_of dir)
	stage=11111111-2222-4333-8444-555555555555
	jobrun volume-create $pool volume=full image="$IMG"
	run jobrun snapshot-copy $pool volume=full stage=$stage reserve_bytes=9000000000000000
	[ "$status" -eq 1 ]
	[[ "$output" == *"not enough space is left"* ]]
	[ -z "$(find "$T/dir" -maxdepth 1 -name '.new-*')" ]
	jobrun volume-delete $pool volume=full
}

@test "kill -9 of a snapshot's copy: invisible, and cleaned up by the next start" {
	pool=$(pool_of dir)
	big=$(printf '%064d' 2)
	stage=11111111-2222-4333-8444-555555555555
	jobrun volume-create $pool volume=k image="$big"
	half_made() { [ -e "$T/dir/.new-$stage" ]; }
	for _ in $(seq 10); do # until it is not faster
		run jobrun snapshot-copy $pool volume=k stage=$stage pass=1 kill_when="$T/dir/.new-$stage"
		[ "$status" -eq 0 ] || break
		jobrun snapshot-delete $pool stage=$stage
	done
	[ "$status" -eq 137 ]
	half_made
	jobrun pool-prepare $pool
	run ! half_made
	jobrun snapshot-copy $pool volume=k stage=$stage pass=1
	half_made
	jobrun snapshot-delete $pool stage=$stage
	run ! half_made
	jobrun volume-delete $pool volume=k
}

@test "the worker that makes a volume loads no big library" {
	[ "$(ldd "$SYSCTR_BUILDDIR/sysctr-worker" | grep -cE 'archive|curl|gnutls|sqlite')" = 0 ]
}

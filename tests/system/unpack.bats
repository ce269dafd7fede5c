#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# unpack.bats - sysctr-unpack and sysctr-worker against a hostile corpus, full disks and kills
# Threats: A1 A18 E8 F2 G9 I4 (shared design/threats.md). Needs root; drives the helpers through
# tests/fakes/jobrun, without a daemon.

IDS="id_base=1879048192 id_count=65536"

setup_file() {
	srcdir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export SYSCTR_BUILDDIR=${SYSCTR_BUILDDIR:-$srcdir/build}
	export PATH="$SYSCTR_BUILDDIR/tests/fakes:$srcdir/tests/fakes:$PATH"
	export ALPINE=$srcdir/../shared/data/alpine
	export T=$BATS_FILE_TMPDIR
	export POOL="pool.name=p pool.driver=overlay pool.dir=$T/pool"
	mkdir -p /srv/canary/d && echo safe >/srv/canary/f
	jobrun pool-prepare pool.name=p pool.driver=auto pool.dir="$T/pool"
}

teardown_file() {
	umount "$T/small" 2>/dev/null || true
	rm -rf /srv/canary
}

# store FILE [key=value ...]: reports into $output; the fingerprint into $fp
store() {
	local file=$1
	shift
	run jobrun image-store dir="$T/images" src="$file" $IDS "$@"
	fp=$(sed -n 's/^result fingerprint=//p' <<<"$output")
}

# unpack FILE NAME [key=value ...]: as the image whose fingerprint is NAME padded with zeros
unpack() {
	local file=$1
	id=$(printf '%064d' "$2")
	shift 2
	run jobrun image-unpack $POOL image="$id" src="$file" $IDS "$@"
}

make_case() {
	mktar.py "$1" "$T/$1.tar.${2:-gz}"
	file=$T/$1.tar.${2:-gz}
}

nothing_left() {
	[ -z "$(find "$T/pool" -maxdepth 1 -name '.new-*')" ]
	[ -z "$(find "$T/images" -name '.new-*' 2>/dev/null)" ]
	[ "$(cat /srv/canary/f)" = safe ]
	[ -z "$(ls /srv/canary/d)" ]
}

# refused CASE TEXT: neither stored nor unpacked, and the words say why
refused() {
	make_case "$1"
	store "$file"
	[ "$status" -eq 1 ]
	[[ "$output" == *"$2"* ]]
	[ -z "$fp" ]
	unpack "$file" 66
	[ "$status" -eq 1 ] || rm -rf "$T/pool/images/$id"
	[ ! -e "$T/pool/images/$id" ]
	nothing_left
}

@test "the pool is closed to host users" {
	[ "$(stat -c '%a %u' "$T/pool")" = "700 0" ]
	chmod 711 "$T"
	run setpriv --reuid 65534 --clear-groups ls "$T/pool"
	[ "$status" -ne 0 ]
}

@test "real Alpine images import and unpack" {
	for file in "$ALPINE"/*.tar.*; do
		store "$file"
		[ "$status" -eq 0 ]
		[ "$fp" = "$(sha256sum <"$file" | cut -d' ' -f1)" ]
		[[ "$output" == *"result architecture=x86_64"* ]]
		[ "$(stat -c %a "$T/images/$fp")" = 600 ]
		run jobrun image-unpack $POOL image="$fp" src="$T/images/$fp" $IDS
		[ "$status" -eq 0 ]
		[ -x "$T/pool/images/$fp/rootfs/bin/busybox" ]
		[ "$(stat -c %u "$T/pool/images/$fp/rootfs/etc/passwd")" = 0 ]
		# the same again is no error
		run jobrun image-unpack $POOL image="$fp" src="$T/images/$fp" $IDS
		[ "$status" -eq 0 ]
	done
}

@test "the root file system is tar's, entry by entry" {
	file=$(ls "$ALPINE"/alpine-minirootfs-*)
	mkdir "$T/ref"
	tar -xpf "$file" --numeric-owner -C "$T/ref"
	unpack "$file" 1
	[ "$status" -eq 0 ]
	list() { (cd "$1" && find . -printf '%P %y %m %U %G %s %l %n %Ts\n' | grep -v ' d ' | sort); }
	diff <(list "$T/ref") <(list "$T/pool/images/$id/rootfs")
	dirs() { (cd "$1" && find . -type d -printf '%P %m %U %G %Ts\n' | sort); }
	diff <(dirs "$T/ref") <(dirs "$T/pool/images/$id/rootfs")
}

@test "every compression is known by its first bytes" {
	for ending in gz xz bz2 zst lzma; do
		make_case good_unified "$ending"
		mv "$file" "$T/image"
		store "$T/image"
		[ "$status" -eq 0 ]
		[[ "$output" == *"result property.os=test"* ]]
		[[ "$output" == *"result created=1700000000"* ]]
		[[ "$output" == *"result expiry=1900000000"* ]]
	done
	mktar.py good_plain "$T/plain.tar"
	store "$T/plain.tar" property.description=mine
	[ "$status" -eq 0 ]
	[[ "$output" == *"result property.description=mine"* ]]
}

@test "an upload comes through standard input" {
	make_case good_unified
	run jobrun image-store dir="$T/images" $IDS <"$file"
	[ "$status" -eq 0 ]
	[[ "$output" == *"result size=$(stat -c %s "$file")"* ]]
	run jobrun image-store dir="$T/images" $IDS </dev/null
	[ "$status" -eq 1 ]
	[[ "$output" == *"the image is empty"* ]]
	nothing_left
}

@test "a split image is two files and one fingerprint" {
	make_case good_metadata_file xz
	make_case good_plain
	store "$T/good_metadata_file.tar.xz" src_rootfs="$T/good_plain.tar.gz"
	[ "$status" -eq 0 ]
	[[ "$output" == *"result format=split"* ]]
	sum=$(cat "$T/good_metadata_file.tar.xz" "$T/good_plain.tar.gz" | sha256sum | cut -d' ' -f1)
	[ "$fp" = "$sum" ]
	run jobrun image-unpack $POOL image="$fp" src="$T/images/$fp" \
		src_rootfs="$T/images/$fp.rootfs" $IDS
	[ "$status" -eq 0 ]
	[ -e "$T/pool/images/$fp/rootfs/bin/sh" ]
	store "$T/good_plain.tar.gz" src_rootfs="$T/good_plain.tar.gz"
	[ "$status" -eq 1 ]
	[[ "$output" == *"no metadata.yaml"* ]]
	nothing_left
}

@test "a form upload is a split image" {
	make_case good_metadata_file xz
	make_case good_plain
	form() {
		printf -- '--XX\r\nContent-Disposition: form-data; name=%s; filename=x\r\n\r\n' "$1"
		cat "$2"
		printf '\r\n'
	}
	upload() {
		form metadata "$T/good_metadata_file.tar.xz"
		form "$1" "$T/good_plain.tar.gz"
		printf -- '--XX--\r\n\r\n'
	}
	run jobrun image-store dir="$T/images" boundary=XX $IDS < <(upload rootfs)
	[ "$status" -eq 0 ]
	sum=$(cat "$T/good_metadata_file.tar.xz" "$T/good_plain.tar.gz" | sha256sum | cut -d' ' -f1)
	[[ "$output" == *"result fingerprint=$sum"* ]]
	run jobrun image-store dir="$T/images" boundary=XX $IDS < <(upload rootfs.img)
	[ "$status" -eq 1 ]
	[[ "$output" == *"virtual machines"* ]]
	run jobrun image-store dir="$T/images" boundary=XX $IDS < <(upload rootfs | head -c 700)
	[ "$status" -eq 1 ]
	nothing_left
}

@test "setuid, capabilities, links and owners are kept; devices and trusted xattrs are not" {
	make_case good_kinds
	store "$file"
	[ "$status" -eq 0 ]
	unpack "$file" 2
	[ "$status" -eq 0 ]
	cd "$T/pool/images/$id/rootfs"
	[ "$(stat -c %a bin/su)" = 4755 ]
	[ "$(stat -c '%u %g' bin/ping)" = "7 8" ]
	[[ "$(getfattr -d -m - bin/ping 2>/dev/null)" == *security.capability* ]]
	[[ "$(getfattr -d -m - bin/ping 2>/dev/null)" == *user.fine* ]]
	[[ "$(getfattr -d -m - bin/ping 2>/dev/null)" != *trusted* ]]
	[[ "$(getfattr -d -m - bin/ping 2>/dev/null)" != *selinux* ]]
	[ bin/ash -ef bin/sh ]
	[ "$(readlink etc/link)" = /etc/passwd ]
	[ -p tmp/fifo ]
	[ ! -e tmp/sda ]
	[ ! -e tmp/mem ]
	[ "$(cat etc/grüß)" = umlaut ]
	[ "$(cat etc/twice)" = second ]
	[ "$(stat -c '%u %g %a' root)" = "1000 65535 700" ]
	[ "$(stat -c '%U %a' .)" = "root 755" ]
}

@test "A18: no name leads outside" {
	refused absolute "is absolute"
	refused dotdot 'contains ".."'
	refused hardlink_outside '".."'
	refused hardlink_absolute "absolute"
	refused hardlink_beside_root "outside of the root file system"
	refused long_component "too long"
	refused long_name "too long"
	refused deep "too deep"
	refused big_owner "0 to 65535"
}

@test "A18: nothing is written through a link of the archive" {
	for name in symlink_through symlink_relative hardlink_through; do
		make_case $name
		unpack "$file" 3
		[ "$status" -eq 1 ]
		[[ "$output" == *"through symlink"* ]]
		[ ! -e "$T/pool/images/$id" ]
		nothing_left
	done
}

@test "A1: a rootfs that is no directory is refused" {
	refused rootfs_symlink "is no directory"
	refused rootfs_file "is no directory"
}

@test "metadata.yaml is checked field by field" {
	refused metadata_symlink "no regular file"
	refused metadata_twice "twice"
	refused metadata_missing "no metadata.yaml"
	refused metadata_alone "no root file system"
	refused metadata_bomb "anchors"
	refused metadata_huge "longer than"
	refused metadata_newline "control characters"
	refused metadata_arch "is not known"
	refused metadata_date "seconds since 1970"
	refused metadata_type "plain value"
}

@test "what is no root file system is refused with words" {
	refused no_root "not a root file system"
	refused no_architecture "set the property"
	refused empty "is empty"
	head -c 100000 /dev/urandom >"$T/noise"
	store "$T/noise"
	[ "$status" -eq 1 ]
	[[ "$output" == *"not a tar archive"* ]]
	printf 'hsqs%0100d' 0 >"$T/squash"
	store "$T/squash"
	[[ "$output" == *"squashfs images are not supported yet"* ]]
	make_case no_architecture
	store "$file" property.architecture=arm64
	[[ "$output" == *"result architecture=aarch64"* ]]
	nothing_left
}

@test "truncated archives are refused, whatever the compression" {
	file=$(ls "$ALPINE"/alpine-minirootfs-*)
	for ending in gz xz bz2 zst plain; do
		case $ending in
		gz) cat "$file" ;;
		xz) zcat "$file" | xz -0 ;;
		bz2) zcat "$file" | bzip2 ;;
		zst) zcat "$file" | zstd -q ;;
		plain) zcat "$file" ;;
		esac | head -c 2000000 >"$T/cut"
		store "$T/cut"
		[ "$status" -eq 1 ]
		[[ "$output" == *truncated* ]]
		unpack "$T/cut" 4
		[ "$status" -eq 1 ]
		[[ "$output" == *truncated* ]]
		[ ! -e "$T/pool/images/$id" ]
		nothing_left
	done
	# one wrong byte in the compressed data
	cp "$file" "$T/flip" && printf '\377' | dd of="$T/flip" bs=1 seek=1500000 conv=notrunc status=none
	store "$T/flip"
	[ "$status" -eq 1 ]
	nothing_left
}

@test "E8: another fingerprint than expected is refused" {
	make_case good_unified
	store "$file" fingerprint="$(printf '%064d' 5)"
	[ "$status" -eq 1 ]
	[[ "$output" == *"was expected"* ]]
	nothing_left
	store "$file" fingerprint="$(sha256sum <"$file" | cut -d' ' -f1)"
	[ "$status" -eq 0 ]
}

@test "F2: bombs end early and leave nothing" {
	make_case many_entries
	store "$file"
	[ "$status" -eq 1 ]
	[[ "$output" == *"more than 900000 entries"* ]]
	make_case zeros zst
	store "$file"
	[ "$status" -eq 1 ]
	[[ "$output" == *"refused as a bomb"* ]]
	unpack "$file" 5 size_bytes=50000000
	[ "$status" -eq 1 ]
	[[ "$output" == *"more than 50000000 bytes"* ]]
	make_case good_plain
	store "$file" size_bytes=100
	[[ "$output" == *"larger than 100B"* ]]
	mkdir -p "$T/sp/etc" "$T/sp/bin" && truncate -s 8T "$T/sp/etc/hole"
	tar -C "$T/sp" -S -czf "$T/sparse.tar.gz" .
	unpack "$T/sparse.tar.gz" 6
	[ "$status" -eq 1 ]
	nothing_left
}

@test "a full disk in the middle leaves nothing and says what is free" {
	file=$(ls "$ALPINE"/alpine-minirootfs-*)
	mkdir "$T/small"
	truncate -s 24M "$T/small.img"
	mkfs.ext4 -q "$T/small.img"
	mount -o loop "$T/small.img" "$T/small"
	small="pool.name=s pool.driver=overlay pool.dir=$T/small/pool"
	run jobrun pool-prepare $small
	[ "$status" -eq 0 ]
	head -c 12M /dev/zero >"$T/small/ballast"
	run jobrun image-unpack $small image="$(printf '%064d' 7)" src="$file" $IDS
	[ "$status" -eq 1 ]
	[[ "$output" == *"error -28"*"not enough space"*"free"* ]]
	[ -z "$(ls -A "$T/small/pool/images")" ]
	[ -z "$(find "$T/small/pool" -name '.new-*')" ]
	rm "$T/small/ballast"
	# the reserve counts like a full disk
	run jobrun image-unpack $small image="$(printf '%064d' 7)" src="$file" \
		reserve_bytes=18000000 $IDS
	[ "$status" -eq 1 ]
	[[ "$output" == *"must stay free"* ]]
	run jobrun image-store dir="$T/small/images" src="$file" reserve_bytes=21000000 $IDS
	[ "$status" -eq 1 ]
	[[ "$output" == *"not enough space"* ]]
	[ -z "$(ls -A "$T/small/images")" ]
	run jobrun image-unpack $small image="$(printf '%064d' 7)" src="$file" $IDS
	[ "$status" -eq 0 ]
	umount "$T/small"
}

# unpackers: with the ids of this file; others unpack at the same time
unpackers() {
	pgrep -u 1879048192 -x image-unpack
}

@test "kill -9 at any moment shows nothing half-made, and the next start cleans up" {
	file=$(ls "$ALPINE"/alpine-minirootfs-*)
	for ms in 5 15 30 60 120 200; do
		unpack "$file" 8 kill_after_ms=$ms
		[ "$status" -eq 137 ] || {
			[ "$status" -eq 0 ]
			break
		}
		[ ! -e "$T/pool/images/$id" ]
		run jobrun image-store dir="$T/images3" src="$file" $IDS kill_after_ms=$ms
		[ -z "$(find "$T/images3" -name '[0-9a-f]*')" ] || break
	done
	for i in $(seq 300); do
		unpackers || break
		sleep 0.1
	done
	run ! unpackers
	run jobrun pool-prepare $POOL
	[ "$status" -eq 0 ]
	nothing_left
}

@test "SIGTERM cancels: nothing is left" {
	file=$(ls "$ALPINE"/alpine-minirootfs-*)
	for _ in $(seq 10); do # until it is not faster
		unpack "$file" 9 kill_when="$T/pool/.new-*" signal=15
		[ "$status" -eq 0 ] || break
		rm -r "$T/pool/images/$id"
	done
	[ "$status" -eq 1 ]
	[[ "$output" == *"error -125 8 cancelled"* ]]
	[ ! -e "$T/pool/images/$id" ]
	nothing_left
}

@test "a helper whose daemon died gives up and cleans up" {
	mkfifo "$T/in"
	jobrun image-store dir="$T/images4" $IDS <"$T/in" 3>&- &
	job=$!
	exec 9>"$T/in"
	head -c 100000 /dev/zero >&9
	for i in $(seq 300); do
		[ -n "$(find "$T/images4" -name '.new-*' 2>/dev/null)" ] && break
		sleep 0.1
	done
	[ -n "$(find "$T/images4" -name '.new-*')" ]
	kill -9 $job
	for i in $(seq 300); do
		[ -z "$(find "$T/images4" -name '.new-*')" ] && break
		sleep 0.1
	done
	exec 9>&-
	[ -z "$(ls -A "$T/images4")" ]
}

@test "two unpacks of one image at once: both succeed, one volume" {
	file=$(ls "$ALPINE"/alpine-minirootfs-*)
	id=$(printf '%064d' 10)
	jobrun image-unpack $POOL image="$id" src="$file" $IDS >"$T/a" &
	first=$!
	jobrun image-unpack $POOL image="$id" src="$file" $IDS >"$T/b" &
	wait $first
	wait $!
	[ -x "$T/pool/images/$id/rootfs/bin/busybox" ]
	nothing_left
}

@test "a file system without idmapped mounts is named" {
	mkdir "$T/ramfs" && mount -t ramfs none "$T/ramfs"
	run jobrun pool-prepare pool.name=r pool.driver=auto pool.dir="$T/ramfs/pool"
	umount "$T/ramfs"
	[ "$status" -eq 1 ]
	[[ "$output" == *"$T/ramfs/pool"*"has no idmapped mounts"* ]]
}

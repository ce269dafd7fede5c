#!/usr/bin/env bats
# template.bats - sysctr-fetch and the builds of sysctr-worker: Debian by the host's apt, Alpine from
# a mirror in a directory; mirrors that are away or lie, broken templates, kills; what is built boots.
# Threats: I1 I3 I4 I5 (shared design/threats.md). Needs root; drives helpers without a daemon.

IDS="id_base=1879048192 id_count=65536"
MINI=alpine-minirootfs-3.20.3-x86_64.tar.gz

setup_file() {
	srcdir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export srcdir
	export SYSCTR_BUILDDIR=${SYSCTR_BUILDDIR:-$srcdir/build}
	export PATH="$SYSCTR_BUILDDIR/tests/fakes:$PATH"
	export MONCTL_MONITOR="$SYSCTR_BUILDDIR/sysctr-monitor"
	export T=$BATS_FILE_TMPDIR
	export MIRROR=$T/mirror/alpine
	chmod 755 "$T"
	local dir=$MIRROR/v3.20/releases/x86_64
	mkdir -p "$dir" "$T/cache"
	cp "$srcdir/../shared/data/alpine/$MINI" "$dir"
	cat >"$dir/latest-releases.yaml" <<-END
		---
		-
		  title: "Mini root filesystem"
		  flavor: alpine-minirootfs
		  version: 3.20.3
		  file: $MINI
		  sha512: $(sha512sum <"$dir/$MINI" | cut -d' ' -f1)
	END
	python3 -u -m http.server --bind 127.0.0.1 --directory "$T/mirror" 0 >"$T/server.log" 2>&1 3>&- &
	echo $! >"$T/server.pid"
	for _ in $(seq 300); do
		port=$(sed -n 's/^Serving HTTP on .* port \([0-9]*\) .*/\1/p' "$T/server.log")
		[ -z "$port" ] || break
		sleep 0.1
	done
	export SERVER=http://127.0.0.1:$port TAG=tpl$$
}

teardown_file() {
	kill "$(cat "$T/server.pid")" 2>/dev/null || true
	for name in tplmini tplbookworm tpltrixie; do
		monctl kill $name --dir "$T/mon" >/dev/null 2>&1 || true
		monctl wait $name --dir "$T/mon" gone --timeout 10 >/dev/null 2>&1 || true
	done
	rmdir /sys/fs/cgroup/{,unified/}"$TAG"/.monitor /sys/fs/cgroup/{,*/}"$TAG" 2>/dev/null || true
}

# fetch [key=value ...]
fetch() {
	run jobrun fetch dst="$T/cache/file" "$@"
}

# fetch_index URL-of-mirror
fetch_index() {
	fetch variable.index_url="$1/v3.20/releases/x86_64/latest-releases.yaml" \
		variable.flavor=alpine-minirootfs variable.checksum_url='{url}.sha512'
}

# build TEMPLATE-FILE NAME RELEASE VARIANT [key=value ...]; the fingerprint into $fp
build() {
	local file=$1 name=$2 release=$3 variant=$4
	shift 4
	run jobrun image-build dir="$T/images" template_text="$(cat "$file")" $IDS \
		variable.name="$name" variable.release="$release" variable.variant="$variant" \
		variable.architecture=x86_64 "$@"
	fp=$(sed -n 's/^result fingerprint=//p' <<<"$output")
}

nothing_left() {
	[ -z "$(find "$T/images" -maxdepth 1 -name '.new-*' 2>/dev/null)" ]
}

list() {
	zstdcat "$T/images/$fp" | tar tvf -
}

# not_in_it PATTERN: no line of the listing matches
not_in_it() {
	! list | grep -E "$1"
}

content() {
	zstdcat "$T/images/$fp" | tar xOf - "rootfs/$1"
}

# boot NAME: the image $fp
boot() {
	mkdir -p "$T/lower/$1" "$T/ct/$1/upper" "$T/ct/$1/work" "$T/mon"
	zstdcat "$T/images/$fp" | tar xpf - --xattrs '--xattrs-include=*' --numeric-owner -C "$T/lower/$1"
	monctl start "$1" --dir "$T/mon" --tag "$TAG" --lower "$T/lower/$1/rootfs" \
		--root "$T/ct/$1" >"$T/$1.start" 2>&1 </dev/null 3>&-
}

# prompts NAME: a login prompt comes on its console
prompts() {
	for _ in $(seq 300); do
		monctl console-log "$1" --dir "$T/mon" | grep -q "$1 login:" && return
		sleep 0.1
	done
	return 1
}

gone() {
	monctl kill "$1" --dir "$T/mon" >/dev/null
	monctl wait "$1" --dir "$T/mon" gone --timeout 10 >/dev/null
	rm -rf "$T/lower/$1" "$T/ct/$1"
}

@test "a tarball comes from a mirror by its index, over http and from a directory" {
	fetch_index "$SERVER/alpine"
	[ "$status" -eq 0 ]
	grep -q '^result version=3.20.3$' <<<"$output"
	grep -q '^result checksum=sha512:' <<<"$output"
	cmp "$T/cache/file" "$MIRROR/v3.20/releases/x86_64/$MINI"
	rm "$T/cache/file"
	fetch_index "file://$MIRROR"
	[ "$status" -eq 0 ]
	cmp "$T/cache/file" "$MIRROR/v3.20/releases/x86_64/$MINI"
	[ "$(stat -c %a "$T/cache/file")" = 600 ]
}

@test "what is there already is not fetched again" {
	cp "$MIRROR/v3.20/releases/x86_64/$MINI" "$T/cache/file"
	inode=$(stat -c %i "$T/cache/file")
	fetch_index "file://$MIRROR"
	[ "$status" -eq 0 ]
	[ "$(stat -c %i "$T/cache/file")" = "$inode" ]
	rm "$T/cache/file"
}

@test "a wrong checksum says what was expected and what came, and leaves nothing" {
	fetch url="file://$MIRROR/v3.20/releases/x86_64/$MINI" checksum="sha256:$(printf '0%.0s' {1..64})"
	[ "$status" -ne 0 ]
	[[ $output == *"wrong checksum: expected sha256:0000"*"got sha256:"* ]]
	[ -z "$(ls "$T/cache")" ]
}

@test "a part is gone on from; one of something else is thrown away" {
	sum=$(sha256sum <"$MIRROR/v3.20/releases/x86_64/$MINI" | cut -d' ' -f1)
	url=file://$MIRROR/v3.20/releases/x86_64/$MINI
	head -c 1000000 "$MIRROR/v3.20/releases/x86_64/$MINI" >"$T/cache/file.part"
	fetch url="$url" checksum="sha256:$sum"
	[ "$status" -eq 0 ]
	rm "$T/cache/file"
	head -c 1000000 /dev/urandom >"$T/cache/file.part"
	fetch url="$url" checksum="sha256:$sum"
	[ "$status" -eq 0 ]
	cmp "$T/cache/file" "$MIRROR/v3.20/releases/x86_64/$MINI"
	rm "$T/cache/file"
	# this server knows no ranges
	head -c 1000000 "$MIRROR/v3.20/releases/x86_64/$MINI" >"$T/cache/file.part"
	fetch url="$SERVER/alpine/v3.20/releases/x86_64/$MINI" checksum="sha256:$sum"
	[ "$status" -eq 0 ]
	rm "$T/cache/file"
}

@test "what cannot be fetched is said in words" {
	fetch url=http://127.0.0.1:1/x
	[[ $output == *"fetch \"http://127.0.0.1:1/x\": Failed to connect"* ]]
	fetch url=$SERVER/none
	[[ $output == *"the server has no such file (HTTP status 404)"* ]]
	fetch url=ftp://127.0.0.1/x
	[[ $output == *"must begin with http://, https:// or file:///"* ]]
	fetch url="file://$MIRROR/none"
	[[ $output == *"Couldn't open file"* ]]
	fetch url="file://$MIRROR/v3.20/releases/x86_64/$MINI" size_bytes=1000
	[[ $output == *"larger than 1000 bytes"* ]]
	[ -z "$(ls "$T/cache")" ]
}

@test "a server is talked to without privileges and without the host's files" {
	echo secret >"$T/secret"
	chmod 600 "$T/secret"
	# the directory of the URL is all there is; a file that nobody may read stays unread
	fetch url="file://$T/secret"
	[ "$status" -ne 0 ]
	[[ $output == *"Couldn't open file"* ]]
}

@test "alpine/mini is built from the tarball alone, starts clean and boots to a login prompt" {
	build "$srcdir/templates/alpine.yaml" alpine 3.20 mini \
		src="$MIRROR/v3.20/releases/x86_64/$MINI"
	[ "$status" -eq 0 ]
	[ "$(sha256sum <"$T/images/$fp" | cut -d' ' -f1)" = "$fp" ]
	[ "$(stat -c %a "$T/images/$fp")" = 600 ]
	nothing_left
	[ -z "$(ls "$T/logs")" ]
	grep -q '^result property.os=Alpine$' <<<"$output"
	grep -q '^result property.variant=mini$' <<<"$output"
	not_in_it ' rootfs/(dev/.|etc/hostname|etc/resolv.conf|\.build)'
	list | grep -q ' 0/0 .* rootfs/bin/busybox'
	boot tplmini
	prompts tplmini
	gone tplmini
}

@test "a build that is killed or cancelled leaves nothing behind the next one" {
	build "$srcdir/templates/debian.yaml" debian bookworm default kill_after_ms=3000 signal=9
	[ "$status" -ne 0 ]
	build "$srcdir/templates/debian.yaml" debian bookworm default kill_after_ms=2000 signal=15
	[ "$status" -ne 0 ]
	[[ $output == *cancelled* ]]
	nothing_left
	run pgrep -f "mmdebstrap.*$T"
	[ "$status" -ne 0 ]
}

@test "a mirror that is away fails with its reason and the path of the log" {
	build "$srcdir/templates/debian.yaml" debian bookworm default variable.mirror=http://127.0.0.1:1/debian
	[ "$status" -ne 0 ]
	[[ $output == *'build "debian/bookworm": download: '*127.0.0.1* ]]
	[[ $output == *"(log: $T/logs/build-debian-bookworm.log)"* ]]
	grep -q 127.0.0.1 "$T/logs/build-debian-bookworm.log"
	nothing_left
}

@test "an action that fails is told with its last words, without control characters" {
	sed '/^actions:/,$d' "$srcdir/templates/alpine.yaml" >"$T/bad.yaml"
	cat >>"$T/bad.yaml" <<-'END'
		actions:
		  - trigger: post-files
		    action: |
		      #!/bin/sh
		      printf 'E: no \033[31msuch thing\n' >&2
		      exit 7
	END
	build "$T/bad.yaml" alpine 3.20 mini src="$MIRROR/v3.20/releases/x86_64/$MINI"
	[ "$status" -ne 0 ]
	[[ $output == *"configure: E: no ?[31msuch thing; E: action of the template failed with status 7"* ]]
	nothing_left
}

@test "an action reaches nothing of the host" {
	sed '/^actions:/,$d' "$srcdir/templates/alpine.yaml" >"$T/spy.yaml"
	cat >>"$T/spy.yaml" <<-END
		actions:
		  - trigger: post-files
		    action: |
		      #!/bin/sh
		      ls $T 2>/dev/null && exit 11
		      cat /proc/1/root/etc/debian_version 2>/dev/null && exit 12
		      mknod /root/sda b 8 0 2>/dev/null && exit 13
		      (echo 1 >/proc/sys/kernel/sysrq) 2>/dev/null && exit 14
		      ls /proc/self/fd | grep -vE '^([0-3])$' && exit 15
		      id -u >/root/uid
		      cat /proc/self/uid_map >/root/uid_map
	END
	build "$T/spy.yaml" alpine 3.20 mini src="$MIRROR/v3.20/releases/x86_64/$MINI"
	[ "$status" -eq 0 ]
	[ "$(content root/uid)" = 0 ]
	[[ $(content root/uid_map) == *1879048192* ]]
	not_in_it root/sda
}

@test "a hostile tarball stays below its root" {
	mkdir -p "$T/evil" /srv/canary-tpl
	echo safe >/srv/canary-tpl/f
	ln -s /srv/canary-tpl "$T/evil/etc"
	tar cf "$T/evil.tar" -C "$T/evil" .
	tar rf "$T/evil.tar" -C / --transform 's,^srv/canary-tpl/f,../../../../srv/canary-tpl/f,' -P srv/canary-tpl/f
	build "$srcdir/templates/alpine.yaml" alpine 3.20 mini src="$T/evil.tar"
	[ "$(cat /srv/canary-tpl/f)" = safe ]
	[ "$(ls /srv/canary-tpl)" = f ]
	rm -r /srv/canary-tpl
	nothing_left
}

@test "templates are checked before anything is done" {
	echo 'image: {distribution: D, relase: x}' >"$T/typo.yaml"
	build "$T/typo.yaml" d x default
	[[ $output == *'unknown key "relase"; did you mean "release"?'* ]]
	build "$srcdir/templates/debian.yaml" debian trixi default
	[[ $output == *'has no release "trixi"; did you mean "trixie"?'* ]]
}

debian_is_right() {
	build "$srcdir/templates/debian.yaml" debian "$1" default
	[ "$status" -eq 0 ]
	nothing_left
	grep -q "^result property.release=$1\$" <<<"$output"
	[ -z "$(content etc/machine-id)" ]
	not_in_it ' rootfs/(etc/(hostname|ssh/ssh_host.*)|var/lib/(dbus/machine-id|systemd/random-seed)|var/lib/apt/lists/.|dev/.)'
	content etc/apt/sources.list | grep -q "$1 main"
	boot "tpl$1"
	for _ in $(seq 300); do
		run monctl exec "tpl$1" --dir "$T/mon" -- systemctl is-system-running
		[ "$output" = running ] && break
		sleep 0.2
	done
	[ "$output" = running ]
	prompts "tpl$1"
	gone "tpl$1"
}

@test "debian/bookworm is built, starts clean and reaches running" {
	debian_is_right bookworm
}

@test "debian/trixie is built, starts clean and reaches running" {
	debian_is_right trixie
}

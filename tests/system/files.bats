#!/usr/bin/env bats
# files.bats - files of running and stopped instances: API, SFTP, sysctr, lxc, incus
# Threats: A9 A11 A12 A13 A14 A15 A16 A20 C3 C5 C9. Needs root.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	daemon_setup
	s image import "$OPENRC" --alias openrc
	s launch openrc f1
	s exec f1 -- true
	echo canary >"$T/canary"
	chmod 600 "$T/canary"
}

teardown_file() {
	daemon_teardown
}

setup() {
	WORK=$BATS_TEST_TMPDIR
	cd "$WORK" || return 1
}

teardown() {
	daemon_check
	[ "$(cat "$T/canary")" = canary ]
}

# api METHOD PATH [CURL-ARGUMENT...]: a request for a file of f1; its headers go to $WORK/head
api() {
	curl -s --max-time 60 --unix-socket "$SYSCTR_SOCKET" -D "$WORK/head" -X "$1" \
		"http://sysctr/1.0/instances/${N:-f1}/files?path=$2" "${@:3}"
}

header() {
	tr -d '\r' <"$WORK/head" | sed -n "s/^$1: //Ip"
}

http_status() {
	awk 'NR == 1 { print $2 }' "$WORK/head"
}

inside() {
	s exec "${N:-f1}" -- "$@"
}

# What holds of the API whether the instance runs or not; only the API is used.
api_works() {
	api POST /srv/new -H 'X-LXD-uid: 12' -H 'X-LXD-gid: 34' -H 'X-LXD-mode: 0640' -d 'one' | jq -e '.status_code == 200'
	[ "$(api GET /srv/new)" = one ]
	[ "$(http_status)" = 200 ]
	[ "$(header X-LXD-uid)" = 12 ]
	[ "$(header X-Incus-gid)" = 34 ]
	[ "$(header X-LXD-mode)" = 0640 ]
	[ "$(header X-LXD-type)" = file ]
	[ "$(header Content-Length)" = 3 ]
	[ "$(header Content-Disposition)" = "inline;filename=new" ]
	[ -n "$(header X-LXD-modified)" ]
	# one that is there keeps its owner and mode
	api POST /srv/new -H 'X-Incus-uid: 0' -H 'X-Incus-mode: 0777' -H 'X-Incus-write: overwrite' -d 'two' >/dev/null
	[ "$(api GET /srv/new)" = two ]
	[ "$(header X-LXD-uid)/$(header X-LXD-mode)" = 12/0640 ]
	api POST /srv/new -H 'X-LXD-write: append' -d '+' >/dev/null
	[ "$(api GET /srv/new)" = two+ ]
	api POST /srv/absent -H 'X-LXD-write: append' -d '+' | jq -e '.error_code == 404'
	# directories and links
	api POST /srv/dir -H 'X-LXD-type: directory' | jq -e '.status_code == 200'
	api POST /srv/dir -H 'X-LXD-type: directory' | jq -e '.status_code == 200'
	api GET /srv | jq -e '.metadata | sort == ["dir", "new"]'
	api GET /srv/dir >/dev/null
	[ "$(header X-LXD-type)/$(header X-LXD-mode)" = directory/0750 ]
	api POST /srv/link -H 'X-LXD-type: symlink' -d new | jq -e '.status_code == 200'
	api POST /srv/link -H 'X-LXD-type: symlink' -d new | jq -e '.status_code == 200'
	[ "$(api GET /srv/link)" = /srv/new ]
	[ "$(header X-LXD-type)" = symlink ]
	curl -s --max-time 60 --unix-socket "$SYSCTR_SOCKET" --head "http://sysctr/1.0/instances/${N:-f1}/files?path=/srv/new" >"$WORK/head"
	[ "$(header X-LXD-type)" = file ]
	api GET /srv/none | jq -e '.error_code == 404'
	api GET "" | jq -e '.error_code == 400'
	api POST /srv/none/x -d x | jq -e '.error_code == 404'
	# the end
	api DELETE /srv/dir | jq -e '.status_code == 200'
	api DELETE /srv/link >/dev/null
	api DELETE /srv/link | jq -e '.error_code == 404'
	api DELETE /srv/new | jq -e '.status_code == 200'
	api GET /srv | jq -e '.metadata == []'
}

@test "the files API on a running instance" {
	api_works
}

@test "the files API on a stopped instance, whose ids it maps" {
	s create openrc f2
	N=f2 api_works
	N=f2 api POST /srv/kept -H 'X-LXD-uid: 5' -d kept >/dev/null
	s start f2
	[ "$(N=f2 inside stat -c '%u %g %a' /srv/kept)" = "5 0 644" ]
	s stop f2 --force
	[ "$(N=f2 api GET /srv/kept)" = kept ]
	s delete f2
}

@test "sysctr file push and pull: what cp does" {
	mkdir -p tree/sub/deep
	echo one >tree/one
	printf '#!/bin/sh\n' >tree/sub/run
	chmod 700 tree/sub/run
	ln -s ../one tree/sub/link
	truncate -s 3M tree/sub/deep/sparse
	echo end >>tree/sub/deep/sparse
	# one file: renamed, into a directory, from standard input
	s file push tree/one f1/srv/renamed
	s file push tree/one f1/srv/
	echo stdin | s file push - f1/srv/stdin --uid 7 --gid 8 --mode 600
	[ "$(inside stat -c '%n %u %g %a' /srv/renamed /srv/one /srv/stdin | tr '\n' ,)" = \
		"/srv/renamed 0 0 644,/srv/one 0 0 644,/srv/stdin 7 8 600," ]
	[ "$(s file pull f1/srv/stdin -)" = stdin ]
	# a tree there and back
	s file push -r tree f1/srv/
	[ "$(inside stat -c '%u %a' /srv/tree /srv/tree/sub/run | tr '\n' ,)" = "0 755,0 755," ]
	[ "$(inside readlink /srv/tree/sub/link)" = ../one ]
	s file pull -r f1/srv/tree back
	diff -r --no-dereference tree back
	[ "$(stat -c %b back/sub/deep/sparse)" -lt 1000 ]
	# links: as such in trees, what they lead to when named, or as it was asked
	s file pull f1/srv/tree/sub/link followed
	[ "$(cat followed)" = one ] && [ ! -L followed ]
	s file pull -P f1/srv/tree/sub/link kept
	[ -L kept ]
	s file pull -rL f1/srv/tree/sub all
	[ -f all/link ] && [ ! -L all/link ]
	# missing directories, and what is not there
	fails 1 "Not Found" s file push tree/one f1/srv/a/b/c
	s file push -p tree/one f1/srv/a/b/c
	s file pull f1/srv/a/b/c .
	[ "$(cat c)" = one ]
	fails 1 "Not Found" s file pull f1/srv/none .
	fails 1 "give --recursive" s file pull f1/srv/tree .
	fails 1 "No such file" s file push missing f1/srv/
	fails 2 "NAME/PATH" s file push tree/one f1
}

@test "sysctr file push -a keeps owners, modes, times and attributes; a pull makes no set-id file" {
	mkdir -m 750 kept
	echo x >kept/file
	chown 1234:4321 kept kept/file
	chmod 4751 kept/file
	touch -d '2001-02-03 04:05:06' kept/file kept
	setfattr -n user.note -v hello kept/file
	s file push -a kept f1/srv/
	[ "$(inside stat -c '%u %g %a %Y' /srv/kept /srv/kept/file | tr '\n' ,)" = \
		"1234 4321 750 $(stat -c %Y kept),1234 4321 4751 $(stat -c %Y kept/file)," ]
	s file pull -a f1/srv/kept back
	[ "$(stat -c '%u %g %a' back/file)" = "1234 4321 751" ]
	[ "$(getfattr --only-values -n user.note back/file)" = hello ]
	# one that is there keeps what it has; set-id bits end with any write that is not the host's root's
	echo y >file
	s file push file f1/srv/kept/
	[ "$(inside stat -c '%u %g %a' /srv/kept/file)" = "1234 4321 751" ]
}

@test "sysctr file create, edit, delete" {
	s file create -p f1/srv/new/dir/file --mode 600
	s file create f1/srv/new/link dir/file
	s file create --type directory f1/srv/new/more
	[ "$(inside stat -c '%a %F' /srv/new/dir/file /srv/new/more | tr '\n' ,)" = \
		"600 regular empty file,755 directory," ]
	[ "$(inside readlink /srv/new/link)" = dir/file ]
	fails 1 "exists already" s file create f1/srv/new/dir/file
	printf 'from a pipe\n' | s file edit f1/srv/new/dir/file
	printf '#!/bin/sh\nsed -i s/pipe/editor/ "$1"\n' >ed
	chmod +x ed
	EDITOR=$WORK/ed script -qec "'$BUILDDIR/sysctr' file edit f1/srv/new/dir/file" /dev/null </dev/null
	[ "$(inside cat /srv/new/dir/file)" = "from a editor" ]
	[ "$(inside stat -c %a /srv/new/dir/file)" = 600 ]
	fails 1 "not empty" s file delete f1/srv/new
	s file delete f1/srv/new/link f1/srv/new/dir/file f1/srv/new/more
	fails 1 "Not Found" s file delete f1/srv/new/link
}

# every_way TARGET: one file into the directory and out of it, by each way there is
every_way() {
	s file push -r push "f1$1" || true
	s file pull -r "f1$1/secret" "pulled.$((n++))" || true
	api POST "$1/posted" -d posted >/dev/null || true
	api GET "$1/secret" >"got.$((n++))" || true
	printf 'put push/a %s/put\nget %s/secret pulled.%d\n' "$1" "$1" $((n++)) |
		sftp -q -b - -D "$BUILDDIR/sysctr file mount f1 --stdio" >/dev/null || true
}

@test "A11, A14: a directory that is exchanged for a link 100,000 times leads nowhere outside" {
	mkdir push "$T/host"
	echo host-secret >"$T/host/secret"
	for i in a b c; do echo "$i" >push/$i; done
	s file push "$BUILDDIR/tests/fakes/attack" f1/root/attack
	inside sh -c "mkdir -p /srv/flip/x && echo guest >/srv/flip/x/secret && ln -s $T/host /srv/flip/y"
	inside /root/attack flip /srv/flip 100000 >flips &
	flipper=$!
	n=0
	every_way /srv/flip/x
	while kill -0 $flipper 2>/dev/null && [ $n -lt 60 ]; do every_way /srv/flip/x; done
	wait $flipper
	grep -x flips=100000 flips
	[ $n -gt 3 ]
	[ "$(ls "$T/host")" = secret ]
	! grep -r host-secret .
}

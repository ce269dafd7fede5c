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
	[ "$(cat followed)" = one ]
	[ ! -L followed ]
	s file pull -P f1/srv/tree/sub/link kept
	[ -L kept ]
	s file pull -rL f1/srv/tree/sub all
	[ -f all/link ]
	[ ! -L all/link ]
	# missing directories, and what is not there
	fails 1 "Not Found" s file push tree/one f1/srv/a/b/c
	s file push -p tree/one f1/srv/a/b/c
	s file pull f1/srv/a/b/c .
	[ "$(cat c)" = one ]
	fails 1 "Not Found" s file pull f1/srv/none .
	fails 1 "Not Found" s file pull f1/srv/none -
	fails 1 "it is a directory" s file pull f1/srv/tree -
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
	inside sh -c 'until [ -e /srv/enough ]; do /root/attack swap /srv/flip 100000; done' >flips &
	flipper=$!
	n=0
	for round in $(seq 10); do every_way /srv/flip/x; done
	inside touch /srv/enough
	wait $flipper
	grep -x swaps=100000 flips
	[ "$(ls "$T/host")" = secret ]
	never grep -r host-secret .
}

@test "A9, A13, A16: links of the guest end inside, links of /proc nowhere" {
	mkdir "$T/out"
	inside sh -c "ln -s /etc/shadow /srv/shadow; ln -s /proc/1/root /srv/magic; ln -s $T/out /srv/out
		ln -s ../../../../../../../..$T/canary /srv/up; mkdir -p /srv/etc; echo guest >/srv/etc/resolv.conf"
	s file pull f1/srv/shadow shadow
	[ "$(cat shadow)" = "$(inside cat /etc/shadow)" ]
	never cmp -s shadow /etc/shadow
	echo x >x
	never s file push x "f1/srv/magic$T/canary"
	never s file push -p x f1/srv/out/made/x
	api POST /srv/out/made -H 'X-LXD-type: directory' | never jq -e '.status_code == 200'
	never s file pull f1/srv/up up
	[ -z "$(ls "$T/out")" ]
	# written through a link: to what it leads to inside
	inside sh -c 'echo old >/srv/target; ln -s target /srv/through'
	s file push x f1/srv/through
	[ "$(inside cat /srv/target)" = x ]
	# a tree that has a link where another tree has a directory
	mkdir -p evil/etc plain
	echo evil >evil/etc/passwd
	ln -s /etc plain/etc
	s file push -r plain/ f1/srv/tree2
	fails 1 "Not a directory" s file push -r evil/etc f1/srv/tree2
	never inside grep evil /etc/passwd
}

@test "A12, A20: nothing of the guest is loaded or run by a file server" {
	inside sh -c 'for f in /etc/ld.so.preload /etc/nsswitch.conf /etc/ld.so.cache /lib/libnss_files.so.2 /usr/lib/gconv-modules \
		/etc/localtime; do mkdir -p "${f%/*}"; rm -f $f; mkfifo $f; done
		for p in tar cp ls ln sftp-server scp; do rm -f /bin/$p /usr/bin/$p; printf "#!/bin/sh\ntouch /srv/ran\n" >/bin/$p; chmod +x /bin/$p; done'
	mkdir dir
	echo x >dir/x
	S_SECONDS=20 s file push -r dir f1/srv/
	S_SECONDS=20 s file push -a dir f1/srv/dir2
	S_SECONDS=20 s file pull -r f1/srv/dir back
	api GET /srv/dir | jq -e '.metadata == ["x"]'
	echo ls /srv | sftp -q -b - -D "$BUILDDIR/sysctr file mount f1 --stdio"
	never inside test -e /srv/ran
}

@test "A15, C5: FIFOs, devices, huge files and names that no terminal should see" {
	inside sh -c 'mkdir -p /srv/odd; cd /srv/odd; mkfifo fifo "$(printf "e\033]0;evil\007sc")"; truncate -s 10G huge; echo x >plain'
	fails 1 "is a FIFO" s file pull f1/srv/odd/fifo .
	fails 1 "is a device" s file pull f1/dev/zero -
	api GET /dev/zero | jq -e '.error_code == 400'
	api GET /srv/odd/fifo | jq -e '.error_code == 400'
	run s file pull -r f1/srv/odd back
	[ "$status" -eq 1 ]
	[[ $output != *$'\033'* ]]
	[[ $output == *"is a FIFO"* ]]
	[ "$(cat back/plain)" = x ]
	[ "$(stat -c %s back/huge)" = $((10 * 1024 * 1024 * 1024)) ]
	[ "$(stat -c %b back/huge)" -lt 1000 ]
	rm back/huge
}

@test "C3, C9: a file server shows the guest neither descriptors nor memory nor words" {
	s file push "$BUILDDIR/tests/fakes/attack" f1/root/attack
	inside /root/attack watch 8 >seen &
	watcher=$!
	retry 10 inside pgrep attack
	mkfifo hold
	"$BUILDDIR/sysctr" file mount f1 --stdio <hold >/dev/null 3>&- 4>&- &
	exec 9>hold
	retry 10 is_confined
	pid=$(server_pid)
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sysctr-exec " ]
	never grep -qa . "/proc/$pid/environ"
	wait $watcher
	exec 9>&-
	wait
	grep -E '^seen=[1-9][0-9]* exe=[0-9]+ traced=0 fds=0 mem=0 written=0 remounted=0$' seen
	retry 10 is_not_serving
}

# The file server among the processes of f1's cgroup.
server_pid() {
	local p
	for p in $(find /sys/fs/cgroup -path "*/$TAG/f1/*" -name cgroup.procs -exec cat {} + | sort -u); do
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" = sysctr-exec ] && echo "$p"
	done | head -n 1
}

is_serving() {
	[ -n "$(server_pid)" ]
}

is_not_serving() {
	[ -z "$(server_pid)" ]
}

# is_confined: it has come so far that it keeps no other capabilities
is_confined() {
	[ "$(sed -n 's/^CapEff:\t//p' "/proc/$(server_pid)/status")" = 000000008000001b ]
}

@test "a full disk, and clients that leave in the middle" {
	inside sh -c 'mkdir -p /srv/small && mount -t tmpfs -o size=1m none /srv/small'
	head -c 5000000 /dev/zero >five
	fails 1 "No space left" s file push five f1/srv/small/
	never inside test -e /srv/small/five
	api POST /srv/small/posted --data-binary @five | jq -e '.error_code == 500'
	never inside test -e /srv/small/posted
	mkfifo hold
	"$BUILDDIR/sysctr" file push - f1/srv/left <hold >/dev/null 2>&1 3>&- 4>&- &
	exec 9>hold
	echo begin >&9
	retry 20 is_serving
	kill -9 $!
	exec 9>&-
	retry 20 is_not_serving
	retry 10 is_absent /srv/left
	python3 - "$SYSCTR_SOCKET" "$WORK/leave" 3>&- 4>&- <<-'END' &
		import os, socket, sys, time
		sock = socket.socket(socket.AF_UNIX)
		sock.connect(sys.argv[1])
		sock.sendall(b"POST /1.0/instances/f1/files?path=/srv/cut HTTP/1.1\r\nHost: x\r\n"
		             b"Transfer-Encoding: chunked\r\n\r\n6\r\nbegin\n\r\n")
		while not os.path.exists(sys.argv[2]):
		    time.sleep(0.05)
	END
	retry 20 is_serving
	touch leave
	retry 20 is_not_serving
	retry 10 is_absent /srv/cut
	wait
	s file push five f1/srv/five
	[ "$(inside stat -c %s /srv/five)" = 5000000 ]
}

is_absent() {
	never inside test -e "$1"
}

@test "a stopped instance: copies hold it, a killed daemon leaves nothing" {
	s create openrc f3
	mkdir tree
	echo x >tree/x
	s file push -a -r tree f3/srv/
	s file pull -r f3/srv/tree back
	diff -r tree back
	mkfifo hold
	"$BUILDDIR/sysctr" file mount f3 --stdio <hold >/dev/null 3>&- 4>&- &
	exec 9>hold
	retry 10 is_held f3
	fails 1 "being copied or mounted" s start f3
	fails 1 "being copied or mounted" s delete f3
	fails 1 "being copied or mounted" s rename f3 f4
	fails 1 "being copied or mounted" s rebuild f3 openrc
	daemon_kill
	retry 10 is_not_held f3
	exec 9>&-
	wait
	daemon_start
	s start f3
	[ "$(N=f3 inside cat /srv/tree/x)" = x ]
	s pause f3
	fails 1 "frozen" s file pull f3/srv/tree/x .
	s delete f3 --force
}

is_held() {
	never flock -n "$T/state/pools/default/instances/$1" true
}

is_not_held() {
	never is_held "$1"
}

@test "mounted with sshfs: an ordinary tree, until it is unmounted" {
	mkdir -p at
	"$BUILDDIR/sysctr" file mount f1/srv at 2>mounted 3>&- 4>&- &
	mount=$!
	retry 20 mountpoint -q at
	mkdir at/fs
	seq 50000 >at/fs/numbers
	inside cat /srv/fs/numbers | cmp - at/fs/numbers
	mv at/fs/numbers at/fs/n
	ln -s n at/fs/link
	chmod 600 at/fs/n
	[ "$(inside stat -c '%u %g %a' /srv/fs/n)" = "0 0 600" ]
	[ "$(tail -n 1 at/fs/link)" = 50000 ]
	rm -r at/fs
	never inside test -e /srv/fs
	fusermount -u at
	wait $mount
	grep -q 'Mounting /srv on at' mounted
}

@test "OpenSSH's sftp" {
	echo one >one
	cat >batch <<-END
		mkdir /srv/sftp
		put one /srv/sftp/one
		chmod 640 /srv/sftp/one
		rename /srv/sftp/one /srv/sftp/two
		ln -s two /srv/sftp/link
		get /srv/sftp/link got
		ls -l /srv/sftp
		rm /srv/sftp/link
		df /srv
	END
	sftp -b batch -D "$BUILDDIR/sysctr file mount f1 --stdio" | tee out
	grep -E '^-rw-r----- .* two$|/two$' out
	[ "$(cat got)" = one ]
	[ "$(inside stat -c '%u %a' /srv/sftp/two)" = "0 640" ]
	echo 'get /srv/none' | never sftp -q -b - -D "$BUILDDIR/sysctr file mount f1 --stdio"
}

# the_commands CLIENT...: what lxc and incus have in common
the_commands() {
	mkdir -p tree/sub
	echo one >one
	echo two >tree/sub/two
	"$@" file push one f1/srv/c/one -p --mode 0640 --uid 3
	[ "$(inside stat -c '%u %a' /srv/c/one)" = "3 640" ]
	"$@" file push -r tree f1/srv/c
	"$@" file pull f1/srv/c/one got
	cmp one got
	"$@" file pull -r f1/srv/c/tree .back 2>/dev/null || { mkdir -p .back && "$@" file pull -r f1/srv/c/tree .back; }
	[ "$(cat .back/tree/sub/two)" = two ]
	echo edited | "$@" file edit f1/srv/c/one
	[ "$(inside cat /srv/c/one)" = edited ]
	[ "$(inside stat -c '%u %a' /srv/c/one)" = "3 640" ]
	[ "$("$@" file pull f1/srv/c/one -)" = edited ]
	"$@" file delete f1/srv/c/one
	never inside test -e /srv/c/one
	never "$@" file pull f1/srv/c/one .
	rm -rf .back tree
	inside rm -r /srv/c
}

@test "lxc file" {
	export LXD_SOCKET=$SYSCTR_SOCKET LXD_CONF=$WORK/lxc LXC_CONF=$WORK/lxc
	mkdir -p "$LXD_CONF"
	the_commands timeout 60 lxc
}

@test "incus file" {
	export INCUS_SOCKET=$SYSCTR_SOCKET INCUS_CONF=$WORK/incus
	mkdir -p "$INCUS_CONF"
	the_commands timeout 60 incus
}

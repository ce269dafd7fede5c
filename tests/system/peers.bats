#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# peers.bats - backups go to LXD and Incus and come back, and those that they make come here: their own
# daemons, where they are installed
load lib

INCUSD=/usr/libexec/incus/incusd

setup_file() {
	export ID_BASE=1675000000
	daemon_setup
	mkdir "$T/lxd" "$T/incus"
	openrc_image
	s launch openrc web1
	s exec web1 -- sh -c 'echo one >/root/mark; chown 1000:1000 /root/mark; ln /root/mark /root/mark2; ln -s mark /root/link'
	s snapshot create web1 s0
	s exec web1 -- sh -c 'echo two >/root/mark'
	# each key that they do not know, or not with this value
	s config set web1 boot.autorestart=true boot.host_shutdown_action=force-stop \
		limits.memory.oom_priority=5 limits.memory.swap=100MiB security.protection.start=true \
		security.syscalls.intercept.sysinfo=true snapshots.expiry.manual=5d snapshots.keep=last=3 \
		snapshots.schedule=@daily,@startup user.note=$'two\nlines: #1'
	s storage volume create default data snapshots.keep=last=2 user.a=b
	s storage volume attach default data web1 /srv
	s exec web1 -- sh -c 'echo v >/srv/file; chown 5:6 /srv/file'
	s storage volume snapshot create default data v0
	s storage volume detach default data web1
}

teardown_file() {
	peer_stop lxd
	peer_stop incus
	pools_teardown
	daemon_teardown
}

teardown() {
	daemon_check
}

# peer lxd|incus COMMAND...: as their clients find their own daemon
peer() {
	env -u LXD_SOCKET -u INCUS_SOCKET LXD_DIR="$T/lxd" INCUS_DIR="$T/incus" LXD_CONF="$T/lxd.conf" \
		INCUS_CONF="$T/incus.conf" HOME="$T" timeout "$((60 * SLOW))" "${@:2}" </dev/null 3>&- 4>&-
}

# peer_start lxd|incus: a private one, without networks
peer_start() {
	local program=$INCUSD
	[ "$1" = incus ] || program=$(command -v lxd || true)
	[ -x "$program" ] || skip "the daemon of $1 is not installed"
	LXD_DIR=$T/lxd INCUS_DIR=$T/incus setsid "$program" --group root >"$T/$1.log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$T/$1.pid"
	disown
	peer "$1" "$program" waitready --timeout "$((30 * SLOW))"
}

peer_stop() {
	local mounts
	[ -e "$T/$1.pid" ] || return 0
	kill -9 -- "-$(cat "$T/$1.pid")" || true
	mapfile -t mounts < <(awk -v dir="$T/$1/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
	[ ${#mounts[@]} -eq 0 ] || umount -l "${mounts[@]}"
	rm "$T/$1.pid"
}

# there_and_back lxd|incus CLIENT [WORD]: WORD comes between "snapshot" and its verb
there_and_back() {
	local peer=$1 client=$2 file="$T/$1.tar"
	peer_start "$peer"
	peer "$peer" "$client" storage create default dir
	peer "$peer" "$client" profile device add default root disk path=/ pool=default
	s export web1 "$file"
	peer "$peer" "$client" import "$file" p1
	[ "$(peer "$peer" "$client" list --format csv -c nsS)" = p1,STOPPED,1 ]
	[ "$(peer "$peer" "$client" config get p1 limits.memory.swap)" = "" ]
	[ "$(peer "$peer" "$client" config get p1 user.note)" = $'two\nlines: #1' ]
	[ "$(cat "$T/$peer/containers/p1/rootfs/root/mark")" = two ]
	[ "$(stat -c '%h %u' "$T/$peer/containers/p1/rootfs/root/mark")" = "2 1000" ]
	peer "$peer" "$client" export p1 "$T/back.tar.gz"
	s import "$T/back.tar.gz" "$peer-1" --trusted
	[ "$(s query "/1.0/instances/$peer-1" | jq -cS '.config | with_entries(select(.key | test("^(volatile|image)[.]") | not))')" = \
		"$(s query /1.0/instances/web1 | jq -cS '.config | with_entries(select(.key | test("^(volatile|image)[.]") | not))')" ]
	s config unset "$peer-1" security.protection.start snapshots.schedule # @startup would hold it
	s start "$peer-1"
	[ "$(s exec "$peer-1" -- cat /root/link)" = two ]
	s snapshot restore "$peer-1" s0
	[ "$(s exec "$peer-1" -- stat -c '%h %u' /root/mark)" = "2 1000" ]
	[ "$(s exec "$peer-1" -- cat /root/mark)" = one ]
	s delete --force "$peer-1"
}

volume_there_and_back() {
	local peer=$1 client=$2
	s storage volume export default data "$T/$peer-data.tar"
	peer "$peer" "$client" storage volume import default "$T/$peer-data.tar" data
	[ "$(cat "$T/$peer/storage-pools/default/custom/default_data/file")" = v ]
	peer "$peer" "$client" storage volume export default data "$T/$peer-back.tar.gz"
	v import default "$T/$peer-back.tar.gz" "$peer-data"
	[ "$(v get default "$peer-data" snapshots.keep)" = last=2 ]
	[ "$(v snapshot list default "$peer-data" --format csv --columns n)" = v0 ]
	[ "$(stat -c '%u %g' "$(volume_root default "$peer-data")/file")" = "5 6" ]
	v delete default "$peer-data"
}

# fill DIR TEXT: what a volume has: a file with an owner, an attribute and a second name, and a link
fill() {
	echo "$2" >"$1/f"
	chown 33:44 "$1/f"
	setfattr -n user.k -v "$2" "$1/f"
	ln -f "$1/f" "$1/hard"
	ln -sf f "$1/link"
}

# has DIR TEXT
has() {
	[ "$(cat "$1/f")" = "$2" ]
	[ "$(stat -c '%u %g %h' "$1/f")" = "33 44 2" ]
	[ "$(getfattr --only-values -n user.k "$1/f")" = "$2" ]
	[ "$(readlink "$1/link")" = f ]
}

# volume_of_theirs lxd|incus CLIENT [WORD]: made there, with snapshots of which one has an end
volume_of_theirs() {
	local peer=$1 client=$2 compression
	local content=$T/$peer/storage-pools/default/custom/default_theirs
	volume() { peer "$peer" "$client" storage volume "$@"; }
	volume create default theirs user.b=2
	fill "$content" three
	volume snapshot ${3:+"$3"} default theirs first
	fill "$content" four
	volume set default theirs snapshots.expiry 1d
	volume snapshot ${3:+"$3"} default theirs second
	for compression in none gzip xz; do
		volume export default theirs "$T/theirs.tar" --compression $compression
		v import default "$T/theirs.tar" came
		has "$(volume_root default came)" four
		[ "$(v get default came user.b)" = 2 ]
		[ "$(v get default came snapshots.expiry)" = 1d ]
		[ "$(v snapshot list default came --format csv --columns n)" = "$(printf 'first\nsecond')" ]
		s query "/1.0/storage-pools/default/volumes/custom/came/snapshots?recursion=1" |
			jq -e 'map(.expires_at == null) == [true, false]'
		v snapshot restore default came first
		has "$(volume_root default came)" three
		v delete default came
	done
	volume export default theirs "$T/only.tar" --volume-only
	v import default "$T/only.tar"
	has "$(volume_root default theirs)" four
	[ -z "$(v snapshot list default theirs --format csv --columns n)" ]
	v delete default theirs
}

# only_data: a volume and its snapshot; what is deleted goes behind the answer
only_data() {
	[ "$(find "$T/state/pools/default"/{custom,snapshots,trash} -mindepth 1 -maxdepth 1 | wc -l)" = 3 ]
}

@test "LXD takes what is exported here, and gives it back" {
	there_and_back lxd lxc
	volume_there_and_back lxd lxc
	volume_of_theirs lxd lxc
}

@test "Incus takes what is exported here, and gives it back" {
	there_and_back incus incus
	volume_there_and_back incus incus
	volume_of_theirs incus incus create
}

@test "nothing is left of what went through" {
	retry 20 only_data # with the snapshot of web1
	[ -z "$(find "$T/state/pools/default" -maxdepth 1 -name '.new-*')" ]
	[ -z "$(sqlite3 "$T/state/sysctr.db" 'SELECT * FROM journal')" ]
}

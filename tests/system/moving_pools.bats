#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# moving_pools.bats - instances and their snapshots go from one storage pool to another, or are copied
# there, also while they run: overlay, dir and btrfs; killed half-way; by sysctr, lxc and incus

load lib

setup_file() {
	export ID_BASE=1970000000
	daemon_setup
	clients_setup
	openrc_image
	s storage create plain dir
	s storage create layers overlay
	s storage create fast btrfs size=1GiB
	# a root with a link, a hole, a removed file and a replaced directory; what was before is a snapshot
	s launch openrc m1
	s exec m1 -- sh -c 'echo one >/root/f && ln /root/f /root/g && chown 33:44 /root/f && ln -s f /root/l'
	s snapshot create m1 first
	s exec m1 -- sh -c 'echo two >/root/f; rm /etc/motd; rm -r /etc/conf.d && mkdir /etc/conf.d && touch /etc/conf.d/mine'
	s stop -f m1
}

teardown_file() {
	pools_teardown faster fast plain layers onxfs onext4 narrow
	daemon_teardown
}

teardown() {
	daemon_check
}

other() {
	timeout 60 "$@" 3>&- 4>&- </dev/null
}

# has POOL: what the pool has of instances
has() {
	(cd "$T/state/pools/$1" && find instances snapshots trash -mindepth 1 -maxdepth 1 && find . -maxdepth 1 -name '.new-*')
}

is_empty() {
	[ -z "$(has "$1")" ]
}

# is_whole NAME: it is what setup_file made
is_whole() {
	s start "$1"
	[ "$(s exec "$1" -- cat /root/f /root/g /root/l)" = "$(printf 'two\ntwo\ntwo')" ]
	[ "$(s exec "$1" -- stat -c '%u %g %h' /root/f)" = "33 44 2" ]
	[ "$(s exec "$1" -- stat -c %u / /etc/passwd | sort -u)" = 0 ]
	never s exec "$1" -- test -e /etc/motd
	[ "$(s exec "$1" -- ls /etc/conf.d)" = mine ]
	s stop -f "$1"
}

@test "a stopped instance goes from pool to pool with its snapshots" {
	local from=default to
	for to in layers fast plain default; do
		s move m1 --storage $to
		[ "$(field m1 .expanded_devices.root.pool)" = $to ]
		[ "$(has $to | grep -c .)" = 2 ]
		retry 10 is_empty $from
		is_whole m1
		from=$to
	done
	# the first one kept what it stood on, the others made it whole
	[ "$(s query "/1.0/storage-pools/layers/volumes/image" | jq length)" = 1 ]
	s snapshot restore m1 first
	[ "$(field m1 .expanded_devices.root.pool)" = default ]
	s start m1
	[ "$(s exec m1 -- cat /root/f)" = one ]
	s exec m1 -- test -d /etc/conf.d/ -a -e /etc/motd
	[ "$(s snapshot list m1 --format csv --columns n)" = first ]
	fails 1 "running: stop it to move it to another storage pool, or copy it there" s move m1 --storage plain
	fails 1 "stop it first" s query -X POST /1.0/instances/m1/rebuild -d '{"source":{"type":"none"}}'
	s stop -f m1
	fails 1 "not found" s move m1 --storage nowhere
	fails 2 "is expected" s move m1
}

@test "copies go to another pool, of a stopped instance, a snapshot or one that runs" {
	s init openrc c0
	s copy c0 c1 --storage layers
	[ -d "$T/state/pools/layers/instances/c1/upper" ]
	s copy c0 c2 --storage fast
	[ -d "$T/state/pools/fast/instances/c2/rootfs/etc" ]
	s copy m1/first c3 --storage plain
	# snapshots come along into whatever the pool has
	for pool in layers plain fast; do
		s copy m1 "s-$pool" --storage $pool
		[ "$(s snapshot list "s-$pool" --format csv --columns n)" = first ]
		s snapshot restore "s-$pool" first
		s start "s-$pool"
		[ "$(s exec "s-$pool" -- cat /root/f)" = one ]
		s exec "s-$pool" -- test -e /etc/motd
		s delete -f "s-$pool"
	done
	for name in c1 c2 c3; do
		s start $name
		[ "$(s exec $name -- hostname)" = $name ]
		s exec $name -- sh -c 'test ! -s /etc/machine-id || ! grep -q x /etc/machine-id'
	done
	[ "$(s exec c3 -- cat /root/f)" = one ]
	s copy c1 c4 --storage plain 2>"$T/told"
	grep "c1 was paused for" "$T/told"
	s snapshot create c1 now
	s copy c1/now c5 --storage default
	# one whose mounts are still being taken down
	s exec c1 -- touch /root/last
	s stop -f c1
	s copy c1 c6 --storage fast
	[ -e "$T/state/pools/fast/instances/c6/rootfs/root/last" ]
	s delete -f c0 c1 c2 c3 c4 c5 c6
	for pool in layers plain fast; do
		retry 10 is_empty $pool
	done
}

# writer_agrees ROOT: what it wrote (writes_on in lib.bash) is of one moment
writer_agrees() {
	local a b
	a=$(cat "$1/root/a") b=$(cat "$1/root/b")
	[ "$a" = "$b" ] || [ "$a" = $((b + 1)) ]
	[ "$(find "$1/root/big" -size 2048b | wc -l)" = 20 ]
	[ "$(cat "$1/root/f" "$1/root/g")" = "$(printf 'two\ntwo')" ]
	[ "$(stat -c '%u %g %h' "$1/root/f")" = "33 44 2" ]
	[ ! -e "$1/etc/motd" ]
	[ "$(ls "$1/etc/conf.d")" = mine ]
	[ -e "$1/etc/init2/hostname" ]
	[ ! -d "$1/etc/init.d" ]
}

# root_in POOL NAME: the directory with its files
root_in() {
	find "$T/state/pools/$1/instances/$2" -maxdepth 1 \( -name rootfs -o -name upper \)
}

has_one() {
	[ "$(has "$1" | grep -c .)" = 1 ]
}

# has_as_before POOL LIST
has_as_before() {
	[ "$(has "$1" | sort)" = "$2" ]
}

# copies_from POOL TO...: of one that runs and writes
copies_from() {
	local from=$1 to pid before pause
	shift
	s delete -f r1 r2 >/dev/null 2>&1 || true
	s launch openrc r1 --storage "$from"
	s exec r1 -- sh -c 'echo two >/root/f && ln /root/f /root/g && chown 33:44 /root/f && ln -s f /root/l; echo x >/etc/machine-id
		rm /etc/motd; rm -r /etc/conf.d && mkdir /etc/conf.d && touch /etc/conf.d/mine; mv /etc/init.d /etc/init2'
	writes_on r1 20
	pid=$(init_pid r1) before=$(has "$from" | sort)
	for to; do
		echo "from $from to $to"
		s copy r1 r2 --storage "$to" 2>"$T/told"
		pause=$(sed -n 's/^r1 was paused for \([0-9]*\) ms.*/\1/p' "$T/told")
		[ -n "$pause" ] # for what changed meanwhile alone: moving.bats looks at that
		[ "$(field r2 .expanded_devices.root.pool)" = "$to" ]
		[ "$(init_pid r1)" = "$pid" ]
		retry 20 has_as_before "$from" "$before"
		retry 20 has_one "$to"
		writer_agrees "$(root_in "$to" r2)"
		[ ! -s "$(root_in "$to" r2)/etc/machine-id" ]
		[ "$(s exec r1 -- cat /etc/machine-id)" = x ]
		s start r2
		[ "$(s exec r2 -- hostname)" = r2 ]
		[ "$(s exec r2 -- cat /root/l)" = two ]
		s delete -f r2
		retry 10 is_empty "$to"
	done
	s delete -f r1
}

@test "a running instance is copied to another pool as it runs on, from overlay" {
	copies_from layers plain fast
}

@test "a running instance is copied to another pool as it runs on, from dir" {
	copies_from plain layers fast
}

@test "a running instance is copied to another pool as it runs on, from btrfs" {
	copies_from fast plain layers
}

@test "a running instance is copied to another overlay, as a layer on the same image" {
	s launch openrc l1
	s exec l1 -- sh -c 'rm -r /etc/conf.d; mkdir /etc/conf.d; mv /etc/init.d /etc/init2; echo mine >/etc/conf.d/mine; echo x >/etc/machine-id'
	s copy l1 l2 --storage layers
	[ -d "$T/state/pools/layers/instances/l2/upper/etc/conf.d" ]
	[ ! -e "$T/state/pools/layers/instances/l2/upper/bin" ]
	[ -f "$T/state/pools/layers/instances/l2/upper/etc/machine-id" ]
	[ ! -s "$T/state/pools/layers/instances/l2/upper/etc/machine-id" ]
	is_status l1 Running
	s start l2
	[ "$(s exec l2 -- ls /etc/conf.d)" = mine ]
	s exec l2 -- test -e /etc/init2/hostname -a ! -e /etc/init.d
	[ "$(s exec l1 -- cat /etc/machine-id)" = x ]
	s delete -f l1 l2
}

@test "pools on xfs and ext4: running instances are copied between them" {
	local fs from to
	for fs in xfs ext4; do
		truncate -s 1G "$T/on$fs.img"
		mkfs.$fs -q "$T/on$fs.img"
		mkdir "$T/on$fs"
		mount -o loop "$T/on$fs.img" "$T/on$fs"
	done
	s storage create onxfs overlay "source=$T/onxfs"
	s storage create onext4 dir "source=$T/onext4"
	for from in onxfs:onext4 onext4:onxfs; do
		to=${from#*:} from=${from%:*}
		s launch openrc x1 -s $from
		writes_on x1 20
		s copy x1 x2 -s $to
		[ "$(s exec x1 -- sh -c 'ls /root/big | wc -l')" = 20 ]
		s start x2
		s exec x2 -- sh -c 'd=$(($(cat /root/a) - $(cat /root/b))); [ $d = 0 ] || [ $d = 1 ]'
		[ "$(s exec x2 -- sh -c 'cat /root/big/* | wc -c')" = $((20 << 20)) ]
		s delete -f x1 x2
	done
	[ -z "$(find "$T/onxfs" "$T/onext4" -maxdepth 1 -name '.new-*')" ]
	s storage delete onxfs
	s storage delete onext4
	umount "$T/onxfs" "$T/onext4"
}

no_stages() {
	[ -z "$(find "$T/state/pools" -maxdepth 2 -name '.new-*')" ]
}

# lives_on NAME PID: whatever died
lives_on() {
	retry 10 is_status "$1" Running
	[ "$(init_pid "$1")" = "$2" ]
	s exec "$1" -- true
}

@test "copy --refresh of one that runs, onto copies in each pool, snapshots included" {
	local from to pid then before
	s delete -f r1 r2 >/dev/null 2>&1 || true
	for from in layers plain fast; do
		s launch openrc r1 -s $from
		s exec r1 -- sh -c 'echo one >/root/v; echo same >/root/same; dd if=/dev/zero of=/root/big bs=1M count=20 2>/dev/null'
		pid=$(init_pid r1)
		for to in plain layers fast default; do
			echo "from $from to $to"
			s snapshot create r1 first
			s snapshot create r1 other
			s copy r1 r2 --storage $to -c user.keep=me
			s snapshot create r2 own
			before=$(has $to | grep -c snapshots/)
			s snapshot delete r1/other
			# the writer in between: what was there goes, what is new comes
			s exec r1 -- sh -c 'echo $(($(cat /root/n 2>/dev/null || echo 0) + 1)) >/root/n; rm -f /root/v; mkdir -p /srv/new; echo 2 >/srv/new/f'
			then=$(s exec r1 -- cat /root/n)
			s snapshot create r1 other
			s exec r1 -- sh -c 'echo $(($(cat /root/n) + 1)) >/root/n'
			fails 1 "stays there when it is brought up to date" s copy r1 r2 --refresh --storage nowhere
			s copy r1 r2 --refresh --storage $to 2>"$T/told"
			grep "r1 was paused for" "$T/told"
			[ "$(field r2 .expanded_devices.root.pool)" = $to ]
			[ "$(s config get r2 user.keep)" = me ]
			[ "$(snaps r2)" = "$(snaps r1)" ]
			[ "$(has $to | grep -c snapshots/)" = $((before - 1)) ]
			s start r2
			[ "$(s exec r2 -- cat /srv/new/f /root/same)" = "$(printf '2\nsame')" ]
			[ "$(s exec r2 -- cat /root/n)" = "$(s exec r1 -- cat /root/n)" ]
			[ "$(s exec r2 -- wc -c /root/big | cut -d' ' -f1)" = $((20 << 20)) ]
			never s exec r2 -- test -e /root/v
			[ "$(s exec r2 -- hostname)" = r2 ]
			fails 1 "stop it first" s copy r1 r2 --refresh
			s exec r1 -- touch /root/v
			s snapshot delete r1/first r1/other
			s snapshot restore r2 other
			[ "$(s exec r2 -- cat /root/n)" = "$then" ]
			[ "$(s exec r2 -- cat /srv/new/f /root/same)" = "$(printf '2\nsame')" ]
			s delete -f r2
		done
		[ "$(init_pid r1)" = "$pid" ]
		s delete -f r1
		retry 10 no_stages
	done
}

@test "copy --refresh takes what did not change from the copy, and keeps to its image" {
	local inode copy
	s delete -f r1 r2 r3 >/dev/null 2>&1 || true
	s launch openrc r1 -s fast
	s exec r1 -- sh -c 'echo same >/root/same'
	s copy r1 r2 -s plain
	copy=$T/state/pools/plain/instances/r2/rootfs
	inode=$(stat -c %i "$copy/root/same")
	s exec r1 -- sh -c 'echo new >/root/new'
	s copy r1 r2 --refresh
	[ -e "$copy/root/new" ]
	[ "$(stat -c %i "$copy/root/same")" = "$inode" ]
	# a layer lies on an image: the source has to, too
	s init openrc r3 -s layers
	fails 1 "stands on another image" s copy r1 r3 --refresh
	s copy r2 r4 -s layers # whole: so was r2
	s copy r1 r4 --refresh
	[ -e "$T/state/pools/layers/instances/r4/rootfs/root/new" ]
	s delete -f r1 r2 r3 r4
}

@test "kill -9 after each step of a refresh from another pool: the copy as it was, or as it is to be" {
	local step pid
	s delete -f r1 r2 r3 >/dev/null 2>&1 || true
	s launch openrc r1 -s fast
	s snapshot create r1 first
	s copy r1 r2 -s plain
	s snapshot create r1 second
	s exec r1 -- touch /root/new
	pid=$(init_pid r1)
	for step in hold-source await-source journal copy-snapshots copy settle freeze copy-rest thaw note-pause carry-over \
		drop-detour replace-volume release-source record delete-gone clean-up; do
		echo "after refresh/$step"
		s snapshot delete r2/second 2>/dev/null || true
		s snapshot create r2 own 2>/dev/null || true
		dies_after "refresh/$step" s copy r1 r2 --refresh
		lives_on r1 "$pid"
		case $step in
		record | delete-gone | clean-up) [ "$(snap_names r2)" = "first second" ] ;;
		*) [ "$(snap_names r2)" = "first own" ] ;;
		esac
		[ "$(has plain | grep -c snapshots/)" = 2 ]
		if [ -e "$T/state/pools/plain/instances/r2/rootfs/root/new" ]; then
			[[ $step == re* || $step == delete-gone || $step == clean-up ]]
			s exec r1 -- rm -f /root/new
			s copy r1 r2 --refresh
			s exec r1 -- touch /root/new
		fi
		retry 10 no_stages
		[ "$(journal_rows)" = 0 ]
	done
	s start r2
	s delete -f r1 r2
}

@test "a refresh from another pool that fails leaves the copy and its snapshots as they were" {
	local before
	s delete -f r1 r2 r3 >/dev/null 2>&1 || true
	retry 20 is_empty plain # what was deleted before may still lie in the trash
	s launch openrc r1 -s fast
	s copy r1 r2 -s plain
	s snapshot create r2 own
	before=$(has plain | sort)
	s snapshot create r1 first
	s exec r1 -- touch /root/new
	worker_dies snapshot-copy
	fails 1 "copy-snapshots" s copy r1 r2 --refresh
	[ ! -e "$T/bin/die" ]
	[ "$(snap_names r2)" = own ]
	diff <(has plain | sort) - <<<"$before"
	[ ! -e "$T/state/pools/plain/instances/r2/rootfs/root/new" ]
	[ "$(journal_rows)" = 0 ]
	daemon_restart
	s copy r1 r2 --refresh
	[ "$(snap_names r2)" = first ]
	[ -e "$T/state/pools/plain/instances/r2/rootfs/root/new" ]
	s delete -f r1 r2
}

@test "publish and export of one that runs, in each pool: of one moment, and it runs on" {
	local from pid
	s delete -f r1 r2 r3 >/dev/null 2>&1 || true
	for from in layers plain fast; do
		s launch openrc r1 -s $from
		writes_on r1 20
		pid=$(init_pid r1)
		s publish r1 --alias live
		s export r1 "$T/r1.tar.zst"
		[ "$(init_pid r1)" = "$pid" ]
		retry 10 has_one $from
		s launch live r2 -s plain
		s import "$T/r1.tar.zst" r3
		s start r3
		for name in r2 r3; do
			s exec $name -- sh -c 'd=$(($(cat /root/a) - $(cat /root/b))); [ $d = 0 ] || [ $d = 1 ]'
			[ "$(s exec $name -- sh -c 'cat /root/big/* | wc -c')" = $((20 << 20)) ]
		done
		s delete -f r1 r2 r3
		s image delete live
	done
}

# copy_dies STEP FROM TO: sysctrd is killed after it; no copy then, and nothing is left of it
copy_dies() {
	local pid
	echo "after copy/$1, from $2 to $3"
	pid=$(init_pid "from-$2")
	dies_after "copy/$1" s copy "from-$2" k3 --storage "$3"
	lives_on "from-$2" "$pid"
	if exists k3; then
		[ "$1" = record ]
		s start k3
		[ "$(s exec k3 -- cat /root/mark)" = "$2" ]
		s delete -f k3
	fi
	retry 10 is_empty "$3"
	retry 20 has_one "$2"
	[ "$(journal_rows)" = 0 ]
}

@test "kill -9 after each step of a copy to another pool: it, or none; the source runs on" {
	local step name
	for name in layers plain fast; do
		s launch openrc from-$name -s $name
		s exec from-$name -- sh -c "echo $name >/root/mark"
	done
	s delete -f from-plain
	for step in claim hold-source await-source have-image fill-in journal copy settle freeze copy-rest thaw \
		note-pause carry-over drop-detour copy-volume release-source record; do
		copy_dies $step layers plain
	done
	for step in copy freeze carry-over drop-detour; do
		copy_dies $step fast plain
	done
	s delete -f from-layers from-fast
	s launch openrc from-plain -s plain
	s exec from-plain -- sh -c "echo plain >/root/mark"
	for step in copy freeze copy-rest note-pause copy-volume; do
		copy_dies $step plain layers
	done
	s delete -f from-plain
}

@test "the size of a root disk comes along, and holds in the other pool" {
	s create --empty sized -s fast -d root,size=64MiB
	[ "$(s config get sized volatile.root.size)" = 67108864 ]
	s storage create faster btrfs size=1GiB
	s move sized --storage faster
	[ -z "$(s config get sized volatile.root.size)" ] # its first start there sees to it
	s copy sized sized2 --storage fast
	[ "$(s config get sized2 volatile.root.size)" = 67108864 ]
	s delete sized sized2
	s launch alpine/3.20/mini small -s fast -d root,size=64MiB
	s stop --force small
	s move small --storage faster
	s start small
	[ "$(s config get small volatile.root.size)" = 67108864 ]
	never s exec small -- dd if=/dev/zero of=/root/much bs=1M count=100
	s delete --force small
	s storage delete faster
}

@test "kill -9 after each step leaves the instance in one pool, whole" {
	local step
	s init openrc k1
	s snapshot create k1 s0
	for step in have-image journal copy record delete-old; do
		dies_after "move/$step" s move k1 --storage plain
		case $step in
		record | delete-old)
			[ "$(field k1 .expanded_devices.root.pool)" = plain ]
			[ "$(has plain | grep -c .)" = 2 ]
			s move k1 --storage layers
			;;
		*)
			[ "$(field k1 .expanded_devices.root.pool)" != plain ]
			retry 10 is_empty plain
			;;
		esac
		[ "$(s snapshot list k1 --format csv --columns n)" = s0 ]
	done
	daemon_restart
	retry 10 is_empty plain
	[ "$(has layers | grep -c .)" = 2 ]
	s snapshot restore k1 s0
	s start k1
	s delete -f k1
	retry 10 is_empty layers
}

# lies_in POOL NAME: there only, and its logs are called as it is
lies_in() {
	[ "$(find "$T"/state/pools/*/instances -mindepth 1 -maxdepth 1 -name "$2")" = "$T/state/pools/$1/instances/$2" ]
	[ "$(field "$2" .expanded_devices.root.pool)" = "$1" ]
	[ -d "$T/log/$2" ]
}

is_nowhere() {
	is_gone "$1" &&
		[ -z "$(find "$T"/state/pools/*/instances -mindepth 1 -maxdepth 1 -name "$1")" ] &&
		[ ! -e "$T/log/$1" ]
}

@test "another pool and another name at once" {
	local from=n0 to i=0 mac others
	snapshots() { find "$T"/state/pools/*/snapshots -mindepth 1 -maxdepth 1; }
	others=$(snapshots)
	s launch openrc n0
	s exec n0 -- sh -c 'echo one >/root/f'
	s snapshot create n0 s0
	s exec n0 -- sh -c 'echo two >/root/f'
	fails 1 "running: stop it to move it to another storage pool" s move n0 n1 --storage plain
	s stop -f n0
	mac=$(s config get n0 volatile.eth0.hwaddr)
	for to in layers fast plain default; do
		i=$((i + 1))
		[ "$(s move $from n$i --storage $to 2>&1)" = "$from is called n$i and in $to now." ]
		lies_in $to n$i
		retry 10 is_nowhere $from
		[ "$(s snapshot list n$i --format csv --columns n)" = s0 ]
		retry 10 test -e "$T/state/pools/$to/records/n$i.yaml"
		[ -z "$(find "$T"/state/pools/*/records -name "$from.yaml")" ]
		s start n$i
		[ "$(s exec n$i -- sh -c 'hostname; cat /root/f')" = "$(printf 'n%s\ntwo' $i)" ]
		[ "$(s config get n$i volatile.eth0.hwaddr)" = "$mac" ]
		s stop -f n$i
		from=n$i
	done
	s snapshot restore n4 s0
	s start n4
	[ "$(s exec n4 -- cat /root/f)" = one ]
	s stop -f n4
	# where it is already it is only renamed
	s move n4 n5 --storage default
	fails 1 'instance "m1" exists already' s move n5 m1 --storage plain
	fails 1 "not found" s move n5 n6 --storage nowhere
	fails 1 "must" s move n5 n_6 --storage plain
	lies_in default n5
	s delete n5
	[ "$(snapshots)" = "$others" ]
}

@test "kill -9 after each step: the old name in the old pool, or the new one in the new" {
	local step pair from to
	s launch openrc k1
	s exec k1 -- sh -c 'echo one >/root/f'
	s stop -f k1
	s snapshot create k1 s0
	for pair in default:plain:claim-name,have-image,copy,record,delete-old default:layers:journal,copy,record,move-logs,delete-old \
		default:fast:copy,record,erase; do
		from=${pair%%:*} to=${pair%:*} to=${to#*:}
		for step in $(tr , ' ' <<<"${pair##*:}"); do
			echo "$step: from $from to $to"
			dies_after move/$step s move k1 k2 --storage $to
			case $step in
			record | move-logs | delete-old | erase)
				retry 10 is_nowhere k1
				lies_in $to k2
				s move k2 k1 --storage $from
				;;
			esac
			retry 10 is_nowhere k2
			lies_in $from k1
			retry 10 no_journal
			[ "$(s snapshot list k1 --format csv --columns n)" = s0 ]
		done
	done
	s snapshot restore k1 s0
	s start k1
	[ "$(s exec k1 -- cat /root/f)" = one ]
	s delete -f k1
}

@test "a pool that becomes full leaves the instance where it is" {
	local dir=$T/narrow
	truncate -s 32M "$dir.img"
	mkfs.ext4 -q -m 0 "$dir.img"
	mkdir "$dir"
	mount -o loop "$dir.img" "$dir"
	s storage create narrow dir "source=$dir"
	s launch openrc f1
	s exec f1 -- dd if=/dev/urandom of=/root/big bs=1M count=40
	s snapshot create f1 s0
	s stop -f f1
	fails 1 'f1: move: copy: storage pool "narrow": not enough space' s move f1 f2 --storage narrow
	lies_in default f1
	is_nowhere f2
	no_journal
	[ -z "$(find "$dir"/{instances,snapshots,trash} -mindepth 1)" ]
	[ -z "$(find "$dir" -maxdepth 1 -name '.new-*')" ]
	s start f1
	[ "$(s exec f1 -- stat -c %s /root/big)" = $((40 << 20)) ]
	s delete -f f1
	s storage delete narrow
	retry 10 umount "$dir"
}

@test "a root that nobody knows is not taken for the one that is made, nor replaced by it" {
	local pool dir
	s init openrc u1
	for pool in default plain layers; do
		dir=$T/state/pools/$pool/instances/u2
		mkdir -p "$dir/rootfs" "$dir/upper"
		touch "$dir/rootfs/mine"
		fails 1 "has a root \"u2\" already, which is no instance's" s init openrc u2 -s $pool
		fails 1 "has a root \"u2\" already, which is no instance's" s copy u1 u2 -s $pool
		[ $pool = default ] || fails 1 "has a root \"u2\" already" s move u1 u2 --storage $pool
		[ -e "$dir/rootfs/mine" ]
		rm -r "$dir"
	done
	mkdir "$T/state/pools/plain/instances/u1"
	fails 1 "remove \"$T/state/pools/plain/instances/u1\"" s move u1 --storage plain
	[ "$(field u1 .expanded_devices.root.pool)" = default ]
	s export u1 "$T/u1.tar"
	mv "$T/state/pools/plain/instances/u1" "$T/state/pools/plain/instances/u3"
	fails 1 "has a root \"u3\" already" s import "$T/u1.tar" u3 --storage plain
	rmdir "$T/state/pools/plain/instances/u3"
	s move u1 --storage plain
	[ "$(field u1 .expanded_devices.root.pool)" = plain ]
	s delete u1
}

no_journal() {
	[ "$(sqlite3 "$T/state/sysctr.db" 'SELECT count(*) FROM journal')" = 0 ]
}

@test "a worker that is killed leaves no copy, which the next move would take for its own" {
	local name
	s launch openrc w1
	s exec w1 -- sh -c 'echo one >/root/f'
	s stop -f w1
	for name in w2 w1; do
		worker_dies instance-transfer
		fails 1 "was killed by signal 9" s move w1 $([ $name = w1 ] || echo $name) --storage plain
		[ ! -e "$T/bin/die" ]
		lies_in default w1
		retry 10 no_journal
		[ ! -e "$T/state/pools/plain/instances/$name" ]
		no_stages
		daemon_restart
	done
	s start w1
	s exec w1 -- sh -c 'echo two >/root/f'
	s stop -f w1
	s move w1 --storage plain
	s start w1
	[ "$(s exec w1 -- cat /root/f)" = two ]
	s stop -f w1
	# at the end
	worker_dies volume-delete
	fails 1 "was killed by signal 9" s move w1 w3 --storage fast
	lies_in fast w3
	daemon_restart
	retry 10 is_nowhere w1
	retry 10 no_journal
	s delete w3
}

@test "lxc and incus move and copy between pools unmodified" {
	other lxc move m1 -s plain
	[ "$(field m1 .expanded_devices.root.pool)" = plain ]
	other incus move m1 -s layers
	[ "$(field m1 .expanded_devices.root.pool)" = layers ]
	# under another name
	other lxc move m1 m2 -s plain
	lies_in plain m2
	other incus move m2 m1 -s layers
	lies_in layers m1
	is_gone m2
	other lxc copy m1 l1 -s plain
	other incus copy m1 i1 -s plain
	[ -d "$T/state/pools/plain/instances/l1/rootfs/etc" ]
	[ -d "$T/state/pools/plain/instances/i1/rootfs/etc" ]
	# with their snapshots, or without
	other lxc copy m1 l3 --instance-only
	other incus copy m1 i3 --instance-only
	for name in m1 l1 i1 l3 i3; do
		echo "$name: $(s snapshot list $name --format csv --columns n)"
	done >"$T/snapshots"
	[ "$(cat "$T/snapshots")" = "$(printf '%s: first\n' m1 l1 i1; printf '%s: \n' l3 i3)" ]
	# as it runs
	s start m1
	pid=$(init_pid m1)
	other lxc copy m1 l2 -s fast --stateless
	other incus copy m1 i2 -s plain --stateless
	other lxc copy m1 l1 -s plain --refresh --stateless
	[ "$(init_pid m1)" = "$pid" ]
	[ -d "$T/state/pools/fast/instances/l2/rootfs/etc" ]
	[ -d "$T/state/pools/plain/instances/i2/rootfs/etc" ]
}

@test "copy --refresh by lxc and incus: the snapshots become those of the source, or stay with --instance-only" {
	local client pool
	for client in lxc incus; do
		for pool in default plain; do
			echo "$client to $pool"
			s init openrc q1
			s snapshot create q1 a
			s snapshot create q1 b
			other $client copy q1 q2 -s $pool
			[ "$(snaps q2)" = "$(snaps q1)" ]
			s snapshot delete q1/b
			s snapshot create q1 b --expiry 3d
			s snapshot create q1 c
			s snapshot create q2 own
			s file push - q1/root/mark <<<new
			other $client copy q1 q2 -s $pool --refresh --instance-only
			[ "$(s file pull q2/root/mark -)" = new ]
			[ "$(snap_names q2)" = "a b own" ]
			other $client copy q1 q2 -s $pool --refresh
			[ "$(snaps q2)" = "$(snaps q1)" ]
			[ "$(snap_names q2)" = "a b c" ]
			s snapshot delete q2/a
			[ $client = lxc ] || other incus copy q1 q2 -s $pool --refresh --refresh-exclude-older
			[ "$(snap_names q2)" = "b c" ]
			s delete q1 q2
		done
	done
}

#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# moving.bats - rename and copy of instances; sysctrd killed in each step
load lib

setup_file() {
	export ID_BASE=1650000000
	daemon_setup
	openrc_image
}

teardown_file() {
	daemon_teardown
}

setup() {
	daemon_runs || daemon_start
}

teardown() {
	daemon_check
}

hwaddr() {
	s query "/1.0/instances/$1" | jq -r '.config["volatile.eth0.hwaddr"]'
}

# lease NAME: the IPv4 address that is kept for it
lease() {
	s query "/1.0/networks/$BRIDGE/leases" |
		jq -er --arg name "$1" '.[] | select(.hostname == $name and (.address | contains(":") | not)) | .address'
}

# is_released NAME: its monitor is through with it
is_released() {
	[ ! -e "$T/run/instances/$1" ]
}

# volumes: the instances' volumes as they lie there
volumes() {
	(cd "$T/state/pools/default/instances" && echo *)
}

no_half_made() {
	[ -z "$(find "$T/state" -path '*/rootfs' -prune -o -path '*/upper' -prune -o -name '.new-*' -print)" ]
}

@test "rename: files, addresses, logs and settings go along; the old name is free" {
	mini r1 -c user.colour=green
	s exec r1 -- sh -c 'echo mine >/root/mark'
	fails 1 "only a stopped one" s rename r1 r2
	s stop --force r1
	before=$(hwaddr r1) address=$(lease r1)
	s create openrc taken
	fails 1 "exists already" s rename r1 taken
	fails 1 "letters, digits and hyphens" s rename r1 ../x
	fails 1 "not found" s rename nobody r2
	s rename r1 r2
	is_gone r1
	[ "$(hwaddr r2)" = "$before" ]
	[ "$(lease r2)" = "$address" ]
	[ -z "$(lease r1)" ]
	[ "$(s config get r2 user.colour)" = green ]
	[ -e "$T/log/r2/console.log" ]
	[ ! -e "$T/log/r1" ]
	s move r2 r1
	s launch openrc r2
	s start r1 --wait ipv4
	[ "$(s exec r1 -- cat /root/mark)" = mine ]
	[ "$(s exec r1 -- hostname)" = r1 ]
	[ "$(address r1)" = "$address" ]
	s delete --force r1 r2 taken
}

@test "rename: sysctrd killed after each step leaves one name with everything under it" {
	s create openrc k1
	mac=$(hwaddr k1)
	for step in claim-name check await-released await-files journal move-volume move-logs record; do
		echo "after rename/$step"
		dies_after "rename/$step" s rename k1 k2
		if exists k2; then s rename k2 k1; fi
		[ "$(s list --format csv --columns n)" = k1 ]
		[ "$(volumes)" = k1 ]
		[ "$(hwaddr k1)" = "$mac" ]
		s create openrc k2
		s delete k2
	done
	s start k1
	s exec k1 -- true
	s delete --force k1
}

uuid() {
	s query "/1.0/instances/$1" | jq -r '.config["volatile.uuid"]'
}

@test "copy: everything but what makes it that machine; a running source is paused a moment" {
	s launch openrc c1 -c user.colour=green -c limits.processes=200
	s exec c1 -- sh -c 'echo mine >/root/mark; echo 0123456789abcdef0123456789abcdef >/etc/machine-id'
	pid=$(init_pid c1)
	fails 1 "exists already" s copy c1 c1
	fails 1 "not found" s copy nobody c9
	fails 1 "snapshot not found" s copy c1/snap0 c9
	images=$(ls "$T/state/pools/default/images")
	output=$(s copy c1 c2 -c user.colour=blue -d root,size= --start 2>&1)
	[[ $output == *"was paused for "* ]]
	is_status c1 Running
	[ "$(init_pid c1)" = "$pid" ]
	[ "$(s exec c2 -- cat /root/mark)" = mine ]
	[ "$(s exec c2 -- hostname)" = c2 ]
	[ "$(s exec c2 -- wc -c /etc/machine-id | cut -d' ' -f1)" = 0 ]
	[ "$(s exec c1 -- wc -c /etc/machine-id | cut -d' ' -f1)" = 33 ]
	[ "$(s config get c2 user.colour)" = blue ]
	[ "$(s config get c2 limits.processes)" = 200 ]
	[ "$(hwaddr c1)" != "$(hwaddr c2)" ]
	[ "$(uuid c1)" != "$(uuid c2)" ]
	[ "$(field c2 '.config["volatile.base_image"]')" = "$(field c1 '.config["volatile.base_image"]')" ]
	[ "$(ls "$T/state/pools/default/images")" = "$images" ]
	s delete --force c2
	s exec c1 -- cat /root/mark
}

@test "A1 A15: /etc of the source is a link to a directory of the host" {
	mkdir "$T/victim"
	echo precious >"$T/victim/machine-id"
	s copy c1 trap --start
	s exec trap -- sh -c "mv /etc /was-etc; ln -s $T/victim /etc"
	s stop --force trap
	s copy trap trap2
	[ "$(cat "$T/victim/machine-id")" = precious ]
	s delete trap trap2
}

@test "copy --refresh: takes over what changed, keeps settings, names what it cannot do" {
	s copy c1 b1 -c user.keep=me
	s exec c1 -- sh -c 'rm /root/mark; mkdir /srv/new; echo 2 >/srv/new/file'
	fails 1 "only a stopped copy" s copy b1 c1 --refresh
	s copy c1 b1 --refresh
	[ "$(s config get b1 user.keep)" = me ]
	s start b1
	[ "$(s exec b1 -- cat /srv/new/file)" = 2 ]
	fails 1 "" s exec b1 -- test -e /root/mark
	s delete --force b1
	no_half_made
}

# big_files PATH: which they are, and when one was changed last
big_files() {
	find "$1/root/big" -type f -printf '%f %i %C@\n' | sort
}

@test "copy of one that writes: paused for what changed meanwhile alone, and it is of one moment" {
	local a b before copy
	s launch openrc w1
	writes_on w1
	before=$(freezings)
	kill -STOP "$(monitor_pid w1)" # who would freeze it: till then it runs
	s copy w1 w2 2>"$T/told" 3>&- &
	copy=$!
	retry 60 starts_freezing "$before"
	big_files "$T"/state/pools/default/.new-*/upper >"$T/big"
	kill -CONT "$(monitor_pid w1)"
	wait $copy
	[ "$(wc -l <"$T/big")" = 100 ]
	big_files "$T/state/pools/default/instances/w2/upper" | diff "$T/big" -
	grep "was paused for" "$T/told"
	a=$(cat "$T/state/pools/default/instances/w2/upper/root/a")
	b=$(cat "$T/state/pools/default/instances/w2/upper/root/b")
	[ "$a" = "$b" ] || [ "$a" = $((b + 1)) ]
	[ "$(find "$T/state/pools/default/instances/w2/upper/root/big" -size 2048b | wc -l)" = 100 ]
	s copy w1 w2 --refresh
	[ "$(cat "$T/state/pools/default/instances/w2/upper/root/a")" -gt "$a" ]
	s exec w1 -- touch /root/stop
	s delete --force w1 w2
	no_half_made
}

# The source runs on as it was, whenever sysctrd died.
source_lives() {
	retry 10 is_status c1 Running
	[ "$(init_pid c1)" = "$1" ]
	s exec c1 -- true
}

@test "copy and publish of a snapshot: what it was then, of a source that runs on" {
	pid=$(init_pid c1)
	s exec c1 -- sh -c 'echo then >/root/when; rm -f /root/later'
	s snapshot create c1 then
	s exec c1 -- sh -c 'echo now >/root/when; touch /root/later'
	s config set c1 user.colour=red
	mac=$(hwaddr c1)
	fails 1 "letters, digits and hyphens" s copy c1 c1/then
	s copy c1/then n1 -d root,size= --start
	[ "$(s exec n1 -- sh -c 'cat /root/when; ls /root/later 2>/dev/null')" = then ]
	[ "$(s config get n1 user.colour)" = green ]
	[ "$(s exec n1 -- wc -c /etc/machine-id | cut -d' ' -f1)" = 0 ]
	[ "$(hwaddr n1)" != "$mac" ]
	fails 1 "not a snapshot" s copy c1/then n1 --refresh
	s query -X POST /1.0/instances -d '{"name":"n2","source":{"type":"copy","source":"c1/then"}}'
	retry 20 exists n2
	s publish c1/then --alias then
	s launch then n3
	[ "$(s exec n3 -- sh -c 'cat /root/when; ls /root/later 2>/dev/null')" = then ]
	fails 1 "snapshot not found" s publish c1/gone
	[ "$(init_pid c1)" = "$pid" ]
	[ "$(s exec c1 -- cat /root/when)" = now ]
	s delete --force n1 n2 n3
	s image delete then
	s snapshot delete c1/then
}

# volumes_of_snapshots: how many there are
volumes_of_snapshots() {
	find "$T/state/pools/default/snapshots" -mindepth 1 -maxdepth 1 | wc -l
}

@test "copy: the snapshots come along, and are the copy's; killed after each step none is left over" {
	s init openrc sc1 -c user.note=one
	s file push - sc1/root/mark <<<one
	s snapshot create sc1 a --expiry 5d
	s config set sc1 user.note=two
	s file push - sc1/root/mark <<<two
	s snapshot create sc1 b
	s file push - sc1/root/mark <<<three
	local before
	before=$(volumes_of_snapshots)
	for step in journal copy-volume copy-snapshots release-source; do
		echo "after copy/$step"
		dies_after "copy/$step" s copy sc1 sc2
		never exists sc2
		[ ! -e "$T/state/pools/default/instances/sc2" ]
		[ "$(volumes_of_snapshots)" = "$before" ]
		retry 10 no_half_made
	done
	s copy sc1 sc2
	[ "$(snaps sc2)" = "$(snaps sc1)" ]
	[ "$(snaps sc2 | jq length)" = 2 ]
	s delete sc1
	[ "$(s file pull sc2/root/mark -)" = three ]
	s start sc2
	local mac
	mac=$(hwaddr sc2)
	s snapshot restore sc2 a
	[ "$(s exec sc2 -- cat /root/mark)" = one ]
	[ "$(s config get sc2 user.note)" = one ]
	[ "$(hwaddr sc2)" = "$mac" ]
	# of one that runs; and without them
	s copy sc2 sc3
	[ "$(snaps sc3)" = "$(snaps sc2)" ]
	s copy sc2 sc4 --instance-only
	[ "$(snaps sc4)" = "[]" ]
	s delete --force sc2 sc3 sc4
	[ "$(volumes_of_snapshots)" = $((before - 2)) ]
}

# volumes_of NAME: the names of its snapshots and their volumes
volumes_of() {
	sqlite3 "$T/state/sysctr.db" "SELECT s.name, s.volume FROM snapshots s JOIN instances i ON i.id = s.instance_id
		WHERE i.name = '$1' ORDER BY s.name"
}

# marks NAME TEXT: its root says that
marks() {
	s file push - "$1/root/mark" <<<"$2"
}

@test "copy --refresh: the snapshots become those of the source, what is the same is not copied again" {
	local before volumes
	before=$(volumes_of_snapshots)
	s init openrc rs1 -c user.note=one
	s file push - rs1/root/same <<<same
	marks rs1 one
	s snapshot create rs1 a --expiry 5d
	marks rs1 two
	s snapshot create rs1 b
	s copy rs1 rs2 -c user.keep=me
	volumes=$(volumes_of rs2)
	# the source goes on: one goes, one is another of its name, one comes; and the copy has one of its own
	s snapshot delete rs1/b
	s config set rs1 user.note=three
	marks rs1 three
	s snapshot create rs1 b --expiry 2d
	s snapshot create rs1 c
	marks rs1 four
	s snapshot create rs2 own
	s copy rs1 rs2 --refresh --instance-only
	[ "$(s file pull rs2/root/mark -)" = four ]
	[ "$(snap_names rs2)" = "a b own" ]
	s copy rs1 rs2 --refresh
	[ "$(snaps rs2)" = "$(snaps rs1)" ]
	[ "$(snap_names rs2)" = "a b c" ]
	[ "$(s config get rs2 user.keep)" = me ]
	[ "$(volumes_of rs2 | grep '^a')" = "$(grep '^a' <<<"$volumes")" ]
	never grep -F "$(volumes_of rs2 | sed -n 's/^b|//p')" <<<"$volumes"
	[ "$(volumes_of_snapshots)" = $((before + 6)) ]
	# nothing to be done is nothing that is done
	volumes=$(volumes_of rs2)
	s copy rs1 rs2 --refresh
	[ "$(volumes_of rs2)" = "$volumes" ]
	[ "$(volumes_of_snapshots)" = $((before + 6)) ]
	# what it is inside, when the source has gone; a write to the copy is none to its snapshots
	s delete rs1
	s start rs2
	s exec rs2 -- sh -c 'echo else | dd of=/root/same conv=notrunc 2>/dev/null'
	s snapshot restore rs2 c
	[ "$(s exec rs2 -- cat /root/mark /root/same)" = "$(printf 'three\nsame')" ]
	[ "$(s config get rs2 user.note)" = three ]
	[ "$(s exec rs2 -- hostname)" = rs2 ]
	s snapshot restore rs2 a
	[ "$(s exec rs2 -- cat /root/mark)" = one ]
	s delete --force rs2
	[ "$(volumes_of_snapshots)" = "$before" ]
	no_half_made
}

@test "copy --refresh-exclude-older: what was removed from the copy stays away; else it comes, in its place" {
	local name
	s launch openrc ro1
	for name in a b c; do s snapshot create ro1 $name; done
	s copy ro1 ro2
	s snapshot delete ro2/a ro2/b
	s snapshot create ro1 d
	fails 2 "goes with --refresh" s copy ro1 ro2 --refresh-exclude-older
	s copy ro1 ro2 --refresh --refresh-exclude-older
	[ "$(snap_names ro2)" = "c d" ]
	s copy ro1 ro2 --refresh
	[ "$(snaps ro2)" = "$(snaps ro1)" ]
	daemon_restart
	[ "$(snaps ro2)" = "$(snaps ro1)" ]
	s delete --force ro1 ro2
}

# refresh_begins: rs1 has a, another b and c; its copy rs2 has a, the b of before and one of its own
refresh_begins() {
	local name
	for name in rs1 rs2; do s delete $name 2>/dev/null || true; done
	s init openrc rs1
	for name in a b; do s snapshot create rs1 $name; done
	s copy rs1 rs2
	s snapshot create rs2 own
	s snapshot delete rs1/b
	for name in b c; do s snapshot create rs1 $name; done
	marks rs1 new
}

@test "copy --refresh: killed after each step its snapshots are those of before or those of the source" {
	local step before
	for step in hold-source journal copy-snapshots copy note-pause replace-volume release-source record \
		delete-gone clean-up; do
		echo "after refresh/$step"
		refresh_begins
		before=$(snaps rs2)
		dies_after "refresh/$step" s copy rs1 rs2 --refresh
		case $step in
		record | delete-gone | clean-up)
			[ "$(snaps rs2)" = "$(snaps rs1)" ]
			;;
		*)
			[ "$(snaps rs2)" = "$before" ]
			;;
		esac
		retry 10 no_half_made
		[ "$(journal_rows)" = 0 ]
		[ "$(volumes_of_snapshots)" = 6 ]
		s copy rs1 rs2 --refresh
		[ "$(snaps rs2)" = "$(snaps rs1)" ]
		[ "$(s file pull rs2/root/mark -)" = new ]
	done
}

@test "copy --refresh: a worker that is killed, and what is lost, leave the copy as it was" {
	local before volume
	refresh_begins
	before=$(snaps rs2)
	worker_dies snapshot-copy
	fails 1 "copy-snapshots" s copy rs1 rs2 --refresh
	[ ! -e "$T/bin/die" ]
	[ "$(snaps rs2)" = "$before" ]
	never s file pull rs2/root/mark -
	[ "$(volumes_of_snapshots)" = 6 ]
	retry 10 no_half_made
	[ "$(journal_rows)" = 0 ]
	daemon_restart
	# the second one that comes: the first is there already, and goes again
	volume=$T/state/pools/default/snapshots/$(volumes_of rs1 | sed -n 's/^c|//p')
	mv "$volume" "$T/lost"
	fails 1 "copy-snapshots" s copy rs1 rs2 --refresh
	mv "$T/lost" "$volume"
	[ "$(snaps rs2)" = "$before" ]
	never s file pull rs2/root/mark -
	[ "$(volumes_of_snapshots)" = 6 ]
	no_half_made
	[ "$(journal_rows)" = 0 ]
	# when the rows cannot be written, the root has been exchanged: the next start removes what came
	sqlite3 "$T/state/sysctr.db" \
		"CREATE TRIGGER broken BEFORE INSERT ON snapshots BEGIN SELECT RAISE(ABORT, 'broken'); END"
	fails 1 "record: " s copy rs1 rs2 --refresh
	sqlite3 "$T/state/sysctr.db" 'DROP TRIGGER broken'
	[ "$(snaps rs2)" = "$before" ]
	[ "$(s file pull rs2/root/mark -)" = new ]
	s snapshot rename rs1/c d # the source is free
	daemon_restart
	retry 20 no_operation
	[ "$(snaps rs2)" = "$before" ]
	[ "$(volumes_of_snapshots)" = 6 ]
	[ "$(journal_rows)" = 0 ]
	s copy rs1 rs2 --refresh
	[ "$(snaps rs2)" = "$(snaps rs1)" ]
	s delete rs1 rs2
}

@test "copy: sysctrd killed after each step leaves the source running and a whole copy or none" {
	pid=$(init_pid c1)
	for step in claim hold-source fill-in journal copy settle freeze copy-rest thaw note-pause \
		copy-volume release-source record; do
		echo "after copy/$step"
		dies_after "copy/$step" s copy c1 k3
		source_lives "$pid"
		if exists k3; then
			s delete k3
		fi
		[ "$(volumes)" = c1 ]
		retry 10 no_half_made
	done
	s copy c1 k3
	for step in journal copy freeze copy-rest thaw replace-volume release-source; do
		echo "after refresh/$step"
		dies_after "refresh/$step" s copy c1 k3 --refresh
		source_lives "$pid"
		retry 10 no_half_made
	done
	s start k3
	s exec k3 -- true
	s delete --force k3 c1
}

@test "I5: publish: an image without what makes it one machine; nothing else becomes a command" {
	s launch openrc p1
	s exec p1 -- sh -c 'echo mine >/root/mark; chmod 4755 /root/mark; mkdir -p /etc/ssh /var/lib/dhcp
		echo key >/etc/ssh/ssh_host_rsa_key; echo conf >/etc/ssh/sshd_config
		mkdir -p /etc/dropbear /var/lib/misc /var/lib/seedrng /var/lib/systemd
		echo key >/etc/dropbear/dropbear_rsa_host_key; echo conf >/etc/dropbear/conf
		for seed in misc/random-seed seedrng/seed.credit systemd/random-seed; do echo seed >/var/lib/$seed; done
		echo lease >/var/lib/dhcp/dhclient.leases; echo 0123456789abcdef0123456789abcdef >/etc/machine-id
		rm -r /etc/init.d/acpid; mkdir -p /usr/share; mv /usr/share /usr/was-share; ln -s was-share /usr/share'
	pid=$(init_pid p1)
	s publish p1 --alias live
	[ "$(init_pid p1)" = "$pid" ]
	s exec p1 -- true
	[ -z "$(ls "$T/state/pools/default/snapshots")" ]
	s launch live p2
	[ "$(s exec p2 -- cat /root/mark)" = mine ]
	[ "$(s exec p2 -- wc -c /etc/machine-id | cut -d' ' -f1)" = 0 ]
	s delete --force p2
	s image delete live
	s stop --force p1
	fails 1 "is not none, gzip, xz or zstd" s publish p1 --compression 'xz;id'
	s publish p1 --alias web description="of a test" --public
	[ "$(s query /1.0/images/aliases/web | jq -r .target | xargs -I{} "$BUILDDIR/sysctr" query /1.0/images/{} | jq -r '.properties.description + "," + (.public | tostring)')" = "of a test,true" ]
	fails 1 "exists already" s publish p1 --alias web
	s launch web p2
	[ "$(s exec p2 -- cat /root/mark)" = mine ]
	[ "$(s exec p2 -- stat -c %a /root/mark)" = 4755 ]
	[ "$(s exec p2 -- wc -c /etc/machine-id | cut -d' ' -f1)" = 0 ]
	s exec p2 -- sh -c '[ -e /etc/ssh/sshd_config ] && ! [ -e /etc/ssh/ssh_host_rsa_key ] &&
		[ -e /etc/dropbear/conf ] && ! [ -e /etc/dropbear/dropbear_rsa_host_key ] &&
		! grep -rx seed /var/lib &&
		! [ -e /var/lib/dhcp/dhclient.leases ] && ! [ -e /etc/init.d/acpid ] && [ -L /usr/share ] && [ -d /usr/was-share ]'
	s delete --force p2
	s start p1
	s exec p1 -- sh -c '[ -s /etc/machine-id ] && [ -e /etc/ssh/ssh_host_rsa_key ]'
	for compression in none gzip xz; do
		s publish p1 --force --alias web --reuse --compression $compression
	done
	is_status p1 Running
	s query /1.0/images/aliases/web | jq -r .target | xargs "$BUILDDIR/sysctr" image delete
	no_half_made
}

@test "A8 A10: links and a false /etc of the source lead publish nowhere" {
	mkdir -p "$T/secret"
	echo precious >"$T/secret/machine-id"
	s exec p1 -- sh -c "mv /etc /was-etc; ln -s $T/secret /etc; ln -s /etc/shadow /root/shadow; mknod /root/fifo p"
	s stop --force p1
	s publish p1 --alias trap --compression none
	file=$T/state/images/$(s query /1.0/images/aliases/trap | jq -r .target)
	tar tvf "$file" rootfs/etc rootfs/root/shadow rootfs/root/fifo
	[ "$(tar tvf "$file" | grep -c 'rootfs/etc/')" = 0 ]
	! grep -aq precious "$file" || return 1
	[ "$(cat "$T/secret/machine-id")" = precious ]
	s image delete trap
}

@test "publish: sysctrd killed after each step leaves a whole image or none" {
	exists p1 || s create openrc p1
	for step in check await-released publish; do
		dies_after "image-publish/$step" s publish p1
		retry 10 no_half_made
		for image in $(s image list --format csv --columns F | grep -v "$(s query /1.0/images/aliases/openrc | jq -r .target)"); do
			s create "$image" check
			s delete check
			s query /1.0/images/$image | jq -e '.aliases == []' || continue
			s image delete "$image"
		done
		is_status p1 Stopped
	done
	s delete p1
}

@test "export: a backup as LXD and Incus read it, streamed; what is not whole leaves no file" {
	s launch openrc e1 -c user.note=$'two\nlines: #1'
	s exec e1 -- sh -c 'echo mine >/root/mark; ln /root/mark /root/mark2'
	cd "$T"
	pid=$(init_pid e1)
	s export e1 live.tar
	[ "$(init_pid e1)" = "$pid" ]
	s exec e1 -- true
	[ -z "$(ls "$T/state/pools/default/snapshots")" ]
	[ "$(tar xOf live.tar backup/container/rootfs/root/mark)" = mine ]
	rm live.tar
	s stop --force e1
	fails 1 "is not none, gzip, xz or zstd" s export e1 --compression 'xz;id'
	[ -z "$(find "$T" -maxdepth 1 -name 'e1*')" ]
	s export e1
	[ -z "$(find "$T" -maxdepth 1 -name '*.part')" ]
	tar tf e1.tar.zst >list
	[ "$(head -n 1 list)" = backup/index.yaml ]
	grep -qx backup/container/backup.yaml list
	grep -qx backup/container/rootfs/sbin/init list
	[ "$(tar xOf e1.tar.zst backup/container/rootfs/root/mark)" = mine ]
	tar xOf e1.tar.zst backup/index.yaml | grep -x 'name: e1'
	tar xOf e1.tar.zst backup/index.yaml | grep -E '^type: "?container"?$'
	tar xOf e1.tar.zst backup/container/backup.yaml | grep -E '^container:$'
	s export e1 - --compression none >plain.tar
	[ "$(tar tf plain.tar | sort | md5sum)" = "$(sort list | md5sum)" ]
	[ "$(s export e1 - --compression gzip | gunzip | tar t | sort | md5sum)" = "$(sort list | md5sum)" ]
	s start e1
}

@test "export: what is no plain file is written, not replaced; the reason is that of this side" {
	mknod "$T/full" c 1 7
	fails 1 "No space left on device" s export e1 "$T/full" --compression none
	[ -c "$T/full" ]
	fails 1 "is a directory" s export e1 "$T"
	fails 1 "missing/e1.tar.part\": No such file" s export e1 "$T/missing/e1.tar"
	# what goes wrong before anything is packed
	mv "$T/state/pools/default/instances/e1" "$T/state/pools/default/kept"
	S_SECONDS=20 fails 1 "not in pool" s export e1 "$T/lost.tar"
	mv "$T/state/pools/default/kept" "$T/state/pools/default/instances/e1"
	ln -s plain.tar "$T/link.tar"
	s export e1 "$T/link.tar" --compression none
	[ -L "$T/link.tar" ]
	[ "$(stat -c %a "$T/plain.tar")" = 600 ]
	retry 20 no_operation
}

@test "export: a reader or a helper that goes away ends it, and the instance is free again" {
	s exec e1 -- sh -c 'head -c 40000000 /dev/urandom >/root/big'
	s stop --force e1
	cd "$T"
	rm -f e1.tar.xz
	s export e1 - --compression none | head -c 1000 >/dev/null || true
	retry 20 no_operation
	worker_dies instance-export
	fails 1 "was killed" s export e1 --compression xz
	[ ! -e "$T/bin/die" ]
	[ -z "$(find "$T" -maxdepth 1 -name 'e1.tar.xz*')" ]
	retry 20 no_operation
	daemon_restart
	retry 10 no_half_made
	s start e1
	s delete --force e1
}

@test "export: sysctrd killed after each step leaves the instance running and no copy of it" {
	s launch openrc e2
	pid=$(init_pid e2)
	for step in still/journal still/copy still/freeze still/commit export-still/read-on export-still/pack export-still/drop; do
		echo "after $step"
		dies_after $step s export e2 "$T/dies.tar"
		source_of_e2_lives "$pid"
		retry 10 no_half_made
		[ -z "$(ls "$T/state/pools/default/snapshots")" ]
	done
	s delete --force e2
}

@test "export: who is being exported starts, stops and is copied; what is read stays until it has been" {
	s launch openrc e3
	s exec e3 -- touch /root/mark
	s snapshot create e3 old
	reads_slowly s export e3 - --compression none
	s restart --force e3
	s exec e3 -- rm /root/mark
	s snapshot create e3 new
	s copy e3 e4
	s config set e3 user.note=1 snapshots.keep=last=1
	s snapshot rename e3 new newer
	s stop --force e3
	for what in "snapshot delete e3 old" "snapshot create e3 old --reuse" "restore e3 newer" "rebuild e3" \
		"rename e3 e5" "delete e3" "copy e4 e3 --refresh"; do
		fails 1 "is being read: operation " s $what
	done
	read_on "$T/e3.tar"
	tar -tf "$T/e3.tar" | grep "^backup/container/rootfs/root/mark$"
	rm "$T/e3.tar"
	s delete e3
	s delete --force e4
}

@test "export: an ephemeral instance that stops meanwhile goes when it has been read" {
	s launch openrc e6 --ephemeral
	s exec e6 -- touch /root/mark
	reads_slowly s export e6 - --compression none
	s stop --force e6
	is_status e6 Stopped
	read_on "$T/e6.tar"
	tar -tf "$T/e6.tar" | grep "^backup/container/rootfs/root/mark$"
	rm "$T/e6.tar"
	retry 20 is_gone e6
	retry 10 no_half_made
}

source_of_e2_lives() {
	retry 10 is_status e2 Running
	[ "$(init_pid e2)" = "$1" ]
	s exec e2 -- true
}

@test "rebuild: a new root, the same machine" {
	s launch openrc b1 -c user.note=kept
	s exec b1 -- touch /root/mark
	mac=$(hwaddr b1)
	fails 1 "only a stopped one" s rebuild b1
	fails 1 "no image or template" s rebuild b1 nowhere --force
	is_status b1 Running
	s rebuild b1 --force
	fails 1 "" s exec b1 -- test -e /root/mark
	[ "$(hwaddr b1)" = "$mac" ]
	[ "$(s config get b1 user.note)" = kept ]
	s exec b1 -- touch /root/mark
	s stop --force b1
}

@test "rebuild: sysctrd killed after each step leaves the old root or the new one" {
	for step in check await-released await-files have-image unpack-image journal make-volume record \
		replace-volume clean-up; do
		echo "after rebuild/$step"
		dies_after "rebuild/$step" s rebuild b1 openrc
		[ "$(volumes)" = b1 ]
		s start b1
		s exec b1 -- true
		s stop --force b1
		retry 20 is_released b1 # the next sysctrd would find its monitor at work
		retry 10 no_half_made
	done
	s delete b1
}

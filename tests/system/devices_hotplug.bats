#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# devices_hotplug.bats - devices found by what they are, that come and go while the container runs
# The host's sysfs is one of our own here; events are real ones of the kernel's.
load lib

setup_file() {
	export ID_BASE=2230000000
	daemon_setup
	export SYS=$T/sys PROC=$T/proc
	mkdir -p "$SYS"/dev/{char,block} "$SYS/devices" "$SYS"/class/{drm,usb,tty} "$SYS/bus/pci/devices" "$PROC"
	daemon_stop
	start
	s launch alpine/3.20/mini h1
}

start() {
	daemon_start "SYSCTRD_TEST_SYS_DIR=$SYS" "SYSCTRD_TEST_PROC_DIR=$PROC"
}

teardown_file() {
	[ ! -e "$T/loop" ] || losetup -d "/dev/loop$(cat "$T/loop")" || true
	[ ! -e "$T/loop" ] || loop_remove "$(cat "$T/loop")" || true
	daemon_teardown
}

teardown() {
	daemon_check
}

h1() {
	s exec h1 -- "$@"
}

# event: the kernel tells that something happened to a device
event() {
	echo change >/sys/class/mem/null/uevent
}

# sysdev DIR SUBSYSTEM KIND MAJOR:MINOR DEVNAME: a device below devices/, as sysfs shows it
sysdev() {
	mkdir -p "$SYS/devices/$1"
	ln -sfn "$SYS/class/$2" "$SYS/devices/$1/subsystem"
	printf 'MAJOR=%s\nMINOR=%s\nDEVNAME=%s\n' "${4%:*}" "${4#*:}" "$5" >"$SYS/devices/$1/uevent"
	ln -sfn "$SYS/devices/$1" "$SYS/dev/$3/$4"
}

# attributes DIR NAME=VALUE...
attributes() {
	local pair
	mkdir -p "$SYS/devices/$1"
	for pair in "${@:2}"; do echo "${pair#*=}" >"$SYS/devices/$1/${pair%%=*}"; done
}

# usb NUMBER SERIAL: a stick on bus 1
usb() {
	attributes "usb1/1-$1" idVendor=046d idProduct=c52b "serial=$2" busnum=1 "devnum=$1"
	sysdev "usb1/1-$1" usb char "189:$1" "bus/usb/001/00$1"
}

usb_gone() {
	rm -rf "$SYS/dev/char/189:$1" "$SYS/devices/usb1/1-$1"
}

# card NUMBER VENDOR: a card with its render node
card() {
	attributes "pci0000:00/0000:0$1:00.0" "vendor=0x$2" device=0x1234
	sysdev "pci0000:00/0000:0$1:00.0/drm/card$1" drm char "226:$1" "dri/card$1"
	sysdev "pci0000:00/0000:0$1:00.0/drm/renderD12$1" drm char "226:12$1" "dri/renderD12$1"
}

# nvidia NUMBER MINOR: NVIDIA's driver has that card
nvidia() {
	mkdir -p "$PROC/driver/nvidia/gpus/0000:0$1:00.0"
	printf 'Model: \t\t Some Card\nBus Location: \t 0000:0%s:00.0\nDevice Minor: \t %s\n' "$1" "$2" \
		>"$PROC/driver/nvidia/gpus/0000:0$1:00.0/information"
	ln -sfn "$SYS/devices/pci0000:00/0000:0$1:00.0" "$SYS/bus/pci/devices/0000:0$1:00.0"
}

# node PATH: its number, owner and permissions inside, or nothing
node() {
	h1 stat -c '%t:%T %u:%g %a' "$1" 2>/dev/null || true
}

is_node() {
	[ "$(node "$1")" = "$2" ]
}

add() {
	s config device add h1 "$@"
}

# may_open KIND MAJOR MINOR: the container's device program lets it; the host has no such device
may_open() {
	h1 sh -c "rm -f /tmp/n; : <$1" 2>&1 | grep -q 'No such device'
}

@test "usb: by vendor and product, serial, bus and number; comes and goes" {
	usb 4 A1
	add stick usb vendorid=046d productid=c52b uid=3 gid=4 mode=0640
	is_node /dev/bus/usb/001/004 'bd:4 3:4 640'
	# It may be opened, as far as we are concerned; there is nothing behind it.
	may_open /dev/bus/usb/001/004
	usb 5 B2
	event
	retry 20 is_node /dev/bus/usb/001/005 'bd:5 3:4 640'
	usb_gone 4
	event
	retry 20 is_node /dev/bus/usb/001/004 ''
	is_node /dev/bus/usb/001/005 'bd:5 3:4 640'
	usb 4 A1
	s config device set h1 stick serial=A1
	is_node /dev/bus/usb/001/004 'bd:4 3:4 640'
	is_node /dev/bus/usb/001/005 ''
	s config device unset h1 stick serial
	s config device set h1 stick busnum=1 devnum=5
	is_node /dev/bus/usb/001/004 ''
	is_node /dev/bus/usb/001/005 'bd:5 3:4 640'
	s config device set h1 stick attached=false required=true
	is_node /dev/bus/usb/001/005 ''
	s config device unset h1 stick attached
	is_node /dev/bus/usb/001/005 'bd:5 3:4 640'
	s config device remove h1 stick
	is_node /dev/bus/usb/001/005 ''
}

@test "unix-hotplug: what hangs off a device, but not the usb device itself" {
	usb 4 A1
	sysdev usb1/1-4/1-4:1.0/tty/ttyUSB0 tty char 188:0 ttyUSB0
	add serial unix-hotplug vendorid=046d
	is_node /dev/ttyUSB0 'bc:0 0:0 660'
	is_node /dev/bus/usb/001/004 ''
	rm "$SYS/dev/char/188:0"
	event
	retry 20 is_node /dev/ttyUSB0 ''
	s restart -f h1
	is_node /dev/ttyUSB0 ''
	ln -s "$SYS/devices/usb1/1-4/1-4:1.0/tty/ttyUSB0" "$SYS/dev/char/188:0"
	event
	retry 20 is_node /dev/ttyUSB0 'bc:0 0:0 660'
	s config device remove h1 serial
}

@test "gpu: all of them, or one by its number, address or maker" {
	card 1 10de
	card 2 8086
	add gpu gpu gid=44
	for name in card1 renderD121 card2 renderD122; do
		[ -n "$(node "/dev/dri/$name")" ]
	done
	is_node /dev/dri/card1 'e2:1 0:44 660'
	s config device set h1 gpu id=2
	is_node /dev/dri/renderD122 'e2:7a 0:44 660'
	is_node /dev/dri/card1 ''
	is_node /dev/dri/renderD121 ''
	s config device unset h1 gpu id
	s config device set h1 gpu pci=0000:01:00.0
	is_node /dev/dri/card1 'e2:1 0:44 660'
	is_node /dev/dri/card2 ''
	s config device unset h1 gpu pci
	s config device set h1 gpu vendorid=8086
	is_node /dev/dri/card1 ''
	is_node /dev/dri/card2 'e2:2 0:44 660'
	s config device remove h1 gpu
	is_node /dev/dri/card2 ''
}

@test "gpu: cards of NVIDIA's driver have their nodes, and those that go with all of them" {
	card 1 10de
	card 2 8086
	card 5 10de
	nvidia 1 0
	nvidia 5 1
	printf 'Character devices:\n195 nvidia\n511 nvidia-uvm\n\nBlock devices:\n  7 loop\n' >"$PROC/devices"
	add gpu gpu id=1 gid=44
	is_node /dev/dri/card1 'e2:1 0:44 660'
	is_node /dev/nvidia0 'c3:0 0:44 660'
	is_node /dev/nvidia1 ''
	is_node /dev/nvidiactl 'c3:ff 0:44 660'
	is_node /dev/nvidia-modeset 'c3:fe 0:44 660'
	is_node /dev/nvidia-uvm '1ff:0 0:44 660'
	is_node /dev/nvidia-uvm-tools '1ff:1 0:44 660'
	s config device unset h1 gpu id
	s config device set h1 gpu pci=0000:05:00.0
	is_node /dev/nvidia0 ''
	is_node /dev/nvidia1 'c3:1 0:44 660'
	is_node /dev/nvidiactl 'c3:ff 0:44 660'
	# None of them belongs to a card that another driver has.
	s config device unset h1 gpu pci
	s config device set h1 gpu id=2
	is_node /dev/dri/card2 'e2:2 0:44 660'
	is_node /dev/nvidia1 ''
	is_node /dev/nvidiactl ''
	s config device unset h1 gpu id
	rm -r "$PROC/driver"
	event
	retry 20 is_node /dev/nvidiactl ''
	s config device remove h1 gpu
	rm "$SYS"/dev/char/226:{5,125}
}

@test "required: what the host has to have, now and at a start" {
	fails 1 'device "gpu": the host has no such gpu device' add gpu gpu vendorid=dead
	fails 1 'device "stick": the host has no such usb device' add stick usb vendorid=dead required=true
	[ "$(field h1 '.devices | has("gpu") or has("stick")')" = false ]
	add gpu gpu vendorid=dead required=false
	is_node /dev/dri/card3 ''
	card 3 dead
	event
	retry 20 is_node /dev/dri/card3 'e2:3 0:0 660'
	s config device set h1 gpu required=true
	s stop -f h1
	rm "$SYS"/dev/char/226:3 "$SYS"/dev/char/226:123
	fails 1 'device "gpu": the host has no such gpu device' s start h1
	card 3 dead
	s start h1
	is_node /dev/dri/card3 'e2:3 0:0 660'
	s config device remove h1 gpu
}

# loop_add, loop_remove NUMBER: a loop device, with the kernel's own events
loop_add() {
	python3 -c 'import fcntl, os; print(fcntl.ioctl(os.open("/dev/loop-control", os.O_RDWR), 0x4C80, int(os.sys.argv[1])))' "$1"
}

loop_remove() {
	python3 -c 'import fcntl, os; fcntl.ioctl(os.open("/dev/loop-control", os.O_RDWR), 0x4C81, int(os.sys.argv[1]))' "$1"
}

@test "a node that need not be there is plugged in when the host gets it" {
	local number=$((1000 + BASHPID % 1000))
	add disk unix-block "source=/dev/loop$number" path=/dev/own required=false
	is_node /dev/own ''
	truncate -s 1M "$T/own.img"
	loop_add $number
	echo $number >"$T/loop"
	retry 20 [ -b "/dev/loop$number" ]
	losetup "/dev/loop$number" "$T/own.img" # whoever looks for a free one does not take it
	retry 20 is_node /dev/own "7:$(printf %x $number) 0:0 660"
	losetup -d "/dev/loop$number"
	retry 20 loop_remove $number
	rm "$T/loop"
	retry 20 is_node /dev/own ''
	s config device remove h1 disk
}

@test "the daemon was away: what came meanwhile is plugged in" {
	add stick usb vendorid=046d
	usb_gone 4
	usb_gone 5
	event
	retry 20 is_node /dev/bus/usb/001/004 ''
	daemon_kill
	usb 4 A1
	start
	retry 20 is_node /dev/bus/usb/001/004 'bd:4 0:0 660'
	s config device remove h1 stick
}

#!/bin/bash
# quickstart.sh - from a bare Debian 12 or 13 to a running container: sudo ./quickstart.sh
#
# Installs what the build needs, builds, installs below /usr/local, starts the daemon, launches the
# container "web1" and shows it. Safe to repeat: what is there already is left alone.
set -eu
cd "$(dirname "$0")"
src=$PWD
name=web1
log=$(mktemp -t sysctr-quickstart.XXXXXX)
prefix=/usr/local

say() {
	printf '\n==> %s\n' "$*"
}

die() {
	printf 'Error: quickstart: %s\n' "$*" >&2
	printf 'The whole output is in %s\n' "$log" >&2
	exit 1
}

# quietly STEP COMMAND...: output to the log, its end on failure
quietly() {
	local step=$1
	shift
	"$@" >>"$log" 2>&1 || {
		tail -n 25 "$log" >&2
		die "$step failed"
	}
}

[ "$(id -u)" -eq 0 ] || die "it has to run as root: sudo ./quickstart.sh"
command -v apt-get >/dev/null || die "this host has no apt-get: see README.md for a build by hand"

install_packages() {
	local missing=() package
	while read -r package; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
			missing+=("$package")
	done < <(awk '$1 == "build" || $1 == "run" { print $2 }' tools/packages)
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${#missing[@]} packages"
	quietly "apt-get update" apt-get update -q
	quietly "apt-get install ${missing[*]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -qy --no-install-recommends "${missing[@]}"
}

build() {
	say "building"
	[ -x configure ] || quietly "autogen.sh" ./autogen.sh
	mkdir -p build-quickstart
	cd build-quickstart
	[ -e Makefile ] ||
		quietly "configure" "$src/configure" -q --prefix=$prefix --sysconfdir=/etc --localstatedir=/var
	quietly "make" make -s -j"$(nproc)"
	quietly "make install" make -s install
	cd "$src"
}

has_systemd() {
	[ -d /run/systemd/system ]
}

daemon_answers() {
	[ -S /run/sysctr/unix.socket ] && $prefix/bin/sysctr query /internal/ready >/dev/null 2>&1
}

# The new daemon replaces a running one; containers do not notice.
start_daemon() {
	say "starting sysctrd"
	getent group sysctr >/dev/null || quietly "groupadd" groupadd --system sysctr
	if has_systemd; then
		quietly "systemctl" systemctl daemon-reload
		quietly "systemctl enable" systemctl enable sysctrd.service sysctr-containers.service
		quietly "systemctl restart" systemctl restart sysctrd.service
		quietly "systemctl start" systemctl start sysctr-containers.service
	else
		pkill -x sysctrd || true
		for _ in $(seq 50); do
			pgrep -x sysctrd >/dev/null || break
			sleep 0.1
		done
		setsid $prefix/sbin/sysctrd >>/var/log/sysctrd.log 2>&1 </dev/null &
	fi
	for _ in $(seq 100); do
		daemon_answers && return 0
		sleep 0.1
	done
	die "sysctrd does not answer; see $(has_systemd && echo 'journalctl -u sysctrd' ||
		echo /var/log/sysctrd.log)"
}

launch() {
	if $prefix/bin/sysctr info $name >/dev/null 2>&1; then
		say "container $name is there already"
		$prefix/bin/sysctr start $name 2>/dev/null || true
	else
		say "sysctr launch debian $name (the first one builds the image: a minute or two)"
		$prefix/bin/sysctr launch debian $name </dev/null || die "launch failed"
	fi
	$prefix/bin/sysctr wait $name ipv4 --timeout 60 || die "$name got no address"
}

install_packages
build
start_daemon
launch
say "sysctr exec $name -- ... (what it is)"
$prefix/bin/sysctr exec $name -- sh -c '. /etc/os-release; echo "$PRETTY_NAME, up since $(uptime -s)"'
say "sysctr list"
$prefix/bin/sysctr list
rm -f "$log"
cat <<DONE

Next: sysctr shell $name        a shell in it
      sysctr launch alpine a1   another one
      sysctr --help             all commands
DONE

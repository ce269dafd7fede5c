#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# nesting.bats - container engines inside a container, and what systemd isolates without any nesting
load lib

setup_file() {
	export ID_BASE=1720000000
	daemon_setup
	S_SECONDS=600 s launch "debian/$(. /etc/os-release && echo "$VERSION_CODENAME")" n1 \
		-c security.nesting=true
	zcat "$ALPINE"/alpine-minirootfs-3.20.*-x86_64.tar.gz >"$T/mini.tar"
	s file push "$T/mini.tar" n1/root/mini.tar
	install_engines
	retry 120 has_docker
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

# Fetched by the host's apt, for what the container has already.
install_engines() {
	mkdir -p "$T/debs/partial"
	s file pull n1/var/lib/dpkg/status "$T/status"
	apt-get -q -y --download-only --no-install-recommends -o APT::Sandbox::User=root \
		-o Dir::State::status="$T/status" -o Dir::Cache::archives="$T/debs" \
		install crun docker.io podman
	s config device add n1 debs disk source="$T/debs" path=/mnt/debs
	S_SECONDS=600 s exec n1 -- sh -c 'DEBIAN_FRONTEND=noninteractive \
		dpkg --force-unsafe-io --force-confold -i /mnt/debs/*.deb'
	s config device remove n1 debs
}

in_n1() {
	s exec n1 -- "$@"
}

has_docker() {
	in_n1 docker info
}

# podman_run ARGUMENT...: with the limits that the cgroup inside offers
podman_run() {
	local limit=()
	is_unified || limit=(--pids-limit=0)
	in_n1 podman run --rm "${limit[@]}" "$@"
}

@test "nesting: the engines' directories are on the plain file system, kept with the root" {
	for dir in docker containerd containers; do
		in_n1 findmnt -no FSTYPE,OPTIONS "/var/lib/$dir" | grep -v overlay | grep idmapped
	done
	[ "$(in_n1 stat -c %u:%g:%a /var/lib/docker)" = 0:0:710 ]
	[ -d "$T/state/pools/default/instances/n1/upper/var/lib/docker/overlay2" ]
}

@test "nesting: Docker imports, runs, and builds with its overlay driver" {
	[ "$(in_n1 docker info --format '{{.Driver}}')" = overlay2 ]
	in_n1 docker import /root/mini.tar mini
	[ "$(in_n1 docker run --rm mini id -u)" = 0 ]
	in_n1 docker run --rm mini ip -4 address show eth0 | grep 'inet 172.'
	s exec n1 -- sh -c 'mkdir /root/build &&
		printf "FROM mini\nRUN rm /etc/motd\nRUN echo built >/what\n" >/root/build/Dockerfile'
	in_n1 docker build -q -t mine /root/build
	run in_n1 docker run --rm --network none mine sh -c 'cat /what; test -e /etc/motd || echo gone'
	[ "${lines[0]}" = built ]
	[ "${lines[1]}" = gone ]
}

@test "nesting: podman imports and runs with its overlay driver" {
	[ "$(in_n1 podman info --format '{{.Store.GraphDriverName}}')" = overlay ]
	in_n1 podman import /root/mini.tar mini
	[ "$(podman_run --network none mini id -u)" = 0 ]
	[ "$(podman_run --network none mini cat /etc/alpine-release)" = \
		"$(in_n1 docker run --rm mini cat /etc/alpine-release)" ]
}

@test "nesting: user namespaces, FUSE and TUN" {
	[ "$(in_n1 setpriv --reuid 65534 --clear-groups unshare -Urpf --mount-proc id -u)" = 0 ]
	in_n1 setpriv --reuid 65534 --clear-groups unshare -Urm mount -t tmpfs none /mnt
	in_n1 ip tuntap add tap7 mode tap
	in_n1 sh -c ': <>/dev/fuse'
}

@test "nesting: what Docker keeps is in a snapshot, and comes back" {
	s snapshot create n1 before
	in_n1 docker rmi mine
	never in_n1 docker image inspect mine
	s stop --force n1
	s snapshot restore n1 before
	s start n1
	retry 120 has_docker
	[ "$(in_n1 docker run --rm --network none mine cat /what)" = built ]
	never in_n1 docker run --rm --network none mine test -e /etc/motd
}

@test "nesting: switched off, the content stays to be seen" {
	s stop --force n1
	s config unset n1 security.nesting
	s start n1
	# below the overlay again; the content is the same
	in_n1 findmnt -no FSTYPE -T /var/lib/docker | grep -x overlay
	in_n1 test -d /var/lib/docker/overlay2
}

@test "without nesting systemd isolates its services" {
	never in_n1 mountpoint /var/lib/docker
	retry 120 in_n1 systemctl is-active -q dbus.socket
	in_n1 sh -c 'echo secret >/root/cred'
	for property in PrivateTmp=yes ProtectSystem=strict ProtectHome=yes DynamicUser=yes \
		PrivateDevices=yes ProtectKernelTunables=yes PrivateUsers=yes ProtectProc=invisible \
		PrivateNetwork=yes RestrictNamespaces=yes; do
		echo "$property"
		in_n1 systemd-run --wait -q -p "$property" true
	done
	[ "$(in_n1 systemd-run --wait -qP -p DynamicUser=yes -p LoadCredential=c:/root/cred \
		sh -c 'cat "$CREDENTIALS_DIRECTORY/c"')" = secret ]
	never in_n1 systemd-run --wait -q -p ProtectSystem=strict touch /etc/x
	[ "$(in_n1 findmnt -no PROPAGATION /)" = shared ]
}

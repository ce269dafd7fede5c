#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# remotes.bats - image servers by name: the file, lists, launches, copies, refreshes
# Threats: I1, and what a server may say in its lists.
load lib

setup_file() {
	export ID_BASE=1920000000
	daemon_setup
	export SYSCTR_REMOTES=$T/conf/remotes.yaml
	export WEB=$T/web
	: >"$WEB.log"
	serve_and_keep 20240101_01:00
	image_server_start
	export URL=http://127.0.0.1:$PORT
}

teardown_file() {
	image_server_stop
	daemon_teardown
}

teardown() {
	daemon_check
}

# serve_and_keep SERIAL: that version; what the server says of it is kept in $T
serve_and_keep() {
	serve_version "$1"
	cp "$WEB/streams/v1/"*.json "$T/"
}

newest() {
	cat "$T/fp"
}

@test "remotes are added, listed, renamed, switched and removed; names and URLs are checked" {
	[ "$(s remote list --format csv)" = $'local,unix://,sysctr,YES\nimages,https://images.linuxcontainers.org,simplestreams,NO' ]
	s remote add test "$URL"
	s remote add --protocol simplestreams --public other https://images.example.net/path
	[ "$(s remote list --format csv --columns n | sort | paste -sd' ')" = "images local other test" ]
	for name in a:b a/b -x .. local test; do
		fails 1 "" s remote add -- "$name" https://images.example.net
	done
	for url in http://images.example.net ftp://x file:///etc https:// 'https://x/?a' 'https://u@x' ''; do
		fails 1 "image server" s remote add bad "$url"
	done
	fails 1 "not offered" s remote add bad https://x --protocol lxd
	s remote set-url other https://images.example.org
	s remote rename other mirror
	s remote list --format csv | grep -x 'mirror,https://images.example.org,simplestreams,NO'
	[ "$(s remote get-default)" = local ]
	s remote switch mirror
	[ "$(s remote get-default)" = mirror ]
	fails 1 "is the default" s remote remove mirror
	s remote rename mirror m2
	[ "$(s remote get-default)" = m2 ]
	s remote switch local
	s remote remove m2
	fails 1 "no such remote" s remote rename nobody x
	fails 1 "no such remote" s remote set-url nobody https://x
	fails 1 "no such remote" s remote remove nobody
	fails 1 "no such remote" s remote switch nobody
	fails 1 "stays as it is" s remote remove local
	[ "$(s __complete -- remote remove t)" = test ]
}

@test "a file that is broken is refused as what is typed" {
	cp "$SYSCTR_REMOTES" "$T/good.yaml"
	echo 'remotes: { "a/b": { addr: "https://x" } }' >"$SYSCTR_REMOTES"
	fails 1 "remote name" s remote list
	echo 'remotes: { a: { addr: "file:///etc/passwd" } }' >"$SYSCTR_REMOTES"
	fails 1 "must begin with https" s remote list
	echo 'default-remote: gone' >"$SYSCTR_REMOTES"
	fails 1 "is not among" s image list
	echo '[1]' >"$SYSCTR_REMOTES"
	fails 1 "must be a map" s remote add x https://x
	mv "$T/good.yaml" "$SYSCTR_REMOTES"
}

@test "root's file is the start of a user's own" {
	local home=$T/home
	mkdir -p "$home" && chmod 1777 "$home"
	u() { env -u SYSCTR_REMOTES -u XDG_CONFIG_HOME HOME="$home" setpriv --reuid 65534 --regid 65534 --clear-groups "$home/sysctr" "$@"; }
	cp "$BUILDDIR/sysctr" "$home/"
	u remote list --format csv | grep '^images,'
	u remote add mine https://images.example.net
	grep -A1 mine: "$home/.config/sysctr/remotes.yaml" | grep 'addr: https://images.example.net'
	u remote list --format csv | grep '^images,'
	rm -r "$home"
}

@test "what a server has is listed and shown" {
	[ "$(s image list test: --format csv --columns lF | tr '\n' ' ')" = "\"alpine/3.20 alpine/3.20/default\",$(newest) " ]
	[ "$(s image list test: os=Alpine --format csv --columns F)" = "$(newest)" ]
	[ -z "$(s image list test: os=Debian --format csv)" ]
	[ "$(s image list test:alp --format csv --columns f)" = "$(head -c 12 "$T/fp")" ]
	[ -z "$(s image list --format csv)" ]
	s image info test:alpine/3.20 | grep -x "Fingerprint: $(newest)"
	s image info "test:$(head -c 14 "$T/fp")" | grep -x '  serial: 20240101_01:00'
	s image show test:alpine/3.20/default | grep 'description: Alpine 3.20 x86_64'
	fails 1 "has no image" s image info test:debian
	fails 1 "no remote \"nobody\"" s image list nobody:
	s query /1.0/images | jq -e '. == []'
}

@test "I1 lists that are broken or hostile" {
	local list=$WEB/streams/v1/images.json
	echo '<html>' >"$list"
	fails 1 "products" s image list test:
	printf '[%.0s' {1..5000} >"$list"
	fails 1 "products" s image list test:
	truncate -s 9M "$list"
	fails 1 "larger" s image list test:
	jq '.products |= with_entries(.value.aliases = "ok,../x,-rf,a;b" | .value.os = "\u001b[31mred")' "$T/images.json" >"$list"
	[ "$(s image list test: --format csv --columns l)" = ok ]
	s query "/1.0/remote-images?server=$URL" | jq -e '.[0].properties.os == "\u001b[31mred"'
	fails 1 "must begin with" s query "/1.0/remote-images?server=file:///etc"
	fails 1 "is for this host itself" s query "/1.0/remote-images?server=http://images.example.net"
	fails 1 "missing" s query /1.0/remote-images
	cp "$T/images.json" "$list"
	s remote add nowhere http://127.0.0.1:1
	fails 1 "connect" s image list nowhere:
	[ -z "$(find "$T/state" -maxdepth 1 -type f -name '#*')" ]
}

@test "launch and create from a server, and from the default one" {
	s launch test:alpine/3.20 c1
	[ "$(s exec c1 -- cat /etc/alpine-release)" ]
	[ "$(field c1 '.config["volatile.base_image"]')" = "$(newest)" ]
	[ "$(s image list --format csv --columns F)" = "$(newest)" ]
	: >"$WEB.log"
	s create "test:$(head -c 12 "$T/fp")" c2
	s remote switch test
	s create alpine/3.20/default c3
	s image list --format csv | grep -q alpine/3.20
	fails 1 "no image" s create nothing c4
	[ "$(grep -c root.tar.xz "$WEB.log")" = 0 ]
	[ "$(s image list local: --format csv --columns F)" = "$(newest)" ]
	s remote switch local
	fails 1 "no remote \"nobody\"" s launch nobody:alpine c4
	s delete --force c1 c2 c3
	s image delete "$(newest)"
}

@test "image copy: aliases, auto-update; image refresh brings the new version" {
	s image copy test:alpine/3.20 local: --alias alp --copy-aliases --auto-update --public
	old=$(newest)
	s query "/1.0/images/$old" | jq -e '.auto_update and .public and .cached == false and
		([.aliases[].name] | sort == ["alp", "alpine/3.20", "alpine/3.20/default"])'
	fails 1 "needs an alias" s image copy "test:$(head -c 12 "$T/fp")" --auto-update
	fails 1 "local store" s image copy alp
	fails 1 "to \"local:\" only" s image copy test:alpine/3.20 test:
	fails 1 "no image is named" s image copy test:
	s image refresh 2>&1 | grep 'up to date'
	serve_and_keep 20240102_01:00
	s image refresh alp 2>&1 | grep 'new version'
	[ "$(s image list alp --format csv --columns F)" = "$(newest)" ]
	[ "$(s image list --format csv --columns F)" = "$(newest)" ]
	serve_and_keep 20240103_01:00
	s image refresh
	[ "$(s image list alp --format csv --columns F)" = "$(newest)" ]
	fails 1 "not found" s image refresh nothing
}

@test "incus with the same server: launch, copy, refresh" {
	export INCUS_SOCKET=$SYSCTR_SOCKET INCUS_CONF=$T/incus HOME=$T
	i() { timeout 100 incus "$@" 3>&- 4>&- </dev/null; }
	mkdir -p "$INCUS_CONF"
	cat >"$INCUS_CONF/config.yml" <<-END
		default-remote: local
		remotes:
		  web: { addr: "$URL", protocol: simplestreams, public: true }
	END
	i launch web:alpine/3.20 i1
	[ "$(field i1 '.config["volatile.base_image"]')" = "$(newest)" ]
	# that client looks for the fingerprint in all products; the others here have the same
	jq '.products |= with_entries(select(.key == "alpine:3.20:amd64:default"))' "$T/images.json" >"$WEB/streams/v1/images.json"
	i image copy web:alpine/3.20 local: --alias copied --auto-update
	serve_and_keep 20240104_01:00
	i image refresh copied
	[ "$(s query /1.0/images/aliases/copied | jq -r .target)" = "$(newest)" ]
	i delete --force i1
}

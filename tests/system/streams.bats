#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# streams.bats - images of a simplestreams server: launched, pulled, resumed, refused; kills
load lib

setup_file() {
	export ID_BASE=1700000000
	daemon_setup
	export WEB=$T/web
	FP=$(python3 "$SRCDIR/tests/fakes/streams.py" make "$WEB" \
		"$ALPINE"/alpine-minirootfs-3.20.*-x86_64.tar.gz)
	export FP
	cp -r "$WEB/streams/v1" "$T/good"
	image_server_start
}

teardown_file() {
	image_server_stop
	daemon_teardown
}

setup() {
	daemon_runs || daemon_start
	rm -f "$WEB.cut"
	cp "$T/good/"*.json "$WEB/streams/v1/"
	: >"$WEB.log"
}

teardown() {
	daemon_check
}

# source [KEY=VALUE...]: JSON of an image's source
source_json() {
	jq -n --arg server "${SERVER:-http://127.0.0.1:$PORT}" '{type: "image", mode: "pull",
		protocol: "simplestreams", server: $server} + ($ARGS.positional |
		map(split("=") | {(.[0]): .[1]}) | add // {})' --args "$@"
}

# pull JSON-OF-SOURCE [JSON-OF-THE-REST]: waits for it; fails as the operation does
pull() {
	s query --wait -X POST /1.0/images \
		-d "$(jq -n --argjson source "$1" --argjson rest "${2:-{\}}" '{source: $source} + $rest')"
}

# refused TEXT COMMAND...: it fails and says that
refused() {
	local text=$1
	shift
	output=$("$@" 2>&1) && {
		echo "it worked: $*"
		return 1
	}
	[[ $output == *"$text"* ]] || {
		echo "no \"$text\" in: $output"
		return 1
	}
}

image() {
	s query "/1.0/images/$FP"
}

forget() {
	s query --wait -X DELETE "/1.0/images/$FP"
}

# asked WORD: how often the server was asked for a path with that word
asked() {
	grep -c -- "$1" "$WEB.log" || true
}

nothing_on_its_way() {
	[ -z "$(ls -A "$T/state/images/cache")" ]
}

@test "an image is pulled by its alias" {
	pull "$(source_json alias=alpine/3.20)" \
		'{"aliases": [{"name": "pulled"}], "auto_update": true, "public": true}'
	image | jq -e '.cached == false and .auto_update and .public and
		.properties.os == "Alpine" and .aliases[0].name == "pulled" and
		.update_source.protocol == "simplestreams" and .update_source.alias == "alpine/3.20"'
	[ "$(image | jq -r .update_source.server)" = "http://127.0.0.1:$PORT" ]
	nothing_on_its_way
}

@test "what is here is not fetched again" {
	pull "$(source_json alias=alpine/3.20/default)" '{"aliases": [{"name": "again"}]}'
	[ "$(asked root.tar.xz)" = 0 ]
	image | jq -e '[.aliases[].name] | sort == ["again", "pulled"]'
	pull "$(source_json "fingerprint=${FP:0:12}")"
	[ "$(asked root.tar.xz)" = 0 ]
	forget
}

@test "a launch fetches the image once and marks it as cached" {
	local body
	body=$(jq -n --argjson source "$(source_json alias=alpine/3.20)" '{name: "c1", source: $source}')
	s query --wait -X POST /1.0/instances -d "$body"
	image | jq -e '.cached and .update_source.alias == "alpine/3.20"'
	[ "$(s query /1.0/instances/c1 | jq -r '.config["volatile.base_image"]')" = "$FP" ]
	[ "$(asked root.tar.xz)" = 1 ]
	daemon_restart
	s query --wait -X POST /1.0/instances -d "${body/c1/c2}"
	[ "$(asked index.json)" = 1 ]
	s delete c1 c2
	forget
}

@test "a download that was cut goes on where it was" {
	echo 500000 >"$WEB.cut"
	refused 'root.tar.xz' pull "$(source_json alias=alpine/3.20)"
	refused 'not found' image
	pull "$(source_json alias=alpine/3.20)"
	grep 'root.tar.xz 500000$' "$WEB.log"
	nothing_on_its_way
	forget
}

@test "I1 wrong hashes are refused and leave nothing" {
	local list=$WEB/streams/v1/images.json
	sed -i "s/\"combined_rootxz_sha256\": \"[0-9a-f]*/\"combined_rootxz_sha256\": \"$(printf 'e%.0s' {1..64})/" "$list"
	refused 'fingerprint' pull "$(source_json alias=alpine/3.20)"
	nothing_on_its_way
	jq '.products[].versions[].items["root.tar.xz"]? |= (select(.) | .sha256 = "'"$(printf 'e%.0s' {1..64})"'")' \
		"$T/good/images.json" >"$list"
	refused 'checksum' pull "$(source_json alias=alpine/3.20)"
	[ "$(s query /1.0/images | jq length)" = 0 ]
}

@test "I1 a hostile index is refused" {
	local index=$WEB/streams/v1/index.json words
	for words in '{"index":{"a":{"datatype":"image-downloads","path":"../../etc/passwd"}}}' \
		'{"index":{"a":{"datatype":"image-downloads","path":"http://127.0.0.1:1/x"}}}' \
		"$(printf '[%.0s' {1..5000})" '{"index":99999999999999999999999}' '<html>'; do
		printf '%s' "$words" >"$index"
		refused 'index' pull "$(source_json alias=alpine/3.20)"
	done
	truncate -s 9M "$index"
	refused 'larger' pull "$(source_json alias=alpine/3.20)"
	[ "$(s query /1.0/images | jq length)" = 0 ]
}

@test "what cannot be had is said" {
	refused 'no image "debian/13"' pull "$(source_json alias=debian/13)"
	refused 'for x86_64' pull "$(source_json alias=alpine/arm)"
	refused 'virtual machine or squashfs' pull "$(source_json alias=alpine/vm)"
	refused 'connect' pull "$(SERVER=http://127.0.0.1:1 source_json alias=a)"
	refused 'use https' pull "$(SERVER=http://example.invalid source_json alias=a)"
	refused 'must begin with' pull "$(SERVER=file:///etc source_json alias=a)"
	refused 'fingerprint or alias' pull "$(source_json)"
	refused 'no fingerprint' pull "$(source_json fingerprint=../x)"
	refused 'not offered' pull "$(source_json alias=a protocol=lxd)"
}

@test "killed after each step, the next attempt succeeds" {
	local step
	for step in image-pull/fetch image-pull/store image-pull/tidy image-copy/pull; do
		dies_after "$step" pull "$(source_json alias=alpine/3.20)"
		pull "$(source_json alias=alpine/3.20)"
		image | jq -e '.cached == false'
		nothing_on_its_way
		forget
	done
}

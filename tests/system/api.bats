#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# api.bats - the REST API as such: envelope, entity tags, uploads, hostile clients
load lib

setup_file() {
	export ID_BASE=1830000000
	daemon_setup
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

# api METHOD PATH [CURL-OPTION...]: the body of the answer
api() {
	local method=$1 path=$2
	shift 2
	curl -sS --max-time 30 --unix-socket "$SYSCTR_SOCKET" -X "$method" "$@" "http://x$path" 3>&- 4>&-
}

# code METHOD PATH [CURL-OPTION...]: the status of the answer
code() {
	api "$@" -o "$T/body" -w '%{http_code}'
}

@test "answers have all seven members, errors their status twice" {
	api GET / | jq -e '. == {type: "sync", status: "Success", status_code: 200, operation: "",
		error_code: 0, error: "", metadata: ["/1.0"]}'
	[ "$(code GET /1.0/nothing)" = 404 ]
	jq -e '.type == "error" and .error_code == 404 and .metadata == null' "$T/body"
	[ "$(code PATCH /1.0/instances/x/state)" = 501 ]
	api PATCH /1.0/instances/x/state -i | grep -i '^Allow: GET, PUT'
	[ "$(code GET '/1.0/instances?project=other')" = 404 ]
	[ "$(code GET '/1.0/instances?project=default&filter=')" = 200 ]
}

@test "the socket is for root and its group only" {
	[ "$(stat -c %a "$SYSCTR_SOCKET")" = 660 ]
}

@test "an entity tag guards an edit" {
	tag=$(api GET /1.0/profiles/default -i | tr -d '\r' | sed -n 's/^ETag: //p')
	[ -n "$tag" ]
	[ "$(code PATCH /1.0/profiles/default -H 'If-Match: "x"' -d '{"description":"a"}')" = 412 ]
	[ "$(code PATCH /1.0/profiles/default -H "If-Match: $tag" -d '{"description":"b"}')" = 200 ]
	[ "$(code PATCH /1.0/profiles/default -H "If-Match: $tag" -d '{"description":"c"}')" = 412 ]
	[ "$(code PATCH /1.0/profiles/default -d '{"description":"d"}')" = 200 ]
	api GET /1.0/profiles/default | jq -e '.metadata.description == "d"'
}

@test "a split image comes back as the two files it was" {
	mkdir -p "$T/meta" "$T/out"
	printf 'architecture: x86_64\ncreation_date: 1700000000\n' >"$T/meta/metadata.yaml"
	tar -C "$T/meta" -czf "$T/meta.tar.gz" metadata.yaml
	rootfs=$(echo "$ALPINE"/alpine-minirootfs-*.tar.gz)
	op=$(api POST /1.0/images -F "metadata=@$T/meta.tar.gz" -F "rootfs=@$rootfs" | jq -r .operation)
	fingerprint=$(api GET "$op/wait?timeout=30" | jq -r .metadata.metadata.fingerprint)
	[ "$fingerprint" = "$(cat "$T/meta.tar.gz" "$rootfs" | sha256sum | cut -d' ' -f1)" ]
	api GET "/1.0/images/$fingerprint/export" -D "$T/head" -o "$T/exported"
	boundary=$(tr -d '\r' <"$T/head" | sed -n 's/^Content-Type: .*boundary=//p')
	python3 - "$T/exported" "$boundary" "$T/meta.tar.gz" "$rootfs" <<-'END'
		import sys
		body, boundary = open(sys.argv[1], "rb").read(), sys.argv[2].encode()
		parts = body.split(b"--" + boundary)
		assert len(parts) == 4 and parts[3].startswith(b"--"), len(parts)
		for part, name in zip(parts[1:3], sys.argv[3:]):
		    assert part.split(b"\r\n\r\n", 1)[1][:-2] == open(name, "rb").read(), name
	END
	op=$(api DELETE "/1.0/images/$fingerprint" | jq -r .operation)
	api GET "$op/wait?timeout=30" | jq -e '.metadata.status == "Success"'
}

@test "hostile clients harm nobody" {
	timeout 120 python3 "$SRCDIR/tests/system/api_stress.py" "$SYSCTR_SOCKET" 3>&- 4>&-
	[ "$(api GET /1.0/images | jq -c .metadata)" = "[]" ]
}

@test "one thread, and its memory is what it was" {
	few_files() { [ "$(ls "/proc/$(daemon_pid)/fd" | wc -l)" -lt 60 ]; }
	[ "$(ls "/proc/$(daemon_pid)/task" | wc -l)" = 1 ]
	retry 20 few_files
}

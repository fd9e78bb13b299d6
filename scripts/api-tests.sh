#!/usr/bin/env bash
# Holds a running broker's HTTP API against its own description: validates the document, then makes requests from it, right
# ones and wrong ones, and checks that each answer is one that the document promises and none is a server error.
#
#   scripts/api-tests.sh [--kiteq FILE] [--examples N] [--seed N]
#
#   --kiteq FILE    the executable; by default .build/debug/kiteq
#   --examples N    requests made for each operation; by default 40
#   --seed N        the same requests again; by default 1
#
# The broker has a MariaDB of its own, on loopback, in a temporary folder; all ends with this script. Needs what
# scripts/setup.sh --operators installs.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

kiteq=.build/debug/kiteq
examples=40
seed=1
while [ $# -gt 0 ]; do
    case $1 in
        --kiteq | --examples | --seed)
            [ $# -gt 1 ] || usage_error "$1 wants a value"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        -h | --help) help_text && exit ;;
        *) usage_error "unknown argument $1" ;;
    esac
    shift
done
[ -x "$kiteq" ] || die "$kiteq is not there; build it first: swift build --product kiteq"

# What pip put into the project's own folder, or else what is in the PATH.
export PATH=$root/.build-tools/venv/bin:$PATH
document=Sources/KiteQAdmin/API/openapi.yaml
openapi-spec-validator "$document"

folder=$(mktemp -d)
broker=
clean_up() {
    local status=$?
    if [ -n "$broker" ] && kill "$broker" 2> /dev/null; then wait "$broker" 2> /dev/null || true; fi
    [ "$status" -eq 0 ] || tail -n 40 "$folder/kiteq.log" >&2 || true
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

admin=127.0.0.1:$(free_port)
say "Starting a broker with a MariaDB of its own"
"$kiteq" dev --data "$folder/data" --bind "127.0.0.1:$(free_port)" --admin "$admin" --mysql-port "$(free_port)" \
    > "$folder/kiteq.log" 2>&1 &
broker=$!
deadline=$((SECONDS + 60))
until docker/probe /readyz "$admin" > /dev/null 2>&1; do
    kill -0 "$broker" 2> /dev/null || die "the broker ended while it was to start"
    [ "$SECONDS" -lt "$deadline" ] || die "the broker was not ready within a minute"
    sleep 0.1
done
cmp "$document" <(python3 -c 'import sys, urllib.request as r; sys.stdout.buffer.write(r.urlopen(sys.argv[1]).read())' \
    "http://$admin/api/v1/openapi.yaml") || die "the broker serves another document"

# fuzz OPTION...: what a group does and what an operator does need different credentials. Drain is left out: it ends the
# broker, which is what the last step is for.
fuzz() {
    schemathesis run "$document" --url "http://$admin" --seed "$seed" --max-examples "$examples" \
        --exclude-operation-id drain --request-timeout 60 --no-color \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection \
        "$@"
}
say "Asking as an operator"
fuzz --exclude-tag message
say "Asking as a group"
fuzz --include-tag message --auth s-member:secret

say "Draining"
python3 - "http://$admin" << 'END'
import json, sys, urllib.request

request = urllib.request.Request(
    sys.argv[1] + "/api/v1/broker/drain",
    json.dumps({"reason": "end of the tests"}).encode(),
    {"Content-Type": "application/json"},
)
assert urllib.request.urlopen(request).status == 202
END
status=0
wait "$broker" || status=$?
broker=
[ "$status" -eq 0 ] || die "the broker ended with status $status after it was drained, not 0"
say "The API does what its document says"

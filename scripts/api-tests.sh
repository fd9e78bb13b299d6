#!/usr/bin/env bash
# Holds a running broker's HTTP API against its own description: validates the document, then makes requests from it, right
# ones and wrong ones, one by one and in sequence, for what is there and what is not. Each answer has to be one that the document
# promises; what it allows has to be taken, what it does not has to be refused, and none may be a server error.
#
#   scripts/api-tests.sh [--kiteq FILE] [--examples N] [--seed N]
#
#   --kiteq FILE    the executable; by default .build/debug/kiteq
#   --examples N    examples of each phase for an operation; by default 20 (some 2,300 requests in all)
#   --seed N        the same requests again; by default 1
#
# The broker has a MariaDB and a ZooKeeper of its own, on loopback, in a temporary folder; all ends with this script. Needs
# what scripts/setup.sh --operators installs.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

kiteq=.build/debug/kiteq
examples=20
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
# shellcheck source=servers.sh source-path=SCRIPTDIR
. scripts/servers.sh

# What pip put into the project's own folder, or else what is in the PATH.
export PATH=$root/.build-tools/venv/bin:$PATH
export PYTHONDONTWRITEBYTECODE=1
document=Sources/KiteQAdmin/API/openapi.yaml
openapi-spec-validator "$document"

say "Starting ZooKeeper, MariaDB and a broker"
token=$("$kiteq" token make --name tests --role operate)
KITEQ_TOKEN=${token%%$'\n'*}
export KITEQ_TOKEN
some=$("$kiteq" token make --name some --role operate --topic trade --group s-member --group p-forgets)
printf '%s\n' "${token#*$'\n'}" "${some#*$'\n'}" > "$folder/tokens.toml"
cat > "$folder/groups.toml" << END
[groups.s-member]
secret = "plain:member"
publish = "*"
subscribe = "*"
[groups.s-stays]
secret = "plain:stays"
publish = "*"
subscribe = "*"
[groups.p-forgets]
secret = "plain:forgets"
publish = "*"
subscribe = "*"
END
echo forgets > "$folder/secret"
chmod 600 "$folder"/*.toml "$folder/secret"
start_zookeeper
start_mariadb
start_broker serve --store "$mariadb" --registry "zk://$zookeeper" --topics trade --log-level error \
    --set "groups.file=$folder/groups.toml" --set "admin.tokens_file=$folder/tokens.toml" \
    --set transactions.first_check=1h --set transactions.longest_check=1h
url=http://$admin_address
cmp "$document" <(python3 -c 'import sys, urllib.request as r; sys.stdout.buffer.write(r.urlopen(sys.argv[1]).read())' \
    "$url/api/v1/openapi.yaml") || die "the broker serves another document"

say "Putting messages into it"
"$kiteq" publish --brokers "$broker_address" --topic trade --type paid --group p-forgets --secret-file "$folder/secret" \
    --half --forget --count 100 --size 100 > /dev/null
python3 Tests/API/seed.py "$url" "$folder"

say "Asking what the document allows, and what it does not"
cp Tests/API/schemathesis.toml "$folder"
schemathesis --config-file "$folder/schemathesis.toml" run "$document" --url "$url" --no-color \
    --seed "$seed" --max-examples "$examples"

say "Asking with a token for some topics and groups"
# That it is refused what is others' is as it should be, and no reason to warn.
others='/(shards|configuration|broker/[a-z]+|publish|subscribe|pull|acknowledge|refuse)$'
KITEQ_TOKEN=${some%%$'\n'*} schemathesis --config-file "$folder/schemathesis.toml" run "$document" --url "$url" --no-color \
    --seed "$seed" --max-examples $((examples / 4 + 1)) --warnings off --exclude-path-regex "$others"

say "Draining"
"$kiteq" drain --admin "$url" --reason "end of the tests"
await_broker_end
! grep -E '^[^ ]+ (error|critical) ' "$folder/kiteq.log" >&2 || die "the broker logged errors"
say "The API does what its document says"

#!/usr/bin/env bash
# Holds a broker against the KiteQ protocol from outside: starts a ZooKeeper, a MariaDB and the kiteq that was built, and
# runs the conformance checks, which are not part of this project, against them.
#
#   scripts/conformance.sh [--check FILE] [--kiteq FILE] mariadb|memory
#
#   --check FILE    the checks; by default ../shared/conformance/check.py
#   --kiteq FILE    the executable; by default .build/debug/kiteq
#
# All servers listen on loopback, keep their data in a temporary folder, and end with this script. Ends with status 1 if a
# check failed or the broker did not stop in order. Needs what scripts/setup.sh --conformance
# installs.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

check=../shared/conformance/check.py
kiteq=.build/debug/kiteq
store=
while [ $# -gt 0 ]; do
    case $1 in
        --check | --kiteq)
            [ $# -gt 1 ] || usage_error "$1 wants a file"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        mariadb | memory) store=$1 ;;
        -h | --help) help_text && exit ;;
        *) usage_error "unknown argument $1" ;;
    esac
    shift
done
[ -n "$store" ] || usage_error "say mariadb or memory"
[ -f "$check" ] || die "$check is not there"
# shellcheck source=servers.sh source-path=SCRIPTDIR
. scripts/servers.sh

say "Starting ZooKeeper, $store and a broker"
start_zookeeper
url=memory://
if [ "$store" = mariadb ]; then
    start_mariadb
    url=$mariadb
fi
start_broker serve --store "$url" --registry "zk://$zookeeper" --topics trade
python=$root/.build-tools/venv/bin/python
[ -x "$python" ] || python=python3
say "Checking the protocol ($store)"
PYTHONDONTWRITEBYTECODE=1 "$python" "$check" --broker "$broker_address" --zookeeper "$zookeeper"
kill -TERM "$broker"
await_broker_end

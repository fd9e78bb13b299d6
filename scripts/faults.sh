#!/usr/bin/env bash
# Kills brokers, databases and ZooKeeper under load, and checks that nothing is lost: builds KiteQ and the fault harness, and
# runs it. All servers are its own and listen on 127.0.0.1.
#
#   scripts/faults.sh [--release] --minutes N [--seed S] [--faults KIND,...] [--brokers N] [OPTION ...]
#   scripts/faults.sh [--release] --faults KIND=COUNT,...  [--seed S] [OPTION ...]
#
#   --release    a release build; it has no crash points
#   --database   mariadb, mysql, or a cluster: group-replication, galera, pair, haproxy
#   --help       what the harness takes: kinds of faults, lease, shards, folder, report
#
# The result is a Markdown table on standard output; status 0 only where all holds. See docs/faults.md.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

configuration=debug
arguments=()
database=mariadb
previous=
for argument in "$@"; do
    case $argument in
        --release) configuration=release ;;
        --database=*) database=${argument#*=} ;;
    esac
    [ "$previous" != --database ] || database=$argument
    [ "$argument" = --release ] || arguments+=("$argument")
    previous=$argument
done

case $database in
    group-replication | galera | pair | haproxy) scripts/setup.sh --quiet --clusters ;;
    *) scripts/setup.sh --quiet ;;
esac
case $database in
    mysql | group-replication)
        if [ -z "${KITEQ_MYSQL_ROOT-}" ]; then
            KITEQ_MYSQL_ROOT=$(scripts/mysql.sh)
            export KITEQ_MYSQL_ROOT
        fi
        ;;
esac
for product in kiteq kiteq-faults ShiftedClock ReroutedConnections; do
    long_step "Building $product ($configuration)" "build-$product" \
        swift build --configuration "$configuration" --product "$product"
done
exec ".build/$configuration/kiteq-faults" "${arguments[@]}"

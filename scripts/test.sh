#!/usr/bin/env bash
# Runs all tests, unit and integration, against a real MariaDB, MySQL and ZooKeeper, which the tests start themselves.
#
#   scripts/test.sh [OPTION of swift test ...]        such as --filter KiteQBrokerTests
#
# Installs what is missing (scripts/setup.sh) and fetches a MySQL (scripts/mysql.sh) unless KITEQ_MYSQL_ROOT says where one
# is. KITEQ_SKIP_MYSQL=1 goes without MySQL: the store is then tested on MariaDB alone.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# Options that change what is built hold for the build as well, else swift test would build all of it again.
build_options=()
arguments=("$@")
while [ $# -gt 0 ]; do
    case $1 in
        -c | -j | --configuration | --jobs | --sanitize | --scratch-path | --build-path | --traits | -X*)
            [ $# -gt 1 ] || usage_error "$1 wants a value"
            build_options+=("$1" "$2")
            shift
            ;;
        --configuration=* | --jobs=* | --sanitize=* | --scratch-path=* | --build-path=* | --traits=* | --enable-code-coverage)
            build_options+=("$1")
            ;;
        -h | --help) help_text && exit ;;
    esac
    shift
done

scripts/setup.sh --quiet --clusters
if [ "${KITEQ_SKIP_MYSQL-}" = 1 ]; then
    unset KITEQ_MYSQL_ROOT
    say "WARNING: KITEQ_SKIP_MYSQL=1: nothing is tested against MySQL"
elif [ -z "${KITEQ_MYSQL_ROOT-}" ]; then
    KITEQ_MYSQL_ROOT=$(scripts/mysql.sh)
    export KITEQ_MYSQL_ROOT
fi

long_step "Building KiteQ and its tests" build-tests swift build --build-tests "${build_options[@]}"
say "Running the tests"
# One after the other: many of them start servers and processes, and two cores would run them all at once.
exec swift test --skip-build --no-parallel "${arguments[@]}"

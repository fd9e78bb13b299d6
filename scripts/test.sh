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
if [ ${#arguments[@]} -gt 0 ]; then
    say "Running the tests"
    # One after the other: many of them start servers and processes, and two cores would run them all at once.
    exec swift test --skip-build --no-parallel "${arguments[@]}"
fi

# Two rows, each one after the other: most tests wait, and side by side they take two thirds of the time. The bundle itself is
# started, for two `swift test` would wait for one another.
mkdir -p "$logs"
# Into a pipe it would write colours, too.
[ -t 1 ] || export NO_COLOR=1
bundle=(.build/debug/*.xctest)
row=("${bundle[0]}" --testing-library swift-testing --no-parallel)
first='^(KiteQFaultTests|KiteQIntegrationTests|KiteQRegistryTests|KiteQTests|LocalServersTests|kiteqTests)\.'
say "Running the tests, in two rows; what the first prints is shown at its end"
"${row[@]}" --filter "$first" > "$logs/tests-first-row.log" 2>&1 &
beside=$!
# An interrupt from the keyboard does not reach what is in the background.
trap 'kill "$beside" 2> /dev/null || true' EXIT
status=0
"${row[@]}" --skip "$first" || status=$?
wait "$beside" || status=$?
trap - EXIT
cat "$logs/tests-first-row.log"
exit "$status"

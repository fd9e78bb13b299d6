#!/usr/bin/env bash
# Tests the console in a headless Chromium: with fixtures, for states that are hard to make, then with a real broker and
# real traffic.
#
#   scripts/console-tests.sh [--kiteq FILE] [--fixtures-only | --real-only] [--screenshots FOLDER]
#
#   --kiteq FILE           the executable; by default .build/debug/kiteq
#   --fixtures-only        without a broker; nothing needs to be built
#   --real-only            without the fixtures
#   --screenshots FOLDER   no tests: each page of a running system goes into FOLDER (docs/images)
#
# All listens on loopback, in temporary folders, and ends with this script. Needs what scripts/setup.sh --operators
# installs. The last line of each part is "N passed, N failed".
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

kiteq=.build/debug/kiteq
fixtures=true
real=true
screenshots=
while [ $# -gt 0 ]; do
    case $1 in
        --kiteq | --screenshots)
            [ $# -gt 1 ] || usage_error "$1 wants a value"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --fixtures-only) real=false ;;
        --real-only) fixtures=false ;;
        -h | --help) help_text && exit ;;
        *) usage_error "unknown argument $1" ;;
    esac
    shift
done
$fixtures || $real || usage_error "--fixtures-only and --real-only exclude each other"
if [ -n "$screenshots" ] || $real; then
    [ -x "$kiteq" ] || die "$kiteq is not there; build it first: swift build --product kiteq"
fi

# Debian's own Python: its packages are the ones that setup.sh installs.
python=/usr/bin/python3
"$python" -c 'import jsonschema, selenium, yaml' || die "something is missing; scripts/setup.sh --operators installs it"
export PYTHONDONTWRITEBYTECODE=1

if [ -n "$screenshots" ]; then
    exec "$python" Tests/Console/real.py "$kiteq" --screenshots "$screenshots"
fi

# When the part under way has ended: it is told, too, and ends what it started.
trap 'exit 143' TERM
status=0
if $fixtures; then
    say "The console with fixtures"
    "$python" Tests/Console/run.py || status=1
fi
if $real; then
    say "The console with a real broker"
    "$python" Tests/Console/real.py "$kiteq" || status=1
fi
exit "$status"

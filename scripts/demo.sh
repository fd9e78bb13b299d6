#!/usr/bin/env bash
# Shows KiteQ at work on this machine: installs what is missing, builds it, starts a private MariaDB and a broker, and
# sends messages through it while showing what a DBA sees.
#
#   scripts/demo.sh [--keep]        --keep leaves the broker running until Ctrl-C; otherwise nothing stays running
#
# The first build takes some minutes. It is a debug build, unless a release build is there already.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

case ${1-} in
    -h | --help) help_text && exit ;;
esac

scripts/setup.sh --quiet
configuration=debug
[ ! -x .build/release/kiteq ] || configuration=release
long_step "Building KiteQ ($configuration)" build-demo swift build --configuration "$configuration" --product kiteq
exec ".build/$configuration/kiteq" dev --demo "$@"

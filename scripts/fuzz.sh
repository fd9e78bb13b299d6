#!/usr/bin/env bash
# Feeds a parser of what strangers send with what libFuzzer makes up, for so many seconds.
#
#   scripts/fuzz.sh packets|first-bytes [SECONDS]       60 unless said
#
# Begins with the inputs in Tests/Fuzzing/Corpus. What ends the parser is written to .build-fuzz as crash-HASH, and the status
# is not 0 then.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

case ${1-} in
    -h | --help) help_text && exit ;;
    packets | first-bytes) target=$1 ;;
    *) usage_error "packets or first-bytes, not '${1-}'" ;;
esac
seconds=${2-60}

# The sanitizer is for our own code and what it uses: all is built with its counters of edges.
KITEQ_PACKAGE=fuzz long_step "Building the fuzzer" fuzz-build swift build -c release --scratch-path .build-fuzz \
    --product kiteq-fuzz -Xswiftc -sanitize=fuzzer -Xswiftc -parse-as-library -Xlinker -rpath -Xlinker "$(dirname "$(command -v swift)")/../lib/swift/linux"
mkdir -p ".build-fuzz/found-$target"
KITEQ_FUZZ=$target .build-fuzz/release/kiteq-fuzz -max_total_time="$seconds" -max_len=8192 -timeout=10 -print_final_stats=1 \
    -artifact_prefix=.build-fuzz/ ".build-fuzz/found-$target" "Tests/Fuzzing/Corpus/$target"

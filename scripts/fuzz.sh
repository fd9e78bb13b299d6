#!/usr/bin/env bash
# Feeds what reads strangers' bytes, or files that say who may come in, with what libFuzzer makes up, for so many seconds.
#
#   scripts/fuzz.sh TARGET [SECONDS]       60 unless said
#
# TARGET is packets, first-bytes, http-heads, groups-file or tokens-file. Begins with the inputs in Tests/Fuzzing/Corpus. What
# ends the target is written to .build-fuzz as crash-HASH, timeout-HASH or oom-HASH, and the status is not 0 then.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

case ${1-} in
    -h | --help) help_text && exit ;;
    packets | first-bytes | http-heads | groups-file | tokens-file) target=$1 ;;
    *) usage_error "packets, first-bytes, http-heads, groups-file or tokens-file, not '${1-}'" ;;
esac
seconds=${2-60}

# Our own code and what it uses are built with the sanitizer's counters of edges; our own with what tests see of it, too.
KITEQ_PACKAGE=fuzz long_step "Building the fuzzer" fuzz-build swift build -c release --scratch-path .build-fuzz \
    --product kiteq-fuzz -Xswiftc -sanitize=fuzzer -Xswiftc -parse-as-library -Xswiftc -enable-testing \
    -Xcc -fsanitize=fuzzer-no-link -Xcxx -fsanitize=fuzzer-no-link \
    -Xlinker -rpath -Xlinker "$(dirname "$(command -v swift)")/../lib/swift/linux"
mkdir -p ".build-fuzz/found-$target"
# Or Swift's own report of a crash comes first, and libFuzzer does not write down what led to it.
export SWIFT_BACKTRACE=enable=no
KITEQ_FUZZ=$target .build-fuzz/release/kiteq-fuzz -max_total_time="$seconds" -max_len=8192 \
    -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=.build-fuzz/ \
    ".build-fuzz/found-$target" "Tests/Fuzzing/Corpus/$target"

# shellcheck shell=bash
# What the scripts share. It is sourced, not run; it leaves the caller in the root of the clone.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
script=$(basename "$0")
logs=$root/.build-logs
cd "$root"

# Debian keeps mariadbd in /usr/sbin, which an ordinary user's PATH leaves out.
export PATH=$PATH:/usr/sbin:/sbin:$root/.build-tools/bin

# Progress goes to standard error, so that a script's result can be taken from its standard output.
say() { printf '==> %s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "$script" "$*" >&2
    exit 1
}

usage_error() {
    printf '%s: %s (see %s --help)\n' "$script" "$*" "$script" >&2
    exit 64
}

# The comment at the head of the script, as its help.
help_text() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"; }

# 75 -> 1m15s
duration() { printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); }

# Runs a command with its output in .build-logs/NAME.log and shows how far it is: long_step LABEL NAME COMMAND...
# After a failure it shows the errors in the log, or else its end.
long_step() {
    local label=$1 log=$logs/$2.log started=$SECONDS status=0 watcher
    shift 2
    mkdir -p "$logs"
    : > "$log"
    say "$label"
    watch_log "$log" "$started" &
    watcher=$!
    "$@" > "$log" 2>&1 < /dev/null || status=$?
    kill "$watcher" 2> /dev/null || true
    wait "$watcher" 2> /dev/null || true
    [ ! -t 2 ] || printf '\r\033[K' >&2
    if [ "$status" -ne 0 ]; then
        grep -E '(^|: )(fatal )?error: ' "$log" | awk '!seen[$0]++' | head -n 20 >&2 || true
        printf '    the end of %s:\n' "${log#"$root"/}" >&2
        tail -n 15 "$log" | sed 's/^/    /' >&2
        say "$label: failed with status $status after $(duration $((SECONDS - started)))"
        return "$status"
    fi
    say "$label: done in $(duration $((SECONDS - started)))"
}

# Shows the newest step in a log: rewritten each second on a terminal, a line each 20 s elsewhere. Ends with the script.
watch_log() {
    local log=$1 started=$2 step next=$((SECONDS + 20))
    # In a terminal Ctrl-C is for the command; the script then ends this.
    while sleep 1 && kill -0 $$ 2> /dev/null; do
        if [ ! -t 2 ] && [ "$SECONDS" -lt "$next" ]; then continue; fi
        next=$((SECONDS + 20))
        step=$(tail -c 4096 "$log" | tr '\r' '\n' | grep -av '^[[:space:]]*$' | tail -n 1 | cut -c 1-80) || true
        if [ -t 2 ]; then
            printf '\r\033[K    %s  %s' "$(duration $((SECONDS - started)))" "$step" >&2
        else
            printf '    %s  %s\n' "$(duration $((SECONDS - started)))" "$step" >&2
        fi
    done
}

#!/usr/bin/env bash
# Holds the metrics of a running broker against Prometheus' conventions, the dashboard, the alert rules and docs/metrics.md:
# puts a little traffic through a broker of its own and looks at the page that it serves.
#
#   scripts/metrics-tests.sh [--kiteq FILE]
#
#   --kiteq FILE    the executable; by default .build/debug/kiteq
#
# The broker has a MariaDB of its own, on loopback, in a temporary folder; all ends with this script. Needs promtool, which
# scripts/setup.sh --operators installs.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

kiteq=.build/debug/kiteq
while [ $# -gt 0 ]; do
    case $1 in
        --kiteq)
            [ $# -gt 1 ] || usage_error "$1 wants a value"
            kiteq=$2
            shift
            ;;
        -h | --help) help_text && exit ;;
        *) usage_error "unknown argument $1" ;;
    esac
    shift
done
export PATH=$root/.build-tools/bin:$PATH
command -v promtool > /dev/null || die "promtool is not there; scripts/setup.sh --operators installs it"

say "Checking the files of Prometheus and Grafana"
promtool check config conf/prometheus/prometheus.yml
promtool test rules conf/prometheus/kiteq-alerts-test.yml

[ -x "$kiteq" ] || die "$kiteq is not there; build it first: swift build --product kiteq"
folder=$(mktemp -d)
broker=
clean_up() {
    local status=$?
    if [ -n "$broker" ] && kill "$broker" 2> /dev/null; then wait "$broker" 2> /dev/null || true; fi
    [ "$status" -eq 0 ] || tail -n 40 "$folder/kiteq.log" >&2 || true
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

address=127.0.0.1:$(free_port)
admin=127.0.0.1:$(free_port)
say "Starting a broker with a MariaDB of its own"
"$kiteq" dev --data "$folder/data" --bind "$address" --admin "$admin" --mysql-port "$(free_port)" \
    > "$folder/kiteq.log" 2>&1 &
broker=$!
deadline=$((SECONDS + 60))
until docker/probe /readyz "$admin" > /dev/null 2>&1; do
    kill -0 "$broker" 2> /dev/null || die "the broker ended while it was to start"
    [ "$SECONDS" -lt "$deadline" ] || die "the broker was not ready within a minute"
    sleep 0.1
done

say "Putting messages through it"
publish() { "$kiteq" publish --brokers "$address" --topic trade --type pay-succ --group p-pay "$@" > /dev/null; }
publish --count 20 --size 100
publish --half --commit --count 5 --size 100
publish --half --rollback --count 5 --size 100
python3 scripts/metrics-tests.py "http://$admin" "$folder/page"
promtool check metrics < "$folder/page"
say "Metrics, dashboard, rules and documents agree"

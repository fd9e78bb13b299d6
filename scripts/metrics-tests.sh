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

# shellcheck source=servers.sh source-path=SCRIPTDIR
. scripts/servers.sh
say "Starting a broker with a MariaDB of its own"
start_broker dev --data "$folder/data" --mysql-port "$(free_port)"

say "Putting messages through it"
publish() { "$kiteq" publish --brokers "$broker_address" --topic trade --type pay-succ --group p-pay "$@" > /dev/null; }
publish --count 20 --size 100
publish --half --commit --count 5 --size 100
publish --half --rollback --count 5 --size 100
python3 scripts/metrics-tests.py "http://$admin_address" "$folder/page"
promtool check metrics < "$folder/page"
say "Metrics, dashboard, rules and documents agree"

#!/usr/bin/env bash
# Holds a broker against the KiteQ protocol from outside: starts a ZooKeeper, a MariaDB and the kiteq that was built, and
# runs the conformance checks, which are not part of this project, against them.
#
#   scripts/conformance.sh [--check FILE] [--kiteq FILE] mariadb|memory
#
#   --check FILE    the checks; by default ../shared/conformance/check.py
#   --kiteq FILE    the executable; by default .build/debug/kiteq
#
# All servers listen on loopback, keep their data in a temporary folder, and end with this script. Ends with status 1 if a
# check failed or the broker did not stop in order. Needs what scripts/setup.sh --conformance
# installs.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

check=../shared/conformance/check.py
kiteq=.build/debug/kiteq
store=
while [ $# -gt 0 ]; do
    case $1 in
        --check | --kiteq)
            [ $# -gt 1 ] || usage_error "$1 wants a file"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        mariadb | memory) store=$1 ;;
        -h | --help) help_text && exit ;;
        *) usage_error "unknown argument $1" ;;
    esac
    shift
done
[ -n "$store" ] || usage_error "say mariadb or memory"
[ -f "$check" ] || die "$check is not there"
[ -x "$kiteq" ] || die "$kiteq is not there; build it first: swift build --product kiteq"

folder=$(mktemp -d)
servers=() # process ids, in the order of their start
broker=

# Last started, first ended.
clean_up() {
    local status=$? index
    for ((index = ${#servers[@]} - 1; index >= 0; index--)); do
        if kill "${servers[index]}" 2> /dev/null; then wait "${servers[index]}" 2> /dev/null || true; fi
    done
    if [ "$status" -ne 0 ]; then
        tail -n 40 "$folder"/*.log >&2 || true
    fi
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start NAME COMMAND...: in the background, its output in NAME.log.
start() {
    local name=$1
    shift
    "$@" > "$folder/$name.log" 2>&1 &
    servers+=($!)
}

# await NAME PID COMMAND...: until the command succeeds, at most a minute, as long as the process lives.
await() {
    local name=$1 process=$2 deadline=$((SECONDS + 60))
    shift 2
    until "$@" 2> /dev/null; do
        kill -0 "$process" 2> /dev/null || die "$name ended while it was to start"
        [ "$SECONDS" -lt "$deadline" ] || die "$name did not start within a minute"
        sleep 0.1
    done
}

listens() { (exec 3<> "/dev/tcp/127.0.0.1/$1"); }
is_ready() { docker/probe /readyz "127.0.0.1:$1" > /dev/null; }

start_zookeeper() {
    zookeeper_port=$(free_port)
    cat > "$folder/zoo.cfg" << END
tickTime=500
dataDir=$folder/zookeeper
clientPort=$zookeeper_port
clientPortAddress=127.0.0.1
admin.enableServer=false
END
    start zookeeper java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '/etc/zookeeper/conf:/usr/share/java/*' \
        org.apache.zookeeper.server.quorum.QuorumPeerMain "$folder/zoo.cfg"
    await ZooKeeper $! listens "$zookeeper_port"
}

start_mariadb() {
    mariadb_port=$(free_port)
    # Its own folder for temporary files: at its start it deletes those in there, and /tmp may have those of others.
    local temporary=$folder/mariadb.tmp
    mkdir "$temporary"
    local options=(--no-defaults "--datadir=$folder/mariadb" "--tmpdir=$temporary")
    mariadb-install-db "${options[@]}" --user="$(id -un)" --auth-root-authentication-method=normal --skip-test-db \
        > "$folder/mariadb-install-db.log" 2>&1
    # mariadbd runs as root only where it is told to.
    [ "$(id -u)" -ne 0 ] || options+=(--user=root)
    start mariadb mariadbd "${options[@]}" "--socket=$folder/mariadb.sock" "--port=$mariadb_port" \
        --bind-address=127.0.0.1 --skip-log-bin --max-allowed-packet=64M
    await MariaDB $! listens "$mariadb_port"
}

start_broker() {
    broker_port=$(free_port)
    local admin_port url=memory://
    admin_port=$(free_port)
    if [ "$store" = mariadb ]; then
        url="mysql://root@127.0.0.1:$mariadb_port/kite?shards=4"
        "$kiteq" migrate --store "$url" > "$folder/migrate.log" 2>&1
    fi
    start kiteq "$kiteq" serve --bind "127.0.0.1:$broker_port" --admin "127.0.0.1:$admin_port" --store "$url" \
        --registry "zk://127.0.0.1:$zookeeper_port" --topics trade
    broker=$!
    await "the broker" "$broker" is_ready "$admin_port"
}

stop_broker() {
    local status=0
    kill -TERM "$broker"
    wait "$broker" || status=$?
    unset 'servers[-1]'
    [ "$status" -eq 0 ] || die "the broker ended with status $status after SIGTERM, not 0"
}

say "Starting ZooKeeper, $store and a broker"
start_zookeeper
[ "$store" = memory ] || start_mariadb
start_broker
python=$root/.build-tools/venv/bin/python
[ -x "$python" ] || python=python3
say "Checking the protocol ($store)"
PYTHONDONTWRITEBYTECODE=1 "$python" "$check" --broker "127.0.0.1:$broker_port" --zookeeper "127.0.0.1:$zookeeper_port"
stop_broker

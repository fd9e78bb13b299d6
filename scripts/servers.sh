# shellcheck shell=bash
# Servers for a script's tests: on loopback, their data in a temporary folder, all ended when the script ends. It is sourced
# after lib.sh, by a script that has its $kiteq already.
# shellcheck disable=SC2034 # what is set here is read there
[ -x "${kiteq:?}" ] || die "$kiteq is not there; build it first: swift build --product kiteq"

folder=$(mktemp -d)
servers=() # process ids, in the order of their start

# Last started, first ended.
clean_up() {
    local status=$? index
    # To be told once more, as a time limit does to all of a process group, does not stop it half-way.
    trap '' INT TERM
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
is_ready() { docker/probe /readyz "$1" > /dev/null; }

# It is at $zookeeper then.
start_zookeeper() {
    local port
    port=$(free_port)
    cat > "$folder/zoo.cfg" << END
tickTime=500
dataDir=$folder/zookeeper
clientPort=$port
clientPortAddress=127.0.0.1
admin.enableServer=false
END
    start zookeeper java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '/etc/zookeeper/conf:/usr/share/java/*' \
        org.apache.zookeeper.server.quorum.QuorumPeerMain "$folder/zoo.cfg"
    await ZooKeeper $! listens "$port"
    zookeeper=127.0.0.1:$port
}

# With KiteQ's tables, which are at $mariadb then.
start_mariadb() {
    local port
    port=$(free_port)
    # Its own folder for temporary files: at its start it deletes those in there, and /tmp may have those of others.
    local temporary=$folder/mariadb.tmp
    mkdir "$temporary"
    local options=(--no-defaults "--datadir=$folder/mariadb" "--tmpdir=$temporary")
    mariadb-install-db "${options[@]}" --user="$(id -un)" --auth-root-authentication-method=normal --skip-test-db \
        > "$folder/mariadb-install-db.log" 2>&1
    # mariadbd runs as root only where it is told to.
    [ "$(id -u)" -ne 0 ] || options+=(--user=root)
    start mariadb mariadbd "${options[@]}" "--socket=$folder/mariadb.sock" "--port=$port" \
        --bind-address=127.0.0.1 --skip-log-bin --max-allowed-packet=64M
    await MariaDB $! listens "$port"
    mariadb="mysql://root@127.0.0.1:$port/kite?shards=4"
    "$kiteq" migrate --store "$mariadb" > "$folder/migrate.log" 2>&1
}

# start_broker COMMAND OPTION...: kiteq serve or kiteq dev, at $broker_address and $admin_address then; its id is $broker.
start_broker() {
    local command=$1
    shift
    broker_address=127.0.0.1:$(free_port)
    admin_address=127.0.0.1:$(free_port)
    start kiteq "$kiteq" "$command" --bind "$broker_address" --admin "$admin_address" "$@"
    broker=$!
    await "the broker" "$broker" is_ready "$admin_address"
}

# The broker, which was started last and told to stop, has to end in order, within a minute.
await_broker_end() {
    local status=0 deadline=$((SECONDS + 60))
    while kill -0 "$broker" 2> /dev/null; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            kill -9 "$broker"
            die "the broker was told to stop and did not end within a minute"
        fi
        sleep 0.1
    done
    wait "$broker" || status=$?
    unset 'servers[-1]'
    [ "$status" -eq 0 ] || die "the broker ended with status $status, not 0"
}

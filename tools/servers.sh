# shellcheck shell=bash disable=SC2034
# Starts, finds and stops the four servers of quickstart. Sourced, never run.
#
# A started server leaves .run/pids/NAME with three numbers: pid, the kernel's start time of that process, port. The
# start time tells our process from a stranger who got the same pid after a reboot.
# shellcheck source=tools/say.sh
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

SERVERS=(postgres mongo redis serve)
RUN=$PWD/.run

started_at() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    stat=${stat##*) } # the name before it may hold blanks
    # shellcheck disable=SC2086
    set -- $stat
    [ "$1" != Z ] && echo "${20}"
}

# running NAME: sets PID and PORT of a live server of ours.
running() {
    local start
    [ -f "$RUN/pids/$1" ] && read -r PID start PORT <"$RUN/pids/$1" && [ "$(started_at "$PID")" = "$start" ]
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# port_of NAME: where it runs, else where it would.
port_of() {
    if running "$1"; then
        echo "$PORT"
        return
    fi
    case $1 in
    postgres) echo "${POSTGRES_PORT:-5433}" ;;
    mongo) echo "${MONGO_PORT:-27018}" ;;
    redis) echo "${REDIS_PORT:-6380}" ;;
    serve) echo "${WEB_PORT:-5001}" ;;
    esac
}

port_variable() {
    case $1 in serve) echo WEB_PORT ;; *) echo "${1^^}_PORT" ;; esac
}

# launch NAME PORT COMMAND...: in the background, away from this terminal, its output in .run/log.
launch() {
    local name=$1 port=$2
    shift 2
    setsid "$@" >>"$RUN/log/$name.log" 2>&1 </dev/null 9>&- &
    printf '%s %s %s\n' "$!" "$(started_at $!)" "$port" >"$RUN/pids/$name"
    await "$name" "$port"
}

# ended WHAT NAME: the end of the log, then what happened.
ended() {
    tail -n 5 "$RUN/log/$2.log" >&2
    die "$1; its log is $(quoted "$RUN/log/$2.log")"
}

await() {
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        if ! running "$1"; then
            ended "$1 ended while starting" "$1"
        fi
        if answers "$1" "$2"; then
            return
        fi
        sleep 0.1
    done
    die "$1 has not answered in 60 s; its log is $(quoted "$RUN/log/$1.log")"
}

# answers NAME PORT: takes requests now.
answers() {
    local reply
    case $1 in
    postgres) "$(postgres_bin)/pg_isready" -q -h 127.0.0.1 -p "$2" ;;
    redis)
        { reply=$(exec 3<>"/dev/tcp/127.0.0.1/$2" && printf 'PING\r\n' >&3 && head -c 5 <&3); } 2>/dev/null &&
            [ "$reply" = +PONG ]
        ;;
    *) listening "$2" ;;
    esac
}

free_or_die() {
    ! listening "$2" ||
        die "port $2 ($1) is taken by another program: stop that one, or choose: $(port_variable "$1")=N ./quickstart"
}

# A port that was chosen for a server of ours which runs on another.
tell_other_port() {
    local variable wanted
    variable=$(port_variable "$1")
    wanted=${!variable:-$PORT}
    [ "$wanted" = "$PORT" ] ||
        note "$1 runs on port $PORT already, so $variable=$(quoted "$wanted") does nothing: ./quickstart stop, then start again"
}

# What the environment says for trivet-serve and the one that runs was not told. Only names: a value may be a secret.
tell_other_settings() {
    local name names=()
    for name in $(compgen -A export TRIVET_); do
        case $name in TRIVET_POSTGRES | TRIVET_READER | TRIVET_MONGO | TRIVET_REDIS | TRIVET_LISTEN | TRIVET_TEST_*) continue ;; esac
        grep -qzxF -- "$name=${!name}" "/proc/$PID/environ" || names+=("$name")
    done
    [ ${#names[@]} = 0 ] ||
        note "serve runs with another ${names[*]} already, so that of now does nothing: ./quickstart stop, then start again"
}

# start_server NAME: leaves a running one alone.
start_server() {
    local port
    if running "$1"; then
        tell_other_port "$1"
        return
    fi
    port=$(port_of "$1")
    free_or_die "$1" "$port"
    note "starting $1 on port $port"
    "start_$1" "$port"
}

stop_server() {
    local signal=TERM tries
    running "$1" || return 0
    [ "$1" != postgres ] || signal=INT # its fast shutdown; TERM waits for clients to leave
    note "stopping $1"
    kill -"$signal" "$PID"
    for ((tries = 0; tries < 300; tries++)); do
        if ! running "$1"; then
            rm -f "$RUN/pids/$1"
            return
        fi
        sleep 0.1
    done
    die "$1 (pid $PID) does not stop; its log is $(quoted "$RUN/log/$1.log")"
}

# PostgreSQL refuses to run as root, so root starts it as the user postgres, which Debian's package makes.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid postgres --regid postgres --init-groups env HOME=/ "$@"
    else
        "$@"
    fi
}

postgres_bin() {
    local data version
    data=$(postgres_data)
    if as_postgres test -f "$data/PG_VERSION"; then
        version=$(as_postgres cat "$data/PG_VERSION")
        [ -x "/usr/lib/postgresql/$version/bin/postgres" ] ||
            die "$data was made by PostgreSQL $version: apt-get install postgresql-$version, or ./quickstart clean"
        echo "/usr/lib/postgresql/$version/bin"
        return
    fi
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1
}

# Below .run; but the user postgres cannot enter /root, for one: then beside other lasting temporary data.
postgres_data() {
    if [ "$(id -u)" != 0 ] || as_postgres test -x "$RUN" 2>/dev/null; then
        echo "$RUN/postgres"
    else
        echo "/var/tmp/trivet-$(printf '%s' "$RUN" | sha256sum | cut -c1-12)"
    fi
}

make_cluster() {
    local data=$1
    [ "${data#"$RUN"}" != "$data" ] || note "the user postgres cannot enter $RUN; its data are in $data"
    if [ "$(id -u)" = 0 ]; then
        # A folder that somebody else has put there is not taken over.
        mkdir "$data" 2>/dev/null || [ "$(stat -c %U "$data")" = postgres ] || die "$data belongs to somebody else"
        chown postgres:postgres "$data"
    fi
    as_postgres "$(postgres_bin)/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
        >>"$RUN/log/postgres.log" 2>&1 || ended "initdb failed" postgres
}

start_postgres() {
    local data command
    data=$(postgres_data)
    as_postgres test -f "$data/PG_VERSION" || make_cluster "$data"
    command=("$(postgres_bin)/postgres" -D "$data" -p "$1" -c listen_addresses=127.0.0.1
        -c unix_socket_directories="$data")
    if [ "$(id -u)" = 0 ]; then # setpriv becomes the command, so the pid is the server's own
        command=(setpriv --reuid postgres --regid postgres --init-groups env HOME=/ "${command[@]}")
    fi
    launch postgres "$1" "${command[@]}"
}

mongod_path() { command -v mongod || echo "$RUN/bin/mongod"; }

start_mongo() {
    mkdir -p "$RUN/mongo"
    launch mongo "$1" "$(mongod_path)" --dbpath "$RUN/mongo" --port "$1" --bind_ip 127.0.0.1 --nounixsocket \
        --wiredTigerCacheSizeGB 0.5
}

start_redis() {
    mkdir -p "$RUN/redis"
    launch redis "$1" redis-server --port "$1" --bind 127.0.0.1 --dir "$RUN/redis" --appendonly yes \
        --maxmemory-policy noeviction --save ""
}

# Ratings are taken from programs on this machine, as with the older API; with a token, from whoever has it.
start_serve() {
    local writes=local
    [ -z "${TRIVET_TOKEN:-}" ] || writes=token
    export TRIVET_WRITES=${TRIVET_WRITES:-$writes}
    launch serve "$1" "$PWD/build/serve/trivet-serve" --listen "127.0.0.1:$1"
}

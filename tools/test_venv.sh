#!/usr/bin/env bash
# Makes .run/venv: Debian's Python with its packages, and above them those of tests/requirements.txt, which tests and benches
# compare with. Does nothing while .run/venv belongs to that file. Without a package index it fails, and who needs the packages
# is skipped. Another folder and another file can be named: tools/test_venv.sh .run/peers bench/peers.txt
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/say.sh

venv=${1:-.run/venv} wanted=${2:-tests/requirements.txt}
log=.run/log/${venv##*/}.log
if cmp --quiet "$wanted" "$venv/requirements.txt"; then
    exit
fi
note "installing $wanted into $venv; the log is $log"
mkdir -p .run/log
{
    rm -rf "$venv"
    /usr/bin/python3 -m venv --system-site-packages "$venv" &&
        "$venv/bin/pip" install --disable-pip-version-check --retries 2 --timeout 20 --requirement "$wanted"
} >"$log" 2>&1 </dev/null || {
    grep -E '^(ERROR|Error)' "$log" | tail -n 2 | cut -c1-240 >&2
    die "$venv could not be made: is a package index reachable, is python3-venv installed?"
}
# The mark of a finished environment, so it comes last.
cp "$wanted" "$venv/requirements.txt"

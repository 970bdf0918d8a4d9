# shellcheck shell=bash
# How the scripts talk: steps on standard error, results on standard output. Sourced, never run.

say() { printf '== %s\n' "$*" >&2; }
note() { printf '   %s\n' "$*" >&2; }
# quoted WORDS...: as a shell takes them.
quoted() {
    local text
    printf -v text ' %q' "$@"
    printf '%s' "${text# }"
}
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

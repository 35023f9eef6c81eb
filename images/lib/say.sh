# shellcheck shell=bash
# Progress lines on stderr, with the seconds since the start, so that stdout stays for results. Sourced, never run.

say() { printf '[images %4d s] %s\n' "$SECONDS" "$*" >&2; }
die() { printf 'images/build: %s\n' "$*" >&2; exit 1; }

# Runs a command quietly and says how long it took; what it printed is shown when it fails, and only then.
quietly() {
    local what=$1 log started=$SECONDS status=0
    shift
    log=$(mktemp "$CACHE/log.XXXXXX")
    say "$what"
    "$@" >"$log" 2>&1 || status=$?
    if ((status)); then
        tail -n 60 "$log" >&2
        rm -f "$log"
        say "$what: failed (exit $status) after $((SECONDS - started)) s"
        return "$status"
    fi
    rm -f "$log"
    ((SECONDS - started < 5)) || say "$what: took $((SECONDS - started)) s"
}

size_of() { du -h "$1" | cut -f1; }

#!/bin/sh
# All tests on embedded SQLite, and those of the operations again on PostgreSQL and Redis, started for the run.
#
#   scripts/test.sh [ARGUMENTS OF PYTEST]    with arguments: one run on SQLite, and nothing else
set -eu
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python
work=$(mktemp -d "${TMPDIR:-/tmp}/pm-test-XXXXXX")
chmod 755 "$work"

say() { echo "test: $*"; }

docker version >/dev/null 2>&1 || { say "no Docker engine answers: run make setup"; exit 1; }
command -v chromium >/dev/null || { say "chromium is missing: run make setup"; exit 1; }

# PostgreSQL refuses to run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        # It may not be able to enter the folder of the checkout.
        setpriv --reuid postgres --regid postgres --clear-groups env -C "$work" PATH="$PATH" HOME="$work" "$@"
    else
        "$@"
    fi
}

stop_servers() {
    for queue in ${engines:-} ${rest:-}; do kill "$queue" 2>/dev/null || true; done
    [ -z "${redis:-}" ] || kill "$redis" 2>/dev/null || true
    [ ! -s "$work/db/postmaster.pid" ] || as_postgres "$bin/pg_ctl" -D "$work/db" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap stop_servers EXIT
trap 'exit 130' INT TERM

if [ $# != 0 ]; then
    PM_VAR=$work/var $python -m pytest "$@"
    exit
fi

bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || { say "PostgreSQL is missing: run make setup"; exit 1; }
command -v redis-server >/dev/null || { say "redis-server is missing: run make setup"; exit 1; }
free_port() { $python -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

say "starting PostgreSQL and Redis"
mkdir "$work/db" "$work/sock"
[ "$(id -u)" != 0 ] || chown postgres "$work/db" "$work/sock"
as_postgres "$bin/initdb" -D "$work/db" -U platform -A trust -E UTF8 >/dev/null
port=$(free_port)
as_postgres "$bin/pg_ctl" -D "$work/db" -w -l "$work/sock/log" \
    -o "-c listen_addresses=127.0.0.1 -p $port -c unix_socket_directories=$work/sock -c max_connections=200" start >/dev/null
redis_port=$(free_port)
redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$work" >/dev/null &
redis=$!

# Two queues beside each other, none of whose runs hides what the others find: what waits for engines and clouds in one
# is filled by the work of the other. The browser's tests come where the fewest others run.
quick="not engine and not browser"

run() {  # NAME ARGUMENTS OF PYTEST: one run with a folder of its own; its output is told when it has ended
    name=$1
    shift
    begun=$(date +%s)
    PM_VAR=$work/var-$name $python -m pytest "$@" >"$work/$name.log" 2>&1 &
    running=$!
    trap 'kill $running 2>/dev/null; exit 143' TERM
    if wait $running; then ended=0; else ended=$?; fi
    say "$name: ended with $ended after $(($(date +%s) - begun)) s"
    flock "$work" cat "$work/$name.log"
    return $ended
}

# What engines, links and disks do is the same on any database: these run on PostgreSQL.
ran=
for name in dialled_hosts faults full_disk hosts_that_come_back hosts_that_stay hub_away recreation; do
    ran="$ran --ignore tests/operations/test_$name.py"
done

with_engines() {  # the operations on PostgreSQL and Redis, the rest on SQLite
    failed=0
    export PM_DATABASE_URL="postgresql://platform@127.0.0.1:$port/postgres" PM_REDIS_URL="redis://127.0.0.1:$redis_port/0"
    # Workers within a test leave the connections of their threads to the interpreter.
    run operations tests/operations -W 'ignore:<psycopg.Connection object:ResourceWarning' || failed=$?
    unset PM_DATABASE_URL PM_REDIS_URL
    # shellcheck disable=SC2086
    run engines -m "engine and not browser" $ran || failed=$?
    run recipes tests/recipes || failed=$?
    return $failed
}

with_the_rest() {
    failed=0
    run quick -m "$quick" --ignore tests/openstack --ignore tests/recipes || failed=$?
    run clouds -m "$quick" tests/openstack || failed=$?
    run browser -m browser || failed=$?
    return $failed
}

say "two queues of runs; the output of each comes when it has ended"
(with_engines) &
engines=$!
(with_the_rest) &
rest=$!
failed=0
wait $engines || failed=$?
wait $rest || failed=$?
[ $failed = 0 ]

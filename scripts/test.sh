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
    for run in ${plain:-} ${clouds:-}; do kill "$run" 2>/dev/null || true; done
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

# Four runs, none of which hides what the others find. Those without engine and browser run beside the operations,
# and those with a fake cloud beside both: they wait more than they work. The browser has the machine for itself.
failed=0
quick="not engine and not browser"
say "without engine and browser (told below), beside the operations on PostgreSQL and Redis"
PM_VAR=$work/var-plain $python -m pytest -m "$quick" --ignore tests/openstack >"$work/plain.log" 2>&1 &
plain=$!
PM_VAR=$work/var-clouds $python -m pytest -m "$quick" tests/openstack >"$work/clouds.log" 2>&1 &
clouds=$!
# Workers within a test leave the connections of their threads to the interpreter.
PM_VAR=$work/var-scaled PM_DATABASE_URL="postgresql://platform@127.0.0.1:$port/postgres" \
    PM_REDIS_URL="redis://127.0.0.1:$redis_port/0" \
    $python -m pytest tests/operations -W 'ignore:<psycopg.Connection object:ResourceWarning' || failed=$?
wait $plain || failed=$?
wait $clouds || failed=$?
say "without engine and browser:"
cat "$work/plain.log" "$work/clouds.log"

# What engines, links and disks do is the same on any database: these ran above.
ran=
for name in dialled_hosts full_disk hosts_that_come_back hub_away recreation; do
    ran="$ran --ignore tests/operations/test_$name.py"
done
say "with engine and browser, on SQLite"
# shellcheck disable=SC2086
PM_VAR=$work/var $python -m pytest -m "engine or browser" $ran || failed=$?
[ $failed = 0 ]

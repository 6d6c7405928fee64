#!/bin/sh
# The whole platform on this machine, on embedded defaults: see "make demo" in the README.
#
#   scripts/demo.sh           set up what is missing, then run until Ctrl-C
#   scripts/demo.sh --clean   remove every container, network, volume, image and file of the demo, and nothing else
set -eu

cd "$(dirname "$0")/.."
var=${PM_VAR:-$PWD/var/demo}
port=${PORT:-8000}
hub_port=${HUB_PORT:-2222}

lock=$var/running

say() { echo "demo: $*"; }
fail() {
    echo "demo: $*" >&2
    exit 1
}

if [ -e "$lock" ]; then
    flock -n "$lock" true || fail "it runs already: stop it with Ctrl-C where it was started, then repeat"
fi

if [ "${1:-}" = --clean ]; then
    # What is in an engine that sleeps can't be removed: a demo that got that far has one, and wakes it.
    if [ -e "$var/installation" ] || [ -s "$var/images" ]; then
        docker version >/dev/null 2>&1 || scripts/engine.sh "$var"
    fi
    if [ -e "$var/installation" ]; then
        [ -x .venv/bin/python ] || scripts/setup.sh base
        PM_VAR=$var .venv/bin/python manage.py clean_local
    fi
    if [ -s "$var/images" ]; then
        xargs -r docker image rm -f <"$var/images" >/dev/null 2>&1 || true
    fi
    scripts/engine.sh --stop "$var"
    rm -rf "$var"
    rmdir --ignore-fail-on-non-empty "$(dirname "$var")" 2>/dev/null || true
    say "everything the demo made is gone; .venv, node_modules and installed packages stay"
    exit 0
fi

mkdir -p "$var"
chmod 700 "$var"
scripts/engine.sh "$var"
scripts/setup.sh base
# What was here before the demo stays when the demo is cleaned away.
before=$(docker image ls --format '{{.Repository}}:{{.Tag}}')
remember() {
    for image in "$@"; do
        printf '%s\n' "$before" | grep -qxF "$image" || echo "$image" >>"$var/images"
    done
}
host_image=$(PM_CACHE_DIR="$var/cache" scripts/host-image.sh)
remember "$host_image"
images=$(scripts/workload-images.sh | tr '\n' ' ')
# shellcheck disable=SC2086
remember $images

export PM_VAR="$var"
gateway=$(.venv/bin/python manage.py local_address)
export PM_URL="http://127.0.0.1:$port"
export PM_LISTEN="127.0.0.1:$port,$gateway:$port"
export PM_HUB_LISTEN="$gateway:$hub_port"
export PM_LOCAL_ADDRESS="$gateway"
export PM_HOST_IMAGE="$host_image"
PM_LOCAL_PRELOAD=$(printf '%s' "$images" | sed 's/ *$//; s/  */,/g')
export PM_LOCAL_PRELOAD
# Held until this process is gone, however it goes.
exec 9>"$lock"
flock -n 9 || fail "it runs already: stop it with Ctrl-C where it was started, then repeat"
exec .venv/bin/python manage.py platform --demo

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

say() { echo "demo: $*"; }

if [ "${1:-}" = --clean ]; then
    if [ -d "$var" ] && [ -x .venv/bin/python ] && docker version >/dev/null 2>&1; then
        PM_VAR=$var .venv/bin/python manage.py clean_local
    fi
    if docker version >/dev/null 2>&1; then
        if [ -s "$var/images" ]; then
            xargs -r docker image rm -f <"$var/images" >/dev/null 2>&1 || true
        fi
    fi
    scripts/engine.sh --stop "$var"
    rm -rf "$var"
    rmdir --ignore-fail-on-non-empty "$(dirname "$var")" 2>/dev/null || true
    say "everything the demo made is gone; .venv and node_modules stay"
    exit 0
fi

mkdir -p "$var"
chmod 700 "$var"
scripts/engine.sh "$var"
scripts/setup.sh base
# What was here before the demo stays when the demo is cleaned away.
before=$(docker image ls --format '{{.Repository}}:{{.Tag}}')
host_image=$(PM_CACHE_DIR="$var/cache" scripts/host-image.sh)
images=$(scripts/workload-images.sh | tr '\n' ' ')
for image in $host_image $images; do
    printf '%s\n' "$before" | grep -qxF "$image" || echo "$image" >>"$var/images"
done

export PM_VAR="$var"
gateway=$(.venv/bin/python manage.py local_address)
export PM_URL="http://127.0.0.1:$port"
export PM_LISTEN="127.0.0.1:$port,$gateway:$port"
export PM_HUB_LISTEN="$gateway:$hub_port"
export PM_LOCAL_ADDRESS="$gateway"
export PM_HOST_IMAGE="$host_image"
PM_LOCAL_PRELOAD=$(printf '%s' "$images" | sed 's/ *$//; s/  */,/g')
export PM_LOCAL_PRELOAD
exec .venv/bin/python manage.py platform --demo

#!/bin/sh
# Sets up what the platform needs beside a Docker engine: a virtual environment with pinned packages, and the
# browser's files. Does nothing when all is there and the pins have not changed.
#
#   scripts/setup.sh base    what running needs
#   scripts/setup.sh dev     and what developing and testing need
set -eu

cd "$(dirname "$0")/.."
kind=${1:-base}
venv=.venv

say() { echo "setup: $*"; }
fail() {
    echo "setup: $*" >&2
    exit 1
}

root() { [ "$(id -u)" = 0 ]; }

# Debian packages are asked for one by one and installed in one go; without root says what to install.
missing=
need() { missing="$missing $1"; }
have() { command -v "$1" >/dev/null; }
installed() { dpkg -s "$1" 2>/dev/null | grep -q '^Status: .* installed'; }

install_missing() {
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null || ! root; then
        fail "install these packages first:$missing"
    fi
    say "installing$missing"
    apt-get update -qq || say "the package lists could not be refreshed; trying with those at hand"
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        fail "apt-get could not install$missing"
}

python=
for candidate in python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed: apt-get install python3 python3-venv"
"$python" -c 'import ensurepip' 2>/dev/null || need "$python-venv"
have npm || need npm
have ssh || need openssh-client
have debootstrap || need debootstrap
have busybox || need busybox-static
registry=
if [ "$kind" = dev ]; then
    have git || need git
    have jq || need jq
    for package in chromium chromium-driver redis-server postgresql shellcheck; do
        installed "$package" || need "$package"
    done
    # Tests start an image registry of their own, on a port of their own: none has to run besides.
    have docker-registry || { need docker-registry && registry=new; }
fi
install_missing
if [ -n "$registry" ] && have systemctl; then
    systemctl disable --quiet --now docker-registry 2>/dev/null || true
fi

pins=requirements/$kind.txt
mark=$venv/.$kind-$(sha256sum "$pins" | cut -c1-16)
if [ ! -e "$mark" ]; then
    [ -x $venv/bin/python ] || "$python" -m venv $venv
    say "installing Python packages ($(wc -l <"$pins"))"
    $venv/bin/python -m pip install -qq --disable-pip-version-check -r "$pins"
    touch "$mark"
fi

mark=node_modules/.lock-$(sha256sum package-lock.json | cut -c1-16)
if [ ! -e "$mark" ]; then
    say "installing the browser's files"
    npm ci --silent --no-audit --no-fund
    touch "$mark"
fi

say "ready"

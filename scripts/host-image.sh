#!/bin/sh
# Builds the image of local hosts (a small Debian with a Docker engine) from packages; no image registry is needed.
#
#   scripts/host-image.sh [NAME]      prints NAME:RECIPE, the image's full name, on stdout; progress goes to stderr
#
# NAME is platform-manager/host unless given. RECIPE changes when this script, the init script or the release changes;
# an image of the same recipe is used as it is. PM_CACHE_DIR (var/cache) keeps the root file system for next time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=${1:-platform-manager/host}
cache=${PM_CACHE_DIR:-$here/../var/cache}
packages=docker.io,iptables,iproute2,openssh-client,openssh-server,ca-certificates,curl,procps,busybox-static,tini

say() { echo "host image: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

# What apt on this machine knows of Debian or Ubuntu, a line for each component: "RELEASE ADDRESS COMPONENT".
known() {
    apt-get indextargets --format "\$(RELEASE) \$(REPO_URI) \$(COMPONENT)" 'Created-By: Packages' 2>/dev/null
}

# The machine's own Debian mirror as apt knows it: "ADDRESS RELEASE", the first that debootstrap can build.
mirror() {
    known | awk '$3 == "main" && $1 !~ /[-\/]/ && !system("test -e /usr/share/debootstrap/scripts/" $1) { print $2, $1; exit }'
}

# On Ubuntu most of the packages are in "universe".
components() {
    known | awk -v release="$release" '$1 == release && ($3 == "main" || $3 == "universe") { print $3 }' | sort -u | paste -sd ,
}

shrink() {
    rm -rf "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/info/* "$1"/usr/share/locale/* \
        "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/cache/debconf/*-old "$1"/var/log/*.log
    # Tools of the engine's package that no host uses.
    rm -f "$1"/usr/bin/ctr "$1"/usr/bin/containerd-stress "$1"/usr/bin/containerd-shim "$1"/usr/bin/containerd-shim-runc-v1
}

build_root() {
    root=$1
    say "building Debian $release with a Docker engine from packages, about a minute"
    # Since Debian 13 the command is in a package of its own.
    ! apt-cache show docker-cli >/dev/null 2>&1 || packages=$packages,docker-cli
    debootstrap --variant=minbase --components="$(components)" --include="$packages" "$release" "$root" "$address" \
        >"$cache/debootstrap.log" 2>&1 ||
        fail "debootstrap failed; its last lines: $(tail -n 3 "$cache/debootstrap.log")"
    shrink "$root"
    # Baked-in keys would give every engine the same id, and every SSH server the same key.
    rm -f "$root"/etc/ssh/ssh_host_*_key*
    rm -f "$root/etc/docker/key.json" "$root/etc/machine-id" "$root/etc/hostname" "$root/etc/resolv.conf"
    install -m 755 "$here/host-init.sh" "$root/usr/local/sbin/host-init"
    mkdir -p "$root/var/lib/platform-manager" "$root/var/lib/docker"
}

build_tarball() {
    [ "$(id -u)" = 0 ] || fail "building the host image needs root: run this once with sudo"
    command -v debootstrap >/dev/null || fail "debootstrap is missing: run 'apt-get install debootstrap', then again"
    [ -n "$release" ] || fail "apt on this machine knows no Debian or Ubuntu mirror that debootstrap can build from"
    work=$(mktemp -d "$cache/root.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    build_root "$work"
    tar -C "$work" --one-file-system --exclude='./proc/*' --exclude='./sys/*' -cf "$tarball.part" .
    mv "$tarball.part" "$tarball"
}

found=$(mirror)
address=${found% *}
release=${found#* }
recipe=$({ cat "$0" "$here/host-init.sh" && echo "$release $(uname -m)"; } | sha256sum | cut -c 1-12)
image=$name:$recipe
tarball=$cache/host-$recipe.tar

docker version >/dev/null 2>&1 || fail "no Docker engine answers: run scripts/engine.sh first"
existing=$(docker images -q --filter "label=platform-manager.recipe=$recipe" | head -n 1)
if [ -z "$existing" ]; then
    mkdir -p "$cache"
    [ -s "$tarball" ] || build_tarball
    say "importing $image"
    docker import -c "LABEL platform-manager.recipe=$recipe" -c 'ENTRYPOINT ["tini", "--", "host-init"]' \
        -c 'ENV container=docker' "$tarball" "$image" >/dev/null
else
    docker tag "$existing" "$image"
fi
say "$image is ready"
echo "$image"

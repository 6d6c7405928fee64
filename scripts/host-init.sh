#!/bin/sh
# First process (under tini) of a host that is a container: makes /sys, cgroups and iptables fit for a Docker
# engine inside, then becomes the command it was given (the bootstrap script).
set -eu

say() { echo "host: $*"; }

# Without --privileged Docker mounts these read-only; the engine writes sysctls and bridge settings there.
writable_kernel_settings() {
    [ -w /sys/kernel ] || mount -o remount,rw /sys || say "/sys stays read-only"
    [ -w /proc/sys/net/ipv4/ip_forward ] || mount -o remount,rw /proc/sys || say "/proc/sys stays read-only"
}

# Control groups 2: a group with processes can't have child groups with limits, so the processes move to a leaf.
# The engine's own groups go below this container's group: limits of the host hold for everything in it,
# and nothing is left on the machine when the host is removed.
cgroup_parent() {
    own=$(sed -n 's/^0:://p' /proc/self/cgroup | head -n 1)
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
        group=/sys/fs/cgroup$own
        mkdir -p "$group/host"
        while read -r pid; do
            echo "$pid" >"$group/host/cgroup.procs" 2>/dev/null || true
        done <"$group/cgroup.procs"
        sed 's/^/+/; s/ / +/g' "$group/cgroup.controllers" >"$group/cgroup.subtree_control" 2>/dev/null ||
            say "the machine does not hand down control groups: limits of containers may not hold"
    else
        own=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup | head -n 1)
        # With a private view of the groups the path may not exist here: then the engine's default is right.
        [ -d "/sys/fs/cgroup/memory$own" ] || own=
    fi
    echo "${own%/}"
}

# Kernels without nf_tables need the older back end, and the other way round.
working_iptables() {
    for kind in nft legacy; do
        command -v "iptables-$kind" >/dev/null || continue
        if "iptables-$kind" -t nat -nL >/dev/null 2>&1 && "iptables-$kind" -t filter -nL >/dev/null 2>&1; then
            for tool in iptables ip6tables; do
                ln -sf "$(command -v "$tool-$kind")" "/usr/local/sbin/$tool"
            done
            return
        fi
    done
    say "iptables does not work here: this machine's kernel lacks netfilter, or the container lacks NET_ADMIN"
}

# Containers inside may ask for shared or slave mounts (agents that watch the host's file systems do).
mount --make-rshared / || say "mounts can't be shared with containers"
mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security 2>/dev/null || true
writable_kernel_settings
working_iptables
parent=$(cgroup_parent)
PM_ENGINE_ARGS="${parent:+--cgroup-parent=$parent/engine}"
export PM_ENGINE_ARGS
exec "$@"

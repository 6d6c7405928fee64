#!/bin/sh
# Makes sure that a Docker engine answers on this machine.
#
#   scripts/engine.sh [VAR]           an engine that answers is used as it is; otherwise, as root on Debian or Ubuntu,
#                                     installs one and starts it in the background (log and pid file in VAR)
#   scripts/engine.sh --stop [VAR]    stops the engine that this script started, and no other
set -eu

here=$(cd "$(dirname "$0")" && pwd)
stop=
if [ "${1:-}" = --stop ]; then
    stop=1
    shift
fi
var=${1:-$here/../var}
pid_file=$var/dockerd.pid
log=$var/dockerd.log

say() { echo "engine: $*"; }
fail() {
    echo "engine: $*" >&2
    exit 1
}

answers() { docker version -f '{{.Server.Version}}' 2>/dev/null; }

# The engine that this script started: its pid, when it still is that engine and not a later process of the same number.
started_here() {
    pid=$(cat "$pid_file" 2>/dev/null) && grep -q dockerd "/proc/$pid/comm" 2>/dev/null && echo "$pid"
}

stop_engine() {
    pid=$(started_here) || return 0
    say "stopping the engine that was started here"
    kill "$pid"
    deadline=$(($(date +%s) + 60))
    while kill -0 "$pid" 2>/dev/null; do
        [ "$(date +%s)" -lt $deadline ] || fail "dockerd (process $pid) does not stop: see $log"
        sleep 0.2
    done
    rm -f "$pid_file"
}

explain_and_fail() {
    if [ -S /var/run/docker.sock ] && [ ! -w /var/run/docker.sock ]; then
        fail "you may not use this machine's Docker engine: run 'sudo usermod -aG docker $(id -un)', log in again, then repeat"
    fi
    [ "$(id -u)" = 0 ] ||
        fail "no Docker engine answers: install Docker 20.10 or newer ('sudo apt-get install docker.io'), or run this as root"
}

install_engine() {
    command -v dockerd >/dev/null && command -v docker >/dev/null && return
    command -v apt-get >/dev/null || fail "no Docker engine here, and no apt-get: install Docker 20.10 or newer, then repeat"
    say "installing Docker from this machine's packages"
    apt-get update -qq || say "the package lists could not be refreshed; trying with those at hand"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >"$var/apt.log" 2>&1 ||
        fail "apt-get could not install docker.io: $(tail -n 2 "$var/apt.log")"
    command -v docker >/dev/null ||
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-cli >"$var/apt.log" 2>&1 ||
        fail "apt-get could not install docker-cli: $(tail -n 2 "$var/apt.log")"
}

start_engine() {
    if [ -d /run/systemd/system ]; then
        say "starting the docker service"
        systemctl start docker || fail "the docker service does not start: see 'journalctl -u docker'"
    elif ! started_here >/dev/null; then
        say "starting dockerd in the background (log: $log)"
        setsid dockerd >"$log" 2>&1 </dev/null &
        echo $! >"$pid_file"
    fi
    deadline=$(($(date +%s) + ${PM_ENGINE_SECONDS:-60}))
    until answers >/dev/null; do
        [ "$(date +%s)" -lt $deadline ] || fail "the engine does not answer; the last lines of its log: $(tail -n 3 "$log")"
        sleep 0.2
    done
}

if [ -n "$stop" ]; then
    stop_engine
    exit 0
fi
if ! version=$(answers); then
    explain_and_fail
    mkdir -p "$var"
    install_engine
    # An engine may have been there all the time, without the command to ask it.
    answers >/dev/null || start_engine
    version=$(answers)
fi
say "Docker engine $version answers"

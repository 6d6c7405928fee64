#!/bin/sh
# Makes this machine a host of Platform Manager: checks it, sets up its Docker engine, enrols it once and keeps one
# outgoing SSH link to the platform. Running it again changes nothing that is right already.
# With PLATFORM_KEY it dials nobody: it lets the platform in by SSH, to its Docker engine and nothing else.
#
# Everything it writes: /var/lib/platform-manager, "mtu" (and the options below) in /etc/docker/daemon.json, the
# network docker_gwbridge, vm.max_map_count, and the systemd unit platform-manager-link, or, with PLATFORM_KEY, the
# user platform-manager and its home /var/lib/platform-manager-link.
# PM_FOREGROUND=1 (in containers): runs the engine and the link itself, until it gets TERM.
# shellcheck disable=SC2154,SC2317  # settings come above; some functions are called by name
set -eu
umask 022
LC_ALL=C PATH=${PATH:-/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# @SETTINGS@

STATE=${PM_STATE_DIR:-/var/lib/platform-manager}
ENGINE_CONFIG=${PM_ENGINE_CONFIG:-/etc/docker/daemon.json}
ENGINE_SOCKET=/var/run/docker.sock
ENGINE_LOG=$STATE/engine.log
GATE=${PM_GATE_DIR:-/var/lib/platform-manager-link}
SSHD_KEY=${PM_SSHD_KEY:-/etc/ssh/ssh_host_ed25519_key}
UNIT=${PM_UNIT:-/etc/systemd/system/platform-manager-link.service}
SYSCTL_DIR=${PM_SYSCTL_DIR:-/etc/sysctl.d}
OLDEST_ENGINE=20.10
LARGEST_CLOCK_ERROR=300
MAP_COUNT=262144
FOREGROUND=${PM_FOREGROUND:-}
engine_supervisor='' link_supervisor=''

# Not every cloud's console gets what a first boot prints, and the platform reads there why a machine is silent.
say() {
    echo "platform-manager: $*"
    [ -t 1 ] || [ -n "$FOREGROUND" ] || echo "platform-manager: $*" >>"${PM_CONSOLE:-/dev/console}" 2>/dev/null || true
}

fail() {
    say "ERROR: $*"
    # A container's engine would start us again at once: leave the message readable and the machine in peace.
    [ -z "$FOREGROUND" ] || pause "${PM_FAIL_SECONDS:-30}"
    stop 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Unlike sleep alone it ends when a signal comes.
pause() {
    sleep "$1" &
    wait $! || true
}

# Writes stdin to FILE; true when that changed it.
update_file() {
    cat >"$1.new"
    if cmp -s "$1.new" "$1" 2>/dev/null; then
        rm -f "$1.new"
        return 1
    fi
    mv "$1.new" "$1"
}

# --- requirements ------------------------------------------------------------------------------------------------

check_machine() {
    [ "$(id -u)" = 0 ] || fail "this needs root: run it with sudo"
    case $(uname -s) in
    Linux) ;;
    *) fail "hosts have to run Linux; this is $(uname -s)" ;;
    esac
    case $(uname -m) in
    x86_64 | amd64 | aarch64 | arm64) ;;
    *) fail "the architecture $(uname -m) is not supported; x86_64 and aarch64 are" ;;
    esac
    at_least "$(uname -r)" 3.10 || fail "the kernel $(uname -r) is too old for Docker; 3.10 is the oldest that works"
    [ "$(date +%Y)" -ge 2024 ] || fail "the clock says $(date): set it first, certificates depend on it"
}

# at_least 20.10.24+dfsg1 20.10
at_least() {
    major=${1%%.*} minor=${1#*.}
    minor=${minor%%[!0-9]*}
    [ "$major" -gt "${2%%.*}" ] 2>/dev/null && return
    [ "$major" -eq "${2%%.*}" ] 2>/dev/null && [ "${minor:-0}" -ge "${2#*.}" ]
}

install_packages() {
    say "installing $*"
    if have apt-get; then
        # Right after its first boot a cloud machine may hold the lock for its own updates.
        lock='-o DPkg::Lock::Timeout=300'
        # shellcheck disable=SC2086
        apt-get $lock update -qq && DEBIAN_FRONTEND=noninteractive apt-get $lock install -y -qq \
            --no-install-recommends "$@" >"$STATE/install.log" 2>&1
    elif have dnf; then
        dnf install -y -q "$@" >"$STATE/install.log" 2>&1
    elif have apk; then
        apk add -q "$@" >"$STATE/install.log" 2>&1
    else
        return 1
    fi
}

# need TOOL DEBIAN-PACKAGE FEDORA-PACKAGE ALPINE-PACKAGE
need() {
    have "$1" && return
    package=$2
    if have dnf; then package=$3; elif have apk; then package=$4; fi
    install_packages "$package" && have "$1" && return
    missing="$missing $1 (package $package)"
}

check_tools() {
    missing=
    need ip iproute2 iproute iproute2
    if [ -n "$PLATFORM_KEY" ]; then
        need sshd openssh-server openssh-server openssh-server
    else
        need curl curl curl curl
    fi
    need ssh openssh-client openssh-clients openssh-client-default
    need ssh-keygen openssh-client openssh-clients openssh-keygen
    [ -z "$missing" ] || fail "missing here, and could not be installed:$missing. Install it, then run this again"
}

# Swarm and TLS refuse each other's certificates when clocks differ; the platform's own clock is the measure.
check_clock() {
    answer=$(curl -gsI -m 10 "$(platform)/" 2>/dev/null | sed -n 's/\r$//; s/^[Dd]ate: //p' | head -n 1) || return 0
    [ -n "$answer" ] || return 0
    theirs=$(date -u -d "$answer" +%s 2>/dev/null ||
        date -u -D '%a, %d %b %Y %H:%M:%S' -d "$answer" +%s 2>/dev/null) || return 0
    apart=$(($(date +%s) - theirs))
    [ "${apart#-}" -le "$LARGEST_CLOCK_ERROR" ] ||
        fail "the clock is ${apart#-} seconds off (it says $(date)): set it, for example with 'timedatectl set-ntp true'"
}

platform() { echo "$JOIN_URL" | sed 's#^\(https*://[^/?]*\).*#\1#'; }

# --- engine ------------------------------------------------------------------------------------------------------

default_device() {
    for family in -4 -6; do
        device=$(ip -o $family route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
        [ -z "$device" ] || break
    done
    echo "$device"
}

measure_mtu() {
    device=$(default_device)
    [ -n "$device" ] || fail "this machine has no default route, so it can't reach the platform"
    measured=$(ip -o link show dev "$device" | sed -n 's/.* mtu \([0-9]*\).*/\1/p')
    mtu=${WANTED_MTU:-$measured}
    say "MTU of $device is $measured"
    [ "$mtu" -le "$measured" ] && return
    say "WARNING: the environment asks for MTU $mtu, $device carries $measured; using $measured"
    mtu=$measured
}

# Puts our settings into daemon.json; other people's settings there stay. Sets config_changed.
configure_engine() {
    config_changed=
    wanted="{\"mtu\": $mtu${ENGINE_OPTIONS:+, $ENGINE_OPTIONS}}"
    mkdir -p "$(dirname "$ENGINE_CONFIG")"
    merged=$(merge_config) ||
        fail "$ENGINE_CONFIG has settings of its own, and neither jq nor python3 is here to add to them: install jq," \
            "or write $wanted into it by hand; then run this again"
    cp "$ENGINE_CONFIG" "$STATE/daemon.json.now" 2>/dev/null || : >"$STATE/daemon.json.now"
    if echo "$merged" | update_file "$ENGINE_CONFIG"; then
        mv "$STATE/daemon.json.now" "$STATE/daemon.json.before"
        config_changed=1
        say "wrote $wanted to $ENGINE_CONFIG"
    fi
    rm -f "$STATE/daemon.json.now"
}

merge_config() {
    before=$({ tr -d ' \t\n' <"$ENGINE_CONFIG"; } 2>/dev/null) || true
    if [ "$before" = "$(echo "$wanted" | tr -d ' \t\n')" ]; then
        cat "$ENGINE_CONFIG"
    elif [ -z "$before" ] || [ "$before" = '{}' ] || grep -qxF "$before" "$STATE/written" 2>/dev/null; then
        echo "$wanted" | tr -d ' \t' >>"$STATE/written"
        echo "$wanted"
    elif have jq; then
        echo "$wanted" | jq -s '.[0] * .[1]' "$ENGINE_CONFIG" -
    elif have python3; then
        python3 -c 'import json, sys
old = json.load(open(sys.argv[1]))
old.update(json.loads(sys.argv[2]))
print(json.dumps(old, indent=2))' "$ENGINE_CONFIG" "$wanted"
    else
        return 1
    fi
}

install_engine() {
    if [ -n "$DOCKER_INSTALL_URL" ]; then
        say "installing Docker with the script at $DOCKER_INSTALL_URL"
        curl -gfsSL -m 60 -o "$STATE/install-docker.sh" "$DOCKER_INSTALL_URL" ||
            fail "the install script can't be fetched from $DOCKER_INSTALL_URL"
        sh "$STATE/install-docker.sh" >"$STATE/install.log" 2>&1
    elif have apt-get; then
        install_packages docker.io iptables
        have docker || install_packages docker-cli
    elif have dnf; then
        install_packages moby-engine || install_packages docker
    else
        install_packages docker iptables
    fi || fail "Docker could not be installed; the last lines: $(tail -n 3 "$STATE/install.log" 2>/dev/null)"
    have docker || fail "Docker is missing here and could not be installed: install Docker $OLDEST_ENGINE or newer"
}

start_engine() {
    if [ -n "$FOREGROUND" ]; then
        rm -f /var/run/docker.pid /var/run/docker/containerd/containerd.pid
        supervise engine run_engine &
        engine_supervisor=$!
    elif [ -z "$config_changed" ] && docker version >/dev/null 2>&1; then
        return
    elif has_systemd; then
        systemctl enable -q docker 2>/dev/null || true
        systemctl restart docker || restore_config
    elif have service; then
        service docker restart >/dev/null || restore_config
    else
        fail "the Docker engine does not run, and there is neither systemd nor 'service' to start it"
    fi
}

restore_config() {
    [ -n "$config_changed" ] || fail "the Docker engine does not start: see its own log"
    cat "$STATE/daemon.json.before" >"$ENGINE_CONFIG"
    [ -s "$ENGINE_CONFIG" ] || rm -f "$ENGINE_CONFIG"
    if has_systemd; then systemctl restart docker; else service docker restart; fi >/dev/null 2>&1 || true
    fail "the Docker engine did not start with $wanted in $ENGINE_CONFIG (put back as it was): see its own log"
}

has_systemd() { [ -z "$FOREGROUND" ] && [ -d "${PM_SYSTEMD_DIR:-/run/systemd/system}" ]; }

wait_for_engine() {
    deadline=$(($(date +%s) + ${PM_ENGINE_SECONDS:-90}))
    until engine_version=$(docker version -f '{{.Server.Version}}' 2>"$STATE/docker.err") && [ -n "$engine_version" ]; do
        [ "$(date +%s)" -lt $deadline ] || fail "the Docker engine does not answer: $(tail -n 1 "$STATE/docker.err")"
        pause 0.2
    done
    case $(docker --version) in
    *[Pp]odman*) fail "'docker' is podman here, which knows no swarm: install Docker $OLDEST_ENGINE or newer" ;;
    esac
    at_least "$engine_version" $OLDEST_ENGINE ||
        fail "Docker $engine_version is too old: install $OLDEST_ENGINE or newer, then run this again"
    say "Docker engine $engine_version answers"
}

swarm_state() { docker info -f '{{.Swarm.LocalNodeState}}'; }

# Docker makes docker_gwbridge with MTU 1500 when a swarm starts: be there first.
prepare_bridge() {
    option=com.docker.network.driver.mtu
    now=$(docker network inspect -f "{{index .Options \"$option\"}}" docker_gwbridge 2>/dev/null) || now=
    [ "$now" != "$mtu" ] || return 0
    if [ "$(swarm_state)" != inactive ]; then
        say "WARNING: docker_gwbridge has MTU ${now:-1500} and is in use by a swarm; it stays"
        return 0
    fi
    docker network rm docker_gwbridge >/dev/null 2>&1 || true
    if docker network create -d bridge -o $option="$mtu" -o com.docker.network.bridge.name=docker_gwbridge \
        -o com.docker.network.bridge.enable_icc=false -o com.docker.network.bridge.enable_ip_masquerade=true \
        docker_gwbridge >/dev/null; then
        say "made docker_gwbridge with MTU $mtu"
    else
        say "WARNING: docker_gwbridge could not be made with MTU $mtu"
    fi
}

# Search engines and some databases need it; a smaller value is no reason to stop.
raise_map_count() {
    now=$(sysctl -n vm.max_map_count 2>/dev/null || echo 0)
    [ "$now" -lt $MAP_COUNT ] || return 0
    sysctl -q -w vm.max_map_count=$MAP_COUNT >/dev/null 2>&1 || say "WARNING: vm.max_map_count stays at $now"
    [ -n "$FOREGROUND" ] || [ ! -d "$SYSCTL_DIR" ] ||
        echo "vm.max_map_count=$MAP_COUNT" >"$SYSCTL_DIR/90-platform-manager.conf" || true
}

# --- enrolment ---------------------------------------------------------------------------------------------------

# The key belongs to one host: a machine that joins as another host gets another key.
make_key() {
    [ -s "$STATE/key" ] && [ "$(cut -d ' ' -f 3 "$STATE/key.pub" 2>/dev/null)" = "$HOST_ID" ] && return
    rm -f "$STATE/key" "$STATE/key.pub"
    ssh-keygen -q -t ed25519 -N '' -C "$HOST_ID" -f "$STATE/key" </dev/null ||
        fail "the key could not be made in $STATE (is the disk full?)"
}

quoted() { printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# Global addresses, those of the default route's device first: the swarm is advertised on the first one.
addresses() {
    { ip -o addr show dev "$(default_device)" scope global && ip -o addr show scope global; } 2>/dev/null |
        awk '$2 !~ /^(docker|br-|veth)/ && $4 ~ /\// { sub("/.*", "", $4); if (!seen[$4]++) print $4 }' |
        while read -r address; do quoted "$address"; done | sed 's/""/", "/g'
}

facts() {
    memory=$(awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)
    disk=$(df -Pk /var/lib/docker 2>/dev/null | awk 'END { printf "%.0f", $2 * 1024 }')
    maps=$(sysctl -n vm.max_map_count 2>/dev/null | grep -x '[0-9]\{1,12\}' || echo 0)
    os=$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null | tr -d '"')
    cat <<END
{"public_key": $(quoted "$(cat "$STATE/key.pub" 2>/dev/null)"),
 "hostname": $(quoted "$(uname -n)"), "architecture": $(quoted "$(uname -m)"), "kernel": $(quoted "$(uname -r)"),
 "os": $(quoted "$os"), "engine_version": $(quoted "$engine_version"), "mtu": $measured,
 "cpus": $(nproc), "memory_bytes": ${memory:-0}, "disk_bytes": ${disk:-0}, "max_map_count": $maps,
 "addresses": [$(addresses)]}
END
}

# One try: sets status to the platform's HTTP status, 000 when it can't be reached.
send_facts() {
    # The address holds the token: in a file it stays out of the process list.
    printf 'url = "%s"\n' "$JOIN_URL" >"$STATE/curl.conf"
    status=$(facts | curl -gsS -m 30 -o "$STATE/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
        --data-binary @- -K "$STATE/curl.conf" 2>"$STATE/curl.err") || status=000
    rm -f "$STATE/curl.conf"
}

answer_text() { head -c 500 "$STATE/answer" 2>/dev/null | tr -d '\000-\010\013-\037'; }

enrol() {
    mark="$HOST_ID $(printf '%s' "$TOKEN" | sha256sum | cut -c 1-64)"
    if [ "$(cat "$STATE/enrolled" 2>/dev/null)" = "$mark" ]; then
        say "enrolled already"
        return
    fi
    refuse_other_swarm
    check_clock
    make_key
    say "enrolling at $(platform)"
    delay=1 deadline=$(($(date +%s) + ${PM_ENROL_SECONDS:-1800}))
    while send_facts; do
        case $status in
        2??) break ;;
        000) reason="can't be reached ($(tail -n 1 "$STATE/curl.err"))" ;;
        408 | 429 | 5??) reason="answered $status" ;;
        *) fail "the platform refused this host (HTTP $status): $(answer_text)" ;;
        esac
        [ "$(date +%s)" -lt $deadline ] || fail "the platform at $(platform) $reason; run this again when it can"
        say "the platform at $(platform) $reason, next try in $delay s"
        pause $delay
        [ $delay -ge 15 ] || delay=$((delay * 2))
    done
    echo "$mark" >"$STATE/enrolled"
    say "enrolled"
}

refuse_other_swarm() {
    [ "$(swarm_state)" = inactive ] && return
    # Enrolled before with another token (the answer got lost, or it was renewed): then it is our own swarm.
    [ "$(cut -d ' ' -f 1 "$STATE/enrolled" 2>/dev/null)" = "$HOST_ID" ] && return
    fail "this engine is in a swarm already: leave it with 'docker swarm leave --force', then run this again"
}

# --- link --------------------------------------------------------------------------------------------------------

# Writes the link's command; true when something in it changed.
write_link() {
    hub=${HUB_HOST#[}
    changed=
    echo "platform-manager-hub $HUB_HOST_KEY" | update_file "$STATE/known_hosts" && changed=1
    update_file "$STATE/link" <<END && changed=1
#!/bin/sh
exec ssh -F /dev/null -N -T -i '$STATE/key' -p '$HUB_PORT' -l '$HOST_ID' \\
    -o BatchMode=yes -o IdentitiesOnly=yes -o ConnectTimeout=10 \\
    -o ExitOnForwardFailure=yes -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o StreamLocalBindUnlink=yes \\
    -o StrictHostKeyChecking=yes -o HostKeyAlias=platform-manager-hub -o CheckHostIP=no \\
    -o UserKnownHostsFile='$STATE/known_hosts' -o GlobalKnownHostsFile=/dev/null \\
    -o PermitLocalCommand=yes -o LocalCommand='echo "platform-manager: link is up"' \\
    -R /run/platform-manager/engine.sock:$ENGINE_SOCKET '${hub%]}'
END
    [ -n "$changed" ]
}

run_link() { exec sh "$STATE/link" </dev/null; }

start_link() {
    changed=
    write_link && changed=1
    if [ -n "$FOREGROUND" ]; then
        supervise link run_link &
        link_supervisor=$!
    elif has_systemd; then
        write_unit && changed=1
        start_unit
    else
        start_loop
    fi
}

write_unit() {
    update_file "$UNIT" <<END || return 1
[Unit]
Description=Link to Platform Manager
After=network-online.target docker.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh $STATE/link
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
END
    systemctl daemon-reload
    systemctl enable -q platform-manager-link
}

start_unit() {
    [ -n "$changed" ] || ! systemctl is-active -q platform-manager-link || return 0
    systemctl restart platform-manager-link || fail "the link did not start: see 'journalctl -u platform-manager-link'"
    say "the link runs as the systemd unit platform-manager-link"
}

start_loop() {
    pid=$(cat "$STATE/link.pid" 2>/dev/null) || pid=
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
        [ -n "$changed" ] || return 0
        kill "$pid"
    fi
    (
        trap '' HUP
        supervise link run_link
    ) >>"$STATE/link.log" 2>&1 &
    echo $! >"$STATE/link.pid"
    say "the link runs in the background (log: $STATE/link.log); there is no systemd here: run this again after a reboot"
}

# --- a link that the platform dials ------------------------------------------------------------------------------

# One user whom the platform's key lets in: it may open connections, to the engine's socket, and read the facts, but
# has no shell. (With permitopen, sshd lets it open no socket either.)
admit_platform() {
    refuse_other_swarm
    make_user
    mkdir -p "$GATE/.ssh"
    chmod 755 "$GATE" "$GATE/.ssh"
    facts | update_file "$GATE/facts" || true
    echo "restrict,port-forwarding,command=\"cat $GATE/facts\" $PLATFORM_KEY" |
        update_file "$GATE/.ssh/authorized_keys" || true
    echo "$HOST_ID" >"$STATE/enrolled"
    start_sshd
    # The platform reads the key off this machine's console, and pins it.
    say "host key $(cut -d ' ' -f 1-2 "$SSHD_KEY.pub")"
}

make_user() {
    id platform-manager >/dev/null 2>&1 || useradd -r -M -d "$GATE" -s /bin/sh platform-manager 2>/dev/null ||
        adduser -S -H -h "$GATE" -s /bin/sh platform-manager >/dev/null 2>&1 ||
        fail "the user platform-manager could not be made"
    # No password opens it; locked, as it is made, some servers let nobody in by key either.
    usermod -p '*' -G docker platform-manager 2>/dev/null || addgroup platform-manager docker >/dev/null 2>&1 ||
        fail "the user platform-manager could not be given the group docker"
}

start_sshd() {
    [ -s "$SSHD_KEY.pub" ] || ssh-keygen -A >/dev/null
    if [ -n "$FOREGROUND" ]; then
        mkdir -p /run/sshd
        supervise link run_sshd &
        link_supervisor=$!
    elif has_systemd; then
        systemctl enable -q --now ssh 2>/dev/null || systemctl enable -q --now sshd
    elif have service; then
        service ssh start >/dev/null 2>&1 || service sshd start >/dev/null 2>&1 || true
    fi || fail "the SSH server does not start: see its own log"
}

run_sshd() { exec "$(command -v sshd)" -D -e </dev/null; }

# --- supervision -------------------------------------------------------------------------------------------------

run_engine() {
    rm -f /var/run/docker.pid
    [ -z "$(find "$ENGINE_LOG" -size +10000k 2>/dev/null)" ] || mv "$ENGINE_LOG" "$ENGINE_LOG.1"
    # shellcheck disable=SC2086  # a list of options
    exec dockerd ${PM_ENGINE_ARGS:-} </dev/null >>"$ENGINE_LOG" 2>&1
}

# Runs a command for ever: again after 1 s when it ends, after 5 s at most when it keeps ending at once.
supervise() {
    what=$1 child='' stopping='' delay=1
    shift
    trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true' TERM
    while [ -z "$stopping" ]; do
        began=$(date +%s) code=0
        "$@" &
        child=$!
        wait "$child" || code=$?
        while kill -0 "$child" 2>/dev/null; do wait "$child" || code=$?; done
        [ -z "$stopping" ] || break
        [ $(($(date +%s) - began)) -lt 10 ] || delay=1
        say "$what ended (exit code $code), starting it again in $delay s"
        [ "$what" != engine ] || tail -n 3 "$ENGINE_LOG" || true
        pause $delay
        [ $delay -ge 4 ] || delay=$((delay * 2))
        [ $delay -lt 4 ] || delay=5
    done
}

# The link first, so that the platform sees the host go rather than its engine fail.
stop() {
    trap '' TERM INT
    for pid in $link_supervisor $engine_supervisor; do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
    exit "${1:-0}"
}

main() {
    [ -z "$FOREGROUND" ] || trap 'say "stopping"; stop 0' TERM INT
    check_machine
    mkdir -p "$STATE"
    chmod 700 "$STATE"
    check_tools
    measure_mtu
    configure_engine
    { have dockerd && have docker; } || docker version >/dev/null 2>&1 || install_engine
    start_engine
    wait_for_engine
    prepare_bridge
    raise_map_count
    if [ -n "$PLATFORM_KEY" ]; then
        admit_platform
        say "done: this machine waits for the platform to dial it"
    else
        enrol
        start_link
        say "done: this machine is a host of $(platform)"
    fi
    [ -n "$FOREGROUND" ] || exit 0
    wait "$engine_supervisor" || true
    stop 1
}

main </dev/null

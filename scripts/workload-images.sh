#!/bin/sh
# Builds the tiny images that demo and tests deploy, from busybox alone; no image registry is needed.
#
#   scripts/workload-images.sh [PREFIX]      prints the images' names on stdout; progress goes to stderr
#
#   whoami   answers its host name on port 8000 and prints a line for each request
#   ticker   prints RATE (1) numbered lines a second, 0 for as many as it can, COUNT (0: no end) in all;
#            each tenth line also on stderr
#   flaky    exits with CODE (1) after SECONDS (5)
#
# Each has the tags 1 and 2, for updates. PREFIX is 127.0.0.1:1/ unless given: nothing answers there, so an engine
# that looks for a newer image gives up at once instead of after 20 s.
set -eu

prefix=${1-127.0.0.1:1/}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say() { echo "workload images: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

base() {
    busybox=$(command -v busybox) || fail "busybox is missing: run 'apt-get install busybox-static', then again"
    if ldd "$busybox" >/dev/null 2>&1; then
        fail "$busybox needs shared libraries: run 'apt-get install busybox-static', then again"
    fi
    mkdir -p "$work/root/bin" "$work/root/etc" "$work/root/tmp" "$work/root/www"
    cp "$busybox" "$work/root/bin/busybox"
    for tool in $("$busybox" --list); do
        [ "$tool" = busybox ] || ln -s busybox "$work/root/bin/$tool"
    done
    echo 'root:x:0:0:root:/:/bin/sh' >"$work/root/etc/passwd"
}

# As the first process of a container each needs a trap: without one TERM does nothing and stopping takes 10 s.
whoami_app() {
    cat <<'END'
trap 'exit 0' TERM
hostname >/www/index.html
echo "whoami $VERSION on $(hostname) listens on port 8000"
httpd -f -vv -p 8000 -h /www 2>&1 &
wait
END
}

ticker_app() {
    cat <<'END'
trap 'exit 0' TERM
rate=${RATE:-1} count=${COUNT:-0} batch=1 number=0 pause=
if [ "$rate" != 0 ]; then
    # Above 50 lines a second several lines go out at a time: a shell can't sleep shorter in earnest.
    batch=$(awk -v r="$rate" 'BEGIN { print int(r > 50 ? r / 50 : 1) }')
    pause=$(awk -v r="$rate" -v b="$batch" 'BEGIN { print b / r }')
fi
echo "ticker $VERSION on $(hostname) prints $rate lines a second"
while [ "$count" = 0 ] || [ $number -lt "$count" ]; do
    printed=0
    while [ $printed -lt "$batch" ]; do
        number=$((number + 1)) printed=$((printed + 1))
        echo "line $number"
        [ $((number % 10)) != 0 ] || echo "tenth line $number" >&2
    done
    [ -z "$pause" ] || { sleep "$pause" & wait $!; }
done
sleep 2147483647 &
wait
END
}

flaky_app() {
    cat <<'END'
trap 'exit 0' TERM
echo "flaky $VERSION on $(hostname) exits with code ${CODE:-1} in ${SECONDS:-5} s"
sleep "${SECONDS:-5}" &
wait
echo "giving up" >&2
exit "${CODE:-1}"
END
}

# make_image NAME VERSION
make_image() {
    image=$prefix$1:$2
    recipe=$({ cat "$0" && echo "$2"; } | sha256sum | cut -c 1-12)
    if [ "$(docker image inspect -f '{{index .Config.Labels "platform-manager.recipe"}}' "$image" 2>/dev/null)" != "$recipe" ]; then
        [ -d "$work/root" ] || base
        "$1_app" >"$work/root/app"
        tar -C "$work/root" --owner=0 --group=0 -cf - . | docker import -c 'CMD ["sh", "/app"]' -c 'ENV PATH=/bin' \
            -c "ENV VERSION=$2" -c "LABEL platform-manager.recipe=$recipe" - "$image" >/dev/null
        say "made $image"
    fi
    echo "$image"
}

docker version >/dev/null 2>&1 || fail "no Docker engine answers: run scripts/engine.sh first"
for name in whoami ticker flaky; do
    make_image $name 1
    make_image $name 2
done

#!/usr/bin/env bash
# Runs the server on a host whose containers, interfaces and processes come and go, a hundred a minute each, with a viewer.
# Prints its resident memory each minute; fails if it ends more than 8 MiB above the most of the first ten minutes.
# Usage: soak.sh SERVER SECONDS
set -euo pipefail
# Namespaces of its own, as root within, so that nothing of the host changes.
[[ -n ${IN_NAMESPACE-} ]] || IN_NAMESPACE=1 exec unshare --map-root-user --mount --net "$0" "$@"

readonly server=$1 seconds=$2 allowed_kib=8192 living=20 address=127.0.0.1:3000
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; umount /sys/fs/cgroup 2>/dev/null || true; rm -rf "$folder"' EXIT
groups=$folder/cgroup/system.slice
mkdir -p "$groups"
echo cpu memory > "$folder/cgroup/cgroup.controllers"
echo usage_usec 1 > "$folder/cgroup/cpu.stat"
mount --bind "$folder/cgroup" /sys/fs/cgroup
ip link set lo up

"$server" --listen $address --log-level warn &
pid=$!
curl --silent --no-buffer --retry 10 --retry-connrefused "http://$address/api/stream" > /dev/null &

# Starts the container and the interface of number $1, and a process that ends at once.
start() {
    local group
    group=$groups/docker-$(printf '%08x' "$1")$(printf 'ab%.0s' {1..28}).scope
    mkdir "$group"
    echo usage_usec "$1" > "$group/cpu.stat"
    echo 104857600 > "$group/memory.current"
    ip link add "soak$1" type veth peer name "peer$1"
    "$BASH" -c :
}

stop() {
    rm -r "$groups/docker-$(printf '%08x' "$1")"*
    ip link delete "soak$1"
}

rss() { awk '/^VmRSS/ {print $2}' "/proc/$pid/status"; }

first=0 number=0 minute=0
while ((SECONDS < seconds)); do
    start $((++number))
    ((number <= living)) || stop $((number - living))
    if ((SECONDS / 60 > minute)); then
        minute=$((SECONDS / 60))
        printf 'minute %2d: %6d KiB, %d came and went\n' $minute "$(rss)" $number
    fi
    if ((SECONDS < 600 && $(rss) > first)); then first=$(rss); fi
    sleep 0.55
done
last=$(rss)
echo "$first KiB at most in the first ten minutes, $last KiB at the end"
((last <= first + allowed_kib))

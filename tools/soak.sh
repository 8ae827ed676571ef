#!/usr/bin/env bash
# Runs the server on a host whose containers, interfaces, filesystems, loop devices and processes come and go, a hundred a
# minute each, with a viewer and an open page. Prints the resident memory each minute, and what the page holds; fails if
# either ends more than 8 MiB above the most of the first ten minutes.
# Usage: soak.sh SERVER SECONDS
set -euo pipefail
# Namespaces of its own, so that nothing of the host changes but loop devices, which need root on the host.
if [[ -z ${IN_NAMESPACE-} ]]; then
    user=(--map-root-user)
    ((EUID)) || user=()
    IN_NAMESPACE=1 exec unshare "${user[@]}" --mount --net "$0" "$@"
fi

readonly server=$1 seconds=$2 allowed_kib=8192 living=20 address=127.0.0.1:3000
folder=$(mktemp -d)
devices=()
finish() {
    kill $(jobs -p) 2>/dev/null || true
    wait
    ((!${#devices[@]})) || losetup --detach "${devices[@]}" || true
    umount "$folder"/mount* /sys/fs/cgroup 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
groups=$folder/cgroup/system.slice
mkdir -p "$groups"
echo cpu memory > "$folder/cgroup/cgroup.controllers"
echo usage_usec 1 > "$folder/cgroup/cpu.stat"
truncate --size 1M "$folder/image"
# This namespace's interfaces.
mount -t sysfs sysfs /sys
mount --bind "$folder/cgroup" /sys/fs/cgroup
ip link set lo up

"$server" --listen $address --log-level warn --virtual-interfaces --data "$folder/data" &
pid=$!
curl --silent --no-buffer --retry 10 --retry-connrefused "http://$address/api/stream" > /dev/null &
node end2end/heap.mjs "http://$address" "$seconds" &
page=$!

if device=$(losetup --find --show "$folder/image" 2>&1); then
    devices[0]=$device
else
    echo "without loop devices: $device"
fi

# Starts the container, the interface, the filesystem and the loop device of number $1, and a process that ends at once.
start() {
    local group
    group=$groups/docker-$(printf '%08x' "$1")$(printf 'ab%.0s' {1..28}).scope
    mkdir "$group" "$folder/mount$1"
    echo usage_usec "$1" > "$group/cpu.stat"
    echo 104857600 > "$group/memory.current"
    ip link add "soak$1" type veth peer name "peer$1"
    mount -t tmpfs -o size=1m "soak$1" "$folder/mount$1"
    ((!${#devices[@]})) || devices[$1]=$(losetup --find --show "$folder/image")
    "$BASH" -c :
}

stop() {
    rm -r "$groups/docker-$(printf '%08x' "$1")"*
    ip link delete "soak$1"
    umount --lazy "$folder/mount$1"
    rmdir "$folder/mount$1"
    ((!${#devices[@]})) || losetup --detach "${devices[$1]}"
    unset "devices[$1]"
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
    sleep 0.5
done
last=$(rss)
echo "$first KiB at most in the first ten minutes, $last KiB at the end"
wait $page
((last <= first + allowed_kib))

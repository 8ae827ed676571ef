#!/usr/bin/env bash
# tools/image.test.sh IMAGE   runs the container image: with podman where this machine can, else its files in a chroot.
set -euo pipefail
cd "$(dirname "$0")/.."
((EUID == 0)) || { echo "image.test: only root can set up a system to test on; type: sudo $0 $*" >&2; exit 1; }
# Mounts of its own, without the second hierarchy of control groups, which crun refuses beside the first.
[[ ${IN_NAMESPACE-} ]] || IN_NAMESPACE=1 exec unshare --mount "$0" "$@"
umount /sys/fs/cgroup/unified 2>/dev/null || true

readonly image=$1
scratch=$(mktemp -d)
storage=(--root "$scratch/storage" --runroot "$scratch/run" --storage-driver vfs)
container=
finish() {
    [[ -z $container ]] || stop
    [[ -z ${files-} ]] || umount --recursive "$files/proc"
    buildah "${storage[@]}" umount --all >/dev/null 2>&1 || true
    rm -rf --one-file-system "$scratch"
}
trap finish EXIT
fail() {
    printf 'image.test: %s\n' "$@" >&2
    log >&2 || true
    exit 1
}
wait_for() {
    local end=$((SECONDS + 20))
    until "$@"; do ((SECONDS < end)) && sleep 0.1 || return; done
}

with_podman() {
    start() {
        # podman's own limits may be above this machine's, and control groups beyond its rights.
        podman "${storage[@]}" run --detach --name hostbeat --network host --cgroups disabled \
            --ulimit nofile="$(ulimit -Hn)" --ulimit nproc=4096 \
            --volume "$scratch/data:/var/lib/hostbeat" --env HOSTBEAT_LISTEN=127.0.0.1:0 "$id"
    }
    run() { podman "${storage[@]}" exec --interactive hostbeat /usr/bin/hostbeat "$@"; }
    log() { podman "${storage[@]}" logs hostbeat 2>&1; }
    stop() { podman "${storage[@]}" rm --force --time 10 hostbeat >/dev/null 2>&1; }
}
in_chroot() {
    files=$(buildah "${storage[@]}" mount "$(buildah "${storage[@]}" from "$id")")
    local form='{{range .OCIv1.Config.Env}}{{println .}}{{end}}'
    mapfile -t environment < <(buildah "${storage[@]}" inspect --type image --format "$form" "$id" | sed '/^$/d')
    mkdir -p "$files/proc"
    mount --rbind /proc "$files/proc"
    mount --make-rslave "$files/proc"
    enter() { # exec, so that the server has the process id that is printed
        exec chroot --userspec 65532:65532 "$files" /usr/bin/hostbeat "$@"
    }
    start() {
        (env=("${environment[@]}" HOSTBEAT_LISTEN=127.0.0.1:0) && export "${env[@]}" && enter) >"$scratch/log" 2>&1 &
        echo $!
    }
    run() { (export "${environment[@]}" && enter "$@"); }
    log() { cat "$scratch/log"; }
    stop() { kill "$container" && tail --pid "$container" --follow /dev/null; }
}

id=$(buildah "${storage[@]}" pull --quiet "oci-archive:$image")
install --directory --owner 65532 --group 65532 "$scratch/data"
with_podman
if container=$(start 2>"$scratch/refusal"); then
    echo "==> the image runs with podman"
else
    echo "==> podman can't run here, so the image's files run in a chroot: $(tail -n 1 "$scratch/refusal")"
    in_chroot
    container=$(start)
fi
listens() { log | grep -q 'listening on http'; }
wait_for listens || fail "the server doesn't listen"
url=$(log | grep -o 'http://[0-9.:]*' | head -n 1)
curl --silent --fail --output /dev/null "$url/healthz" || fail "$url/healthz doesn't answer"
curl --silent --fail "$url/" | grep -q '<svg' || fail "the page has no charts"
run user add alice --role admin --password-stdin <<<'correct horse'
asks() { [[ $(curl --silent --output /dev/null --write-out '%{http_code}' "$url/api/snapshot") == 401 ]]; }
wait_for asks || fail "the page asks nobody to sign in"
echo "image.test: passed"

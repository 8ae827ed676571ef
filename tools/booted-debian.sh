# Sourced by tests of packages: boots a fresh Debian in a container that shares this machine's network, and removes it when
# the test ends. Its files are in $root.
((EUID == 0)) || { echo "$0: only root can boot a system to test on; type: sudo $0 $*" >&2; exit 1; }
tools/need.sh systemd-nspawn debootstrap

root=$(mktemp -d)
container=
finish() {
    [[ -z $container ]] || { kill "$container" && wait "$container"; } || true
    find /sys/fs/cgroup/*/{payload,supervisor} -depth -type d -exec rmdir {} + 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap finish EXIT

step() { printf '==> %s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$0" "$1" >&2
    in_debian journalctl --unit hostbeat --no-pager --output cat >&2 || true
    exit 1
}
wait_for() {
    local end=$((SECONDS + 20))
    until "$@"; do ((SECONDS < end)) && sleep 0.1 || return; done
}
in_debian() { nsenter --mount --uts --ipc --pid --root --wd --target "$(pgrep --parent "$container")" "$@"; }
listens() { # http or https; sets $url
    url=$(in_debian journalctl --unit hostbeat --output cat | grep --only-matching "$1://[0-9.:]*" | tail -n 1)
}

tools/debian-root.sh "$root"
# Neither systemd nor its registry of containers need run on this machine. The container's own filter lacks landlock.
systemd-nspawn --quiet --register=no --keep-unit --console=pipe --directory "$root" --boot \
    --system-call-filter='landlock_create_ruleset landlock_add_rule landlock_restrict_self' \
    </dev/null >"$root/console" 2>&1 &
container=$!
booted() { [[ $(in_debian systemctl is-system-running 2>/dev/null) =~ running|degraded ]]; }
wait_for booted || { cat "$root/console" >&2; fail "Debian does not boot"; }

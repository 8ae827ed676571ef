#!/usr/bin/env bash
# tools/deb.test.sh PACKAGE   checks the Debian package, and installs, uses, removes and purges it on a fresh Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
((EUID == 0)) || { echo "deb.test: only root can set up a system to test on; type: sudo $0 $*" >&2; exit 1; }
# Mounts of its own, which end with it.
[[ ${IN_NAMESPACE-} ]] || IN_NAMESPACE=1 exec unshare --mount "$0" "$@"

readonly package=$1 data=/var/lib/hostbeat
# systemd takes the user of a service with DynamicUser= from this range.
readonly user=61184
step() { printf '==> %s\n' "$*"; }
fail() {
    printf 'deb.test: %s\n' "$@" >&2
    [[ ! -s $root/log ]] || cat "$root/log" >&2
    exit 1
}
wait_for() {
    local end=$((SECONDS + 20))
    until "$@"; do ((SECONDS < end)) && sleep 0.1 || return; done
}

root=$(mktemp -d)
server=
stop() {
    [[ -z $server ]] || { kill "$server" && wait "$server"; } || true
    server=
}
finish() {
    stop
    umount --recursive "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap finish EXIT
in_root() { chroot "$root" "$@"; }

step "lintian"
lintian --fail-on error "$package" || fail "lintian has errors"

step "installing on a fresh Debian"
tools/debian-root.sh "$root"
mount --rbind /proc "$root/proc"
mount --make-rslave "$root/proc"
cp "$package" "$root/hostbeat.deb"
in_root dpkg --install /hostbeat.deb >/dev/null
in_root hostbeat --version
enabled=$root/etc/systemd/system/multi-user.target.wants/hostbeat.service
[[ -L $enabled ]] || fail "the service is not enabled"
for file in man1/hostbeat.1.gz man1/hostbeat-user-add.1.gz; do
    [[ -f $root/usr/share/man/$file ]] || fail "there is no $file"
done

step "starting the service's command as a user without privileges"
printf '%s\n' HOSTBEAT_LISTEN=127.0.0.1:0 HOSTBEAT_TLS_SELF_SIGNED=1 >>"$root/etc/default/hostbeat"
unit=$root$(readlink "$enabled")
mapfile -t command < <(sed -n 's/^ExecStart=//p' "$unit")
mapfile -t environment < <(
    sed -n 's/^Environment=//p' "$unit" | tr ' ' '\n' | sed 's|%S|/var/lib|'
    sed '/^#/d' "$root/etc/default/hostbeat"
)
install --directory --owner $user --group $user --mode 700 "$root$data"
chroot --userspec $user:$user "$root" env -i STATE_DIRECTORY=$data "${environment[@]}" "${command[@]}" \
    >"$root/log" 2>&1 &
server=$!
wait_for grep -q 'listening on https:' "$root/log" || fail "the server doesn't listen"
url=$(grep -o 'https://[0-9.:]*' "$root/log" | head -n 1)
curl --silent --insecure --fail --output /dev/null "$url/healthz" || fail "$url/healthz doesn't answer"

step "adding a user, who signs in with a browser"
in_root hostbeat user add alice --role admin --password-stdin --data $data <<<'correct horse'
HOSTBEAT_PACKAGE_URL=$url HOSTBEAT_PACKAGE_ROOT=$root \
    npm exec --prefix end2end -- playwright test --config end2end/playwright.config.ts || fail "the page doesn't work"

step "removing keeps data and options, purging removes them"
stop
in_root dpkg --remove hostbeat >/dev/null
[[ ! -e $root/usr/bin/hostbeat && ! -e $unit ]] || fail "removing left the program or the unit"
[[ -s $root$data/hostbeat.db && -s $root/etc/default/hostbeat ]] || fail "removing took data or options"
in_root dpkg --purge hostbeat >/dev/null
[[ ! -e $root$data && ! -e $root/etc/default/hostbeat && ! -L $enabled ]] ||
    fail "purging left data, options or the link of the unit"
echo "deb.test: passed"

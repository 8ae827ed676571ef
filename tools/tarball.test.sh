#!/usr/bin/env bash
# tools/tarball.test.sh TARBALL   installs the static program from the tarball on a fresh Debian, and removes it.
set -euo pipefail
cd "$(dirname "$0")/.."
((EUID == 0)) || { echo "tarball.test: only root can set up a system to test on; type: sudo $0 $*" >&2; exit 1; }

root=$(mktemp -d)
server=
finish() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap finish EXIT
fail() {
    echo "tarball.test: $1" >&2
    exit 1
}
tools/debian-root.sh "$root"
tar --extract --file "$1" --directory "$root/opt"
program=$(echo "$root"/opt/hostbeat-*/hostbeat)
# ldd's words for a program without an interpreter.
[[ $(ldd "$program" 2>&1) =~ "statically linked"|"not a dynamic executable" ]] || fail "the program is not static"
"$program" install --root "$root" >/dev/null
command=$(sed -n 's/^ExecStart=//p' "$root/etc/systemd/system/hostbeat.service")
chroot "$root" "$command" --version
# The static program looks names up by itself.
chroot "$root" useradd --system hostbeat-proxy
socket=$root/run/hostbeat.sock
chroot "$root" "$command" --listen unix:/run/hostbeat.sock --unix-owner hostbeat-proxy --data /tmp/data \
    >"$root/log" 2>&1 &
server=$!
until [[ -S $socket && $(stat --format %u "$socket") == "$(chroot "$root" id -u hostbeat-proxy)" ]]; do
    kill -0 "$server" 2>/dev/null || fail "the server ended: $(<"$root/log")"
    ((SECONDS < 60)) || fail "the socket doesn't get its owner: $(<"$root/log")"
    sleep 0.1
done
curl --silent --fail --unix-socket "$socket" --output /dev/null http://localhost/healthz || fail "/healthz doesn't answer"
kill "$server"
wait "$server" || fail "the server ended badly: $(<"$root/log")"
server=
"$program" uninstall --purge --root "$root" >/dev/null
[[ ! -e $root$command && ! -e $root/etc/default/hostbeat ]] || fail "uninstalling left the program or its options"
echo "tarball.test: passed"

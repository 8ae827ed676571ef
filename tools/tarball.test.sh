#!/usr/bin/env bash
# tools/tarball.test.sh TARBALL   installs the static program as a service on a fresh Debian, and removes it.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/booted-debian.sh

tar --extract --file "$1" --directory "$root/opt"
program=$(echo "$root"/opt/hostbeat-*/hostbeat)
# ldd's words for a program without an interpreter.
[[ $(ldd "$program" 2>&1) =~ "statically linked"|"not a dynamic executable" ]] || fail "the program is not static"

step "hostbeat install starts the service"
in_debian "${program#"$root"}" install --listen 127.0.0.1:0
wait_for listens http || fail "the service doesn't listen"
curl --silent --fail --output /dev/null "$url/healthz" || fail "$url/healthz doesn't answer"

step "the static program finds users by name"
in_debian useradd --system hostbeat-proxy
in_debian systemd-run --quiet --unit hostbeat-socket hostbeat --listen unix:/run/hostbeat.sock \
    --unix-owner hostbeat-proxy --data /run/hostbeat-socket
owned() { [[ $(in_debian stat --format %U /run/hostbeat.sock 2>/dev/null) == hostbeat-proxy ]]; }
wait_for owned || fail "the socket is not the user's"
in_debian systemctl stop hostbeat-socket

step "hostbeat uninstall removes it"
in_debian hostbeat uninstall --purge
for left in usr/local/bin/hostbeat etc/default/hostbeat etc/systemd/system/hostbeat.service var/lib/private/hostbeat; do
    [[ ! -e $root/$left ]] || fail "uninstalling left $left"
done
echo "tarball.test: passed"

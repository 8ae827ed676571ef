#!/usr/bin/env bash
# tools/deb.test.sh PACKAGE   checks the Debian package, and installs, uses, removes and purges it on a fresh Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/booted-debian.sh

readonly package=$1 data=/var/lib/hostbeat

step "lintian"
tools/need.sh lintian
lintian --fail-on error "$package" || fail "lintian has errors"

step "installing starts the service"
cp "$package" "$root/root/hostbeat.deb"
in_debian dpkg --install /root/hostbeat.deb >/dev/null
in_debian systemctl is-enabled hostbeat
# The port may be another program's here, so that the service can't start.
printf '%s\n' HOSTBEAT_LISTEN=127.0.0.1:0 HOSTBEAT_TLS_SELF_SIGNED=1 >>"$root/etc/default/hostbeat"
in_debian systemctl restart hostbeat
wait_for listens https || fail "the service doesn't listen"
curl --silent --insecure --fail --output /dev/null "$url/healthz" || fail "$url/healthz doesn't answer"
! in_debian journalctl --unit hostbeat --output cat | grep "can't confine" || fail "the unit keeps the server from confining itself"
for page in hostbeat hostbeat-user-add; do
    [[ -f $root/usr/share/man/man1/$page.1.gz ]] || fail "there is no manual page $page"
done

step "adding a user, who signs in with a browser"
in_debian hostbeat user add alice --role admin --password-stdin --data $data <<<'correct horse'
HOSTBEAT_PACKAGE_URL=$url HOSTBEAT_PACKAGE_PID=$(pgrep --parent "$container") \
    npm exec --prefix end2end -- playwright test --config end2end/playwright.config.ts || fail "the page doesn't work"

step "removing keeps data and options, purging removes them"
in_debian dpkg --remove hostbeat >/dev/null
! in_debian systemctl --quiet is-active hostbeat || fail "the service still runs"
[[ ! -e $root/usr/bin/hostbeat ]] || fail "removing left the program"
[[ -s $root/var/lib/private/hostbeat/hostbeat.db && -s $root/etc/default/hostbeat ]] || fail "removing took data or options"
in_debian dpkg --purge hostbeat >/dev/null
for left in $data /var/lib/private/hostbeat /etc/default/hostbeat /etc/systemd/system/multi-user.target.wants/hostbeat.service; do
    [[ ! -e $root$left && ! -L $root$left ]] || fail "purging left $left"
done
echo "deb.test: passed"

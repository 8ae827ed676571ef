#!/usr/bin/env bash
# Runs all lints and tests, quick ones first, and stops at the first failure. The last line counts the passed tests.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n==> %s\n' "$*"; }
fail_empty() { # name of a suite that ran no tests
    echo "hostbeat: no $1 tests ran" >&2
    exit 1
}

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

tools/need.sh cc curl openssl python3 node npm chromium firefox-esr stress-ng nginx haproxy caddy pebble prometheus prometheus-node-exporter victoria-metrics ip unshare strace nsenter systemd-analyze \
    lintian debootstrap systemd-nspawn dpkg-shlibdeps musl-gcc buildah podman crun
make lint
make build
make clients

step "Rust tests"
if command -v cargo-nextest >/dev/null; then
    cargo nextest run --features ssr 2>&1 | tee "$log/rust"
    counted='s/.*tests\? run: \([0-9]*\) passed.*/\1/p'
else
    cargo test --features ssr 2>&1 | tee "$log/rust"
    counted='s/^test result: ok\. \([0-9]*\) passed.*/\1/p'
fi
rust=$(sed 's/\x1b\[[0-9;]*m//g' "$log/rust" | sed -n "$counted" | awk '{n += $1} END {print n + 0}')
((rust)) || fail_empty Rust

step "fuzzing"
make fuzz

step "std for wasm32 from source"
tools/wasm-target.test.sh

playwright() { # name of the report, then arguments for Playwright
    (
        cd end2end
        PLAYWRIGHT_JSON_OUTPUT_NAME=$log/$1.json node_modules/.bin/playwright test --reporter=list,json "${@:2}"
    )
    passed=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).stats.expected' "$log/$1.json")
    ((passed)) || fail_empty "$1"
    pages=$((${pages:-0} + passed))
}

step "the page in a browser"
cargo build --release --features ssr --example synthetic_host
npm ci --prefix end2end --no-fund --no-audit
HOSTBEAT_BIN=$PWD/target/release/hostbeat playwright end-to-end

step "the page as cargo-leptos builds it"
make leptos-build
HOSTBEAT_WATCH=1 HOSTBEAT_BIN=$PWD/target/debug/hostbeat playwright cargo-leptos --project=watch

step "the Debian package on a fresh Debian"
make deb
tools/deb.test.sh target/package/hostbeat_*.deb

step "the static program in its tarball and its container image"
make tarball image
tools/tarball.test.sh target/package/hostbeat-*.tar.gz
tools/image.test.sh target/package/hostbeat-*.oci.tar

printf '\nhostbeat: all passed: %d Rust tests, %d end-to-end tests, the packages, std for wasm32 from source, lints clean for both targets\n' \
    "$rust" "$pages"

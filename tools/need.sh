#!/usr/bin/env bash
# tools/need.sh COMMAND…   installs missing commands (python3-venv and python3-psutil are modules) with rustup and, as root,
# with apt; otherwise prints the command to type.
set -euo pipefail

packages=() components=()
for command in "$@"; do
    case $command in
    rustfmt | clippy)
        # rustup puts proxies for both on PATH even if the toolchain lacks them.
        "cargo-${command/rust/}" --version >/dev/null 2>&1 || components+=("$command") ;;
    python3-venv)
        python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv) ;;
    python3-psutil)
        # apt installs it for the distribution's Python only.
        /usr/bin/python3 -c 'import psutil' 2>/dev/null || packages+=(python3-psutil) ;;
    *)
        command -v "$command" >/dev/null && continue
        case $command in
        cc) packages+=(gcc libc6-dev) ;;
        c++) packages+=(g++) ;;
        node) packages+=(nodejs) ;;
        ip) packages+=(iproute2) ;;
        systemd-analyze) packages+=(systemd) ;;
        systemd-nspawn) packages+=(systemd-container) ;;
        musl-gcc) packages+=(musl-tools) ;;
        dpkg-shlibdeps) packages+=(dpkg-dev) ;;
        unshare | nsenter) packages+=(util-linux) ;;
        *) packages+=("$command") ;;
        esac ;;
    esac
done

if ((${#components[@]})); then
    add=(rustup component add "${components[@]}")
    "${add[@]}" || { echo "hostbeat needs ${components[*]}; type: ${add[*]}" >&2; exit 1; }
fi
if ((${#packages[@]})); then
    install=(apt-get install -y --no-install-recommends "${packages[@]}")
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        echo "hostbeat needs ${packages[*]}; type: sudo apt-get update && sudo ${install[*]}" >&2
        exit 1
    fi
    echo "==> installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    "${install[@]}"
fi

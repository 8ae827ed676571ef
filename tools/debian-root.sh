#!/usr/bin/env bash
# tools/debian-root.sh FOLDER   makes a minimal Debian with systemd, of this machine's release, in an empty folder. The first run
# takes a minute or two and keeps an archive of it.
set -euo pipefail

readonly folder=$1
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
archive=${XDG_CACHE_HOME:-$HOME/.cache}/hostbeat/debian-$codename-systemd.tar

if [[ ! -f $archive ]]; then
    tools/need.sh debootstrap
    mirror=$(apt-get --print-uris update | sed -n "s|^'\(.*\)/dists/$codename/InRelease'.*|\1|p" | head -n 1)
    [[ $mirror ]] || { echo "debian-root: apt has no mirror for Debian $codename" >&2; exit 1; }
    echo "==> making a minimal Debian $codename (once, one to two minutes)"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    debootstrap --variant=minbase --include=systemd-sysv,dbus,libnss-systemd "$codename" "$scratch/root" "$mirror" >"$scratch/log" ||
        { cat "$scratch/log" >&2; exit 1; }
    rm -rf "$scratch"/root/var/{cache/apt,lib/apt/lists}/*
    mkdir -p "$(dirname "$archive")"
    # Renamed only when complete, so that an interrupted run is repeated.
    tar --create --numeric-owner --file "$archive.new" --directory "$scratch/root" .
    mv "$archive.new" "$archive"
fi
tar --extract --numeric-owner --preserve-permissions --file "$archive" --directory "$folder"

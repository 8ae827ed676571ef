#!/usr/bin/env bash
# tools/tarball.sh PROGRAM ARCHIVE   packs the program, its unit, manual pages and shell completions.
set -euo pipefail

readonly program=$1 archive=$2
name=$(basename "$archive" .tar.gz)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
folder=$scratch/$name

mkdir -p "$folder"/{completions,docs,man/man1}
install -m 755 "$program" "$folder/hostbeat"
install -m 644 README.md LICENSE CHANGELOG.md deploy/hostbeat.{service,default} "$folder"
install -m 644 docs/*.md "$folder/docs"
install -m 644 target/package/manual/*.1 "$folder/man/man1"
install -m 644 target/package/manual/{hostbeat.bash,hostbeat.fish,_hostbeat} "$folder/completions"

# The same files make the same archive.
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(stat -c %Y CHANGELOG.md)" \
    --directory "$scratch" "$name" | gzip --no-name --best >"$archive"

#!/usr/bin/env bash
# Runs rust-lld without the exports of wasm-streams' JavaScript classes, which nothing here calls. Each export would keep
# everything it reaches: 3 KB after compression.
set -euo pipefail

arguments=()
while (($#)); do
    if [[ $1 == --export && $2 == *intounderlying* ]]; then
        shift 2
    else
        arguments+=("$1")
        shift
    fi
done
exec "$(rustc --print target-libdir)/../bin/rust-lld" "${arguments[@]}"

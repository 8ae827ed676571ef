#!/usr/bin/env bash
# Links the browser library as rustc would, but for what a dependency exports for JavaScript and nobody here calls: classes
# that make a stream of ours the browser's. Linked as an export, each would keep all that it reaches: 3 KB of what travels.
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

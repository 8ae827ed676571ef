#!/usr/bin/env bash
# Tests wasm-target.sh without rustup: removes std for wasm32 from a copy of the toolchain, lets the script compile it from
# source, and runs a program linked with it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=wasm32-unknown-unknown
sysroot=$(realpath "$(rustc --print sysroot)")

# Hard links make the copy free where the file system allows.
mkdir -p "$here/../target"
scratch=$(mktemp -d "$here/../target/wasm-target.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/toolchain"
cp -al "$sysroot"/{bin,lib} "$scratch/toolchain/" 2>/dev/null || cp -a "$sysroot"/{bin,lib} "$scratch/toolchain/"
rm -rf "$scratch/toolchain/lib/rustlib/$target" "$scratch/toolchain/lib/rustlib/src"
export PATH=$scratch/toolchain/bin:$PATH

# Linked with LTO like the browser library: a std without bitcode fails only there.
cat >"$scratch/probe.rs" <<'RUST'
extern crate proc_macro;

#[unsafe(no_mangle)]
pub extern "C" fn probe(n: u32) -> u32 {
    let squares: std::collections::HashMap<u32, String> = (0..=n).map(|i| (i, format!("{}", i * i))).collect();
    squares[&n].parse().unwrap()
}
RUST
compile() {
    rustc --edition 2024 --target "$target" --crate-type cdylib -O -C lto=fat -C panic=abort \
        -o "$scratch/probe.wasm" "$scratch/probe.rs"
}

if compile 2>/dev/null; then
    echo "wasm-target.test: the copy of the toolchain still has std" >&2
    exit 1
fi
export HOSTBEAT_WASM_FROM_SOURCE=1
"$here/wasm-target.sh"
compile
node -e '
    const wasm = require("fs").readFileSync(process.argv[1]);
    WebAssembly.instantiate(wasm).then(({ instance }) => {
        require("assert").strictEqual(instance.exports.probe(12), 144);
    });
' "$scratch/probe.wasm"

expect_nothing_to_do() {
    local output
    output=$("$here/wasm-target.sh" "$@")
    [[ -z $output ]] || { echo "wasm-target.test: a second run ($*) was not a no-op: $output" >&2; exit 1; }
}
expect_nothing_to_do
rm -rf "$scratch/toolchain/lib/rustlib/src"
expect_nothing_to_do --std-only
echo "wasm-target.test: std from source works"

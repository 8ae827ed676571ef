#!/usr/bin/env bash
# Proves that wasm-target.sh can do without rustup: takes std for wasm32 away from a copy of the toolchain, has it compiled
# from source, and runs a program linked with it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=wasm32-unknown-unknown
sysroot=$(realpath "$(rustc --print sysroot)")

# Beside the build's own output, where there is room; hard links make the copy free where the file system allows.
mkdir -p "$here/../target"
scratch=$(mktemp -d "$here/../target/wasm-target.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/toolchain"
cp -al "$sysroot"/{bin,lib} "$scratch/toolchain/" 2>/dev/null || cp -a "$sysroot"/{bin,lib} "$scratch/toolchain/"
rm -rf "$scratch/toolchain/lib/rustlib/$target" "$scratch/toolchain/lib/rustlib/src"
export PATH=$scratch/toolchain/bin:$PATH

# Linked with LTO, as the browser library is: a std without bitcode would only fail there.
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
    echo "wasm-target.test: the copy of the toolchain has std already, so there is nothing to prove" >&2
    exit 1
fi
HOSTBEAT_WASM_FROM_SOURCE=1 "$here/wasm-target.sh"
compile
node -e '
    const wasm = require("fs").readFileSync(process.argv[1]);
    WebAssembly.instantiate(wasm).then(({ instance }) => {
        require("assert").strictEqual(instance.exports.probe(12), 144);
    });
' "$scratch/probe.wasm"

again=$(HOSTBEAT_WASM_FROM_SOURCE=1 "$here/wasm-target.sh")
[[ -z $again ]] || { echo "wasm-target.test: a second run had something to do: $again" >&2; exit 1; }
echo "wasm-target.test: std from source works"

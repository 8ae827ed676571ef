#!/usr/bin/env bash
# tools/wasm-target.sh [--std-only]   installs std for wasm32-unknown-unknown, and the Rust sources that `make build` compiles
# std from, into the active toolchain: from rustup, else from Debian's rust-src. --std-only does without the sources where std
# is there. HOSTBEAT_WASM_FROM_SOURCE=1 skips rustup.
set -euo pipefail

target=wasm32-unknown-unknown
suite=trixie-backports # the Debian suite that packages the sources of the pinned toolchain
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf 'wasm-target: %s\n' "$*"; }
die() {
    printf 'wasm-target: %s\n' "$@" >&2
    exit 1
}

command -v rustc >/dev/null || die "no rustc on PATH; install Rust with rustup, see https://rustup.rs"
sysroot=$(rustc --print sysroot)
version=$(rustc --version | cut -d' ' -f2)
std=$sysroot/lib/rustlib/$target/lib
src=$sysroot/lib/rustlib/src/rust
by_hand="rustup target add --toolchain $version $target && rustup component add --toolchain $version rust-src"
case ${1:-} in
'') std_only= ;;
--std-only) std_only=1 ;;
*) die "unknown argument $1; the only one is --std-only" ;;
esac

have_std() { compgen -G "$std/libstd-*.rlib" >/dev/null; }
have_sources() { [[ -f $src/library/Cargo.lock ]]; }
ready() { have_std && { [[ $std_only ]] || have_sources; }; }
from_rustup() {
    rustup target add "$target" && { [[ $std_only ]] || rustup component add rust-src; }
}

# rustc rejects two copies of std in one sysroot, so HOSTBEAT_WASM_FROM_SOURCE=1 adds none either.
if ready; then exit; fi

# The rustup on PATH may own another toolchain, so its exit code isn't enough.
if [[ ${HOSTBEAT_WASM_FROM_SOURCE:-} != 1 ]] && command -v rustup >/dev/null && from_rustup && ready; then
    say "installed $target from rustup"
    exit
fi

if ! mkdir -p "$std" "$src" 2>/dev/null || [[ ! -w $std || ! -w $src ]]; then
    die "$sysroot is not writable; type: sudo env PATH=\"\$PATH\" $0 $*"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# apt fetches with its own source list and state directory: proxies, mirrors and signatures work as configured, and the
# system's package lists stay unchanged.
fetch_sources() {
    if ! command -v apt-get >/dev/null || [[ ! -r $keyring ]]; then
        die "the Rust sources come from Debian, and this is not Debian; type: $by_hand"
    fi
    mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
    local codename mirrors
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    mirrors=$(apt-get -o Dir::State::Lists="$scratch/lists" --print-uris update |
        sed -n "s|^'\(.*\)/dists/$codename/InRelease'.*|deb [signed-by=$keyring] \1 $suite main|p")
    [[ $mirrors ]] || die "apt has no mirror for Debian $codename; type: $by_hand"
    echo "$mirrors" >"$scratch/sources.list"
    cat >"$scratch/apt.conf" <<CONF
Dir::Etc::SourceList "$scratch/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$scratch/lists";
Dir::Cache "$scratch/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
#clear APT::Update;
CONF
    local apt=(apt-get -qq -c "$scratch/apt.conf")
    "${apt[@]}" update || die "can't fetch the package lists of Debian $suite; type: $by_hand"
    (cd "$scratch" && "${apt[@]}" download "rust-src=$version+*") ||
        die "Debian $suite has no rust-src $version; type: $by_hand"
    # Renamed only when complete, so that an interrupted run is repeated.
    rm -rf "$src/library" "$src/library.new"
    mkdir "$src/library.new"
    dpkg-deb --fsys-tarfile "$scratch"/rust-src_*.deb |
        tar -x -C "$src/library.new" --strip-components=5 "./usr/src/rustc-$version/library"
    mv -T "$src/library.new" "$src/library"
}

if ! have_sources; then
    say "fetching the Rust sources"
    fetch_sources
fi
if have_std; then exit; fi
say "compiling $target from source (a minute or two)"

mkdir -p "$scratch/src"
touch "$scratch/src/lib.rs"
printf '[package]\nname = "nothing"\nversion = "0.0.0"\nedition = "2024"\n' >"$scratch/Cargo.toml"
# rustup's cargo would choose a toolchain by the current directory. LTO of the browser library needs bitcode.
cargo=$sysroot/bin/cargo
(
    cd "$scratch"
    RUSTC=$sysroot/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_ENCODED_RUSTFLAGS=-Cembed-bitcode=yes \
        "$cargo" build --quiet --release --target "$target" --target-dir "$scratch/target" \
        -Z build-std=std,panic_abort,panic_unwind,proc_macro
) || die "compiling std failed; type: $by_hand"

# Renamed only when complete, as above.
built=$scratch/target/$target/release/deps
rm "$built"/libnothing-*
rm -rf "$std.new"
mkdir "$std.new"
cp "$built"/*.rlib "$std.new/"
mv -T "$std.new" "$std"
have_std || die "the sources in $src produced no std; type: $by_hand"
say "compiled $target from source"

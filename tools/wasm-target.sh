#!/usr/bin/env bash
# Makes std for wasm32-unknown-unknown, and the sources that `make build` compiles it from anew, available to the active
# toolchain: from rustup, else from Debian's copy of the Rust sources. HOSTBEAT_WASM_FROM_SOURCE=1 skips rustup.
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

have_std() { compgen -G "$std/libstd-*.rlib" >/dev/null; }
have_sources() { [[ -f $src/library/Cargo.lock ]]; }

# Two copies of std in one sysroot are an error to rustc, so a forced way never adds to what is there.
if have_std && have_sources; then exit; fi

# A rustup on PATH need not be the one that owns this rustc: only the result counts.
if [[ ${HOSTBEAT_WASM_FROM_SOURCE:-} != 1 ]] && command -v rustup >/dev/null &&
    rustup target add "$target" && rustup component add rust-src && have_std && have_sources; then
    say "$target comes from rustup"
    exit
fi

if ! mkdir -p "$std" "$src" 2>/dev/null || [[ ! -w $std || ! -w $src ]]; then
    die "$sysroot is not yours to write; type: sudo env PATH=\"\$PATH\" $0"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# apt does the fetching, with sources and state of its own, so that proxies, mirrors and signatures are handled as
# everywhere else on this machine, and the system's lists stay as they are.
fetch_sources() {
    if ! command -v apt-get >/dev/null || [[ ! -r $keyring ]]; then
        die "the sources of Rust are taken from Debian, and this is no Debian; type: $by_hand"
    fi
    mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
    local codename mirrors
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    mirrors=$(apt-get -o Dir::State::Lists="$scratch/lists" --print-uris update |
        sed -n "s|^'\(.*\)/dists/$codename/InRelease'.*|deb [signed-by=$keyring] \1 $suite main|p")
    [[ $mirrors ]] || die "apt knows no mirror for Debian $codename; type: $by_hand"
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
    "${apt[@]}" update || die "the lists of Debian $suite can't be had; type: $by_hand"
    (cd "$scratch" && "${apt[@]}" download "rust-src=$version+*") ||
        die "Debian $suite has no rust-src $version; type: $by_hand"
    # Under their final name only when all are there, or an interruption would look like a finished job.
    rm -rf "$src/library" "$src/library.new"
    mkdir "$src/library.new"
    dpkg-deb --fsys-tarfile "$scratch"/rust-src_*.deb |
        tar -x -C "$src/library.new" --strip-components=5 "./usr/src/rustc-$version/library"
    mv -T "$src/library.new" "$src/library"
}

if ! have_sources; then
    say "fetching the sources of std"
    fetch_sources
fi
if have_std; then exit; fi
say "compiling $target from source (a minute or two)"

mkdir -p "$scratch/src"
touch "$scratch/src/lib.rs"
printf '[package]\nname = "nothing"\nversion = "0.0.0"\nedition = "2024"\n' >"$scratch/Cargo.toml"
# The toolchain's own cargo, since rustup's would choose a toolchain by the directory it runs in. Bitcode, because the
# browser library is linked with LTO.
cargo=$sysroot/bin/cargo
(
    cd "$scratch"
    RUSTC=$sysroot/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_ENCODED_RUSTFLAGS=-Cembed-bitcode=yes \
        "$cargo" build --quiet --release --target "$target" --target-dir "$scratch/target" \
        -Z build-std=std,panic_abort,panic_unwind,proc_macro
) || die "compiling std failed; type: $by_hand"

# Under its final name only when all is there, as above.
built=$scratch/target/$target/release/deps
rm "$built"/libnothing-*
rm -rf "$std.new"
mkdir "$std.new"
cp "$built"/*.rlib "$std.new/"
mv -T "$std.new" "$std"
have_std || die "no std came out of the sources in $src; type: $by_hand"
say "$target was compiled from source"

# GNU make 4.3 or newer. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The paths below assume cargo's default target directory.
unexport CARGO_TARGET_DIR

# Tools survive `make clean` and are shared by all checkouts, since compiling them takes minutes.
cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/hostbeat
# The wasm-bindgen CLI must have exactly the version of the crate.
wasm-bindgen-version := $(shell awk -F '"' '/^name = / {name = $$2} /^version = / && name == "wasm-bindgen" {print $$2}' Cargo.lock)
wasm-bindgen := $(cache)/wasm-bindgen-$(wasm-bindgen-version)/bin/wasm-bindgen
cargo-leptos-version := 0.3.7
cargo-leptos := $(cache)/cargo-leptos-$(cargo-leptos-version)/bin/cargo-leptos
cargo-fuzz-version := 0.13.2
cargo-deb-version := 3.8.0
cargo-deb := $(cache)/cargo-deb-$(cargo-deb-version)/bin/cargo-deb
cargo-fuzz := $(cache)/cargo-fuzz-$(cargo-fuzz-version)/bin/cargo-fuzz
wasm-opt := tools/node_modules/.bin/wasm-opt

server := target/release/hostbeat
# Linked with musl, whose static programs run on any distribution.
musl := x86_64-unknown-linux-musl
static-server := target/$(musl)/release/hostbeat
version := $(shell awk -F '"' '/^version = / {print $$2; exit}' Cargo.toml)
package := target/package
tarball := $(package)/hostbeat-$(version)-x86_64-linux.tar.gz
image := $(package)/hostbeat-$(version).oci.tar
wasm := target/wasm32-unknown-unknown/browser/hostbeat.wasm
pkg := target/site/pkg
library := $(pkg)/hostbeat.js $(pkg)/hostbeat.wasm
compressed := $(library:=.br) $(library:=.gz)

# cargo-leptos takes its tools from PATH.
leptos = PATH="$(dir $(cargo-leptos)):$(dir $(wasm-bindgen)):$(CURDIR)/$(dir $(wasm-opt)):$$PATH" cargo leptos
hydrate := --lib --target wasm32-unknown-unknown --no-default-features --features hydrate

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build and start the server; flags: make run ARGS='--listen 127.0.0.1:4000'
	@exec $(server) $(ARGS)

.PHONY: build
build: $(server) ## build target/release/hostbeat with the page embedded; STABLE=1: without unstable options

.PHONY: package
package: deb tarball image ## make the Debian package, the tarball and the container image in target/package/

.PHONY: deb
deb: $(server) $(cargo-deb) manual $(package)/changelog ## make the Debian package
	@tools/need.sh dpkg-shlibdeps
	@echo "==> making the Debian package"
	@rm -f $(package)/hostbeat_*.deb
	@$(cargo-deb) --no-build --no-strip --quiet --output $(package)/

.PHONY: tarball
tarball: $(static-server) manual ## make a tarball with a static program
	@echo "==> packing the static program"
	@rm -f $(package)/hostbeat-*.tar.gz
	@tools/tarball.sh $(static-server) $(tarball)

.PHONY: image
image: $(static-server) ## make a container image with a static program
	@tools/need.sh buildah
	@echo "==> making the container image"
	@mkdir -p $(package) && rm -f $(package)/hostbeat-*.oci.tar
	@tools/image.sh $(static-server) $(version) $(image)

# A debug build, which the tests share.
.PHONY: manual
manual: $(library)
	@echo "==> writing the manual pages and shell completions"
	@rm -rf $(package)/manual
	@cargo run --quiet --features ssr --example manual -- $(package)/manual

# Debian's form; users read CHANGELOG.md.
$(package)/changelog: CHANGELOG.md Cargo.toml
	@mkdir -p $(@D)
	@printf 'hostbeat (%s-1) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' $(version) \
	    "$$(sed -n 's/^maintainer = "\(.*\)"/\1/p' Cargo.toml)" "$$(date -R -r CHANGELOG.md)" > $@

.PHONY: watch
watch: leptos-tools ## rebuild and reload the page on every change, at http://127.0.0.1:3010
	@$(leptos) watch

# The build of `make watch`, which the tests check.
.PHONY: leptos-build
leptos-build: leptos-tools
	@$(leptos) build

.PHONY: test
test: ## run all lints and tests
	@tools/test.sh

.PHONY: clients
clients: target/venv/fetched tests/clients/node_modules/fetched ## install the third-party SSE clients for the tests

target/venv/fetched: tests/clients/requirements.txt
	@tools/need.sh python3 python3-venv
	@echo "==> installing the Python clients"
	@python3 -m venv --clear $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

tests/clients/node_modules/fetched: tests/clients/package.json tests/clients/package-lock.json
	@tools/need.sh node npm
	@echo "==> installing the JavaScript clients"
	@npm ci --prefix tests/clients --no-fund --no-audit
	@touch $@

# Without a sanitizer: the pinned compiler has none, and the project forbids unsafe code. The targets look for panics and
# failed assertions. libFuzzer writes new inputs to the first directory only, so the seeds stay as they are.
.PHONY: fuzz
fuzz: $(cargo-fuzz) ## fuzz each parser and writer of the stream for 10 seconds; longer: make fuzz FOR=600
	@tools/need.sh c++
	@mkdir -p $(pkg)
	@targets=$$($(cargo-fuzz) list --fuzz-dir tests/fuzz); for target in $$targets; do \
	    echo "==> fuzzing $$target for $(FOR) seconds"; \
	    mkdir -p tests/fuzz/corpus/$$target; \
	    $(cargo-fuzz) run --fuzz-dir tests/fuzz --target-dir target/fuzz --dev --sanitizer none $$target \
	        tests/fuzz/corpus/$$target tests/fuzz/seeds/$$target -- \
	        -max_total_time=$(FOR) -print_final_stats=1 -verbosity=0; \
	done
fuzz: FOR := 10

.PHONY: schema
schema: ## write tests/schema.txt and the tables of docs/stream.md after a value was added
	@BLESS=1 cargo test --features ssr --test server schema::

.PHONY: bench
bench: build ## measure the cost of a sample, a viewer and a redraw, compared with other tools
	@tools/need.sh chromium node npm prometheus-node-exporter python3-psutil curl ip unshare
	@cargo bench --features ssr --bench samples
	@cargo bench --features ssr --bench streams
	@cargo bench --features ssr --bench encrypted_streams
	@cargo bench --features ssr --bench publish
	@cargo bench --features ssr --bench history
	@cargo bench --features ssr --bench storm
	@cargo bench --features ssr --bench pages
	@npm ci --prefix end2end --no-fund --no-audit
	@cargo build --release --features ssr --example synthetic_host
	@HOSTBEAT_BIN=$(CURDIR)/$(server) npm run --prefix end2end redraw

.PHONY: soak
soak: build ## an hour of containers, devices and processes that come and go: memory stays bounded; shorter: FOR=900
	@tools/need.sh chromium curl ip node npm unshare
	@npm ci --prefix end2end --no-fund --no-audit
	@tools/soak.sh $(server) $(FOR)
soak: FOR := 3600

.PHONY: screenshot
screenshot: build ## take the README's screenshot: five minutes of this host under load
	@tools/need.sh chromium
	@npm ci --prefix end2end --no-fund --no-audit
	@HOSTBEAT_BIN=$(CURDIR)/$(server) npm run --prefix end2end screenshot

.PHONY: lint
lint: wasm-target ## check formatting, and run clippy for server and browser
	@tools/need.sh rustfmt clippy
	@echo "==> checking the formatting"
	@cargo fmt --check
	@cargo fmt --check --manifest-path tests/fuzz/Cargo.toml
# The server embeds this directory and doesn't compile without it.
	@mkdir -p $(pkg)
	@echo "==> clippy, server"
	@cargo clippy --features ssr --all-targets -- -D warnings
	@echo "==> clippy, browser library"
	@cargo clippy $(hydrate) -- -D warnings

.PHONY: clean
clean: ## remove all build output
	@rm -rf target tests/fuzz/{corpus,artifacts} {tools,end2end,tests/clients}/node_modules end2end/{test-results,playwright-report}

# Only cargo knows whether its output is up to date; later steps run only if that output changed.
.PHONY: FORCE
FORCE:

$(server): $(library) $(compressed) FORCE
	@echo "==> compiling the server"
	@cargo build --release --features ssr

$(static-server): $(library) $(compressed) FORCE
	@tools/need.sh musl-gcc
	@rustup target add $(musl)
	@echo "==> compiling the static server"
	@cargo build --release --features ssr --target $(musl)

$(compressed) &: $(library) tools/compress.mjs
	@echo "==> compressing the browser library"
	@node tools/compress.mjs $(library)

# The wasm features that the compiler enables for this target. Inlining is limited, since similar functions side by side
# compress 6 % better than inlined copies. Compared with -O2, -O3 adds 0.8 KB and makes the scripts of a tick 5 % faster.
# --low-memory-unused holds because the linker puts the end of the stack into the first KiB of memory.
features := --enable-bulk-memory --enable-multivalue --enable-mutable-globals --enable-nontrapping-float-to-int \
    --enable-reference-types --enable-sign-ext

$(library) &: $(wasm) tools/prune.mjs tools/order.mjs tools/rename.mjs $(wasm-bindgen) $(wasm-opt)
	@echo "==> binding the browser library"
	@rm -rf target/bind && mkdir -p target/bind $(pkg)
	@$(wasm-bindgen) --target web --no-typescript --out-name hostbeat --out-dir target/bind $(wasm)
	@echo "==> optimising the browser library"
	@cd target/bind && node ../../tools/prune.mjs hostbeat.js hostbeat_bg.wasm graph.json
	@tools/node_modules/.bin/wasm-metadce $(features) target/bind/hostbeat_bg.wasm --graph-file=target/bind/graph.json \
	    -o target/bind/pruned.wasm > target/bind/unused.txt
	@$(wasm-opt) -O3 --converge --always-inline-max-function-size=5 --one-caller-inline-max-function-size=14 $(features) \
	    --strip-producers --strip-target-features --low-memory-unused target/bind/pruned.wasm -o target/bind/small.wasm
	@node tools/order.mjs target/bind/small.wasm target/bind/ordered.wasm
	@$(wasm-opt) $(features) --reorder-functions-by-name --strip-debug --minify-imports-and-exports-and-modules \
	    target/bind/ordered.wasm -o $(pkg)/hostbeat.wasm > target/bind/names.json
	@node tools/rename.mjs target/bind/hostbeat.js target/bind/names.json
	@tools/node_modules/.bin/terser --module --compress passes=2 --mangle -o $(pkg)/hostbeat.js target/bind/hostbeat.js

# std is compiled from source without panic messages, debug formatting and source locations, which takes an eighth off the
# library. These options are unstable; RUSTC_BOOTSTRAP lets the stable compiler accept them. `make run STABLE=1` does without.
ifeq ($(STABLE),)
$(wasm): export RUSTC_BOOTSTRAP := 1
$(wasm): export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER := $(CURDIR)/tools/wasm-ld.sh
unstable-rustflags := -Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=none -Zlocation-detail=none
build-std := -Z build-std=std,panic_abort
endif
# Little inlining saves 1.3 KB after compression and doesn't slow a tick down.
$(wasm): export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS := $(unstable-rustflags) -Cllvm-args=--inline-threshold=10
$(wasm): FORCE | wasm-target
	@echo "==> compiling the browser library"
	@cargo build $(hydrate) --profile browser $(build-std)

.PHONY: wasm-target
wasm-target:
	@tools/need.sh cc
	@tools/wasm-target.sh $(if $(STABLE),--std-only)

$(wasm-opt): tools/package.json tools/package-lock.json
	@tools/need.sh node npm
	@echo "==> fetching wasm-opt and terser"
	@npm ci --prefix tools --no-fund --no-audit
	@touch $@

# A debug build: these tools compile for minutes and run for a second.
install := CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=false cargo install --debug

# Not --locked: a registry mirror may lack the newest releases, which that lock file names. The default features are TLS for
# its test runner.
$(wasm-bindgen): export CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS := fallback
$(wasm-bindgen):
	@echo "==> compiling wasm-bindgen $(wasm-bindgen-version) (once, about a minute)"
	@$(install) wasm-bindgen-cli --version $(wasm-bindgen-version) --no-default-features --bin wasm-bindgen --root $(@D:/bin=)

$(cargo-fuzz):
	@echo "==> compiling cargo-fuzz $(cargo-fuzz-version) (once, about a minute)"
	@$(install) cargo-fuzz --version $(cargo-fuzz-version) --locked --root $(@D:/bin=)

$(cargo-deb):
	@echo "==> compiling cargo-deb $(cargo-deb-version) (once, about two minutes)"
	@$(install) cargo-deb --version $(cargo-deb-version) --locked --root $(@D:/bin=)

$(cargo-leptos):
	@echo "==> compiling cargo-leptos $(cargo-leptos-version) (once, five to ten minutes)"
	@$(install) cargo-leptos --version $(cargo-leptos-version) --locked --features no_downloads --root $(@D:/bin=)

.PHONY: leptos-tools
leptos-tools: $(cargo-leptos) $(wasm-bindgen) $(wasm-opt) | wasm-target

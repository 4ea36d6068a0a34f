# Two commands: `make demo` shows a film, `make test` proves the tree. Both install what is missing.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO_TARGET_DIR ?= $(HOME)/.cache/longtake/target
export CARGO_TARGET_DIR
BIN := $(CARGO_TARGET_DIR)/debug/longtake

# Shared libraries and fonts, as Debian names them. The BLAS is looked for at run time.
PACKAGES := pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev \
	gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad \
	gstreamer1.0-plugins-ugly gstreamer1.0-libav libopenblas0-pthread fonts-noto-cjk
# What drawing needs where there is no GPU (Mesa's software Vulkan), and what winit opens windows with.
WINDOW_PACKAGES := libvulkan1 mesa-vulkan-drivers libxkbcommon-x11-0 libx11-xcb1 libxcursor1 libxi6 \
	libxrandr2 libwayland-client0
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help demo studio test test-blas lint check-gpu bench bench-canvas bench-engine packages window-packages nextest

help:
	@echo "make demo          render the animatic preset into output/ (installs what is missing)"
	@echo "make studio        the window: the graph on a canvas, its plan, a queue, a viewer"
	@echo "make test          formats, lints and tests (installs what is missing)"
	@echo "make test-blas     the tests that multiply matrices once more, with other kernels and without OpenBLAS"
	@echo "make check-gpu     prove that the CUDA and Vulkan builds compile"
	@echo "make bench         both benchmarks:"
	@echo "make bench-canvas  frame times of the editor's canvas, headless"
	@echo "make bench-engine  benchmarks, both sides in one run; PyTorch is installed into a venv"

# One query of the package database; apt runs only when something is not installed.
window-packages: PACKAGES += $(WINDOW_PACKAGES)
packages window-packages:
	@missing=""; for p in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; \
		$(SUDO) apt-get update -qq; \
		DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

nextest:
	@command -v cargo-nextest >/dev/null || cargo install cargo-nextest --locked

# Without the window: the first picture comes minutes sooner.
demo: packages
	cargo build --locked -p longtake --no-default-features --features media
	$(BIN) render presets/animatic.longtake -o output/animatic.mp4
	@echo "the film: output/animatic.mp4"

studio: window-packages
	cargo build --locked -p longtake
	$(BIN) edit

# One feature set (the program's defaults) for build, lints and tests.
test: window-packages nextest lint
	cargo build --locked -p longtake
	cargo nextest run --locked --workspace --no-fail-fast

# The tests that multiply matrices, with OpenBLAS's kernels for other processors and without it: what
# holds for one order of summing only is found. The library is chosen at run time, so nothing is rebuilt.
MULTIPLYING := package(longtake-shaders) | package(longtake-models) | package(longtake-nodes)
test-blas: window-packages nextest
	@run() { cargo nextest run --locked --workspace --no-fail-fast -E '$(MULTIPLYING)'; }; \
	has() { grep -qw "$$1" /proc/cpuinfo; }; \
	if has avx2 && has fma; then echo "OpenBLAS's kernels for Haswell:"; OPENBLAS_CORETYPE=Haswell run; \
	else echo "OpenBLAS's kernels for Haswell: skipped, this processor lacks AVX2"; fi; \
	if has avx512f && has avx512bw && has avx512dq && has avx512vl; then \
		echo "OpenBLAS's kernels for SkylakeX:"; OPENBLAS_CORETYPE=SkylakeX run; \
	else echo "OpenBLAS's kernels for SkylakeX: skipped, this processor lacks AVX-512"; fi; \
	echo "without OpenBLAS:"; LONGTAKE_BLAS=off run

lint: window-packages
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

# Builds that this machine need not be able to run: both GPUs, and one without GStreamer.
check-gpu: window-packages
	cargo check --locked -p longtake --features cuda,vulkan
	cargo check --locked -p longtake --no-default-features

bench: bench-engine bench-canvas

# Frame times of the canvas without a window.
bench-canvas: packages
	cargo run --locked --release -p longtake-ui --bin bench-canvas

bench-engine: packages
	./engine/bench.sh

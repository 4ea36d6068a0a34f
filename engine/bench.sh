#!/usr/bin/env bash
# Every benchmark of the engine, both sides in one run. Results go to the terminal; what is worth keeping is
# written into engine/BENCHMARKS.md by hand, with date and device.
#   engine/bench.sh [compile|kernels|film|memory]...     default: all
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/longtake/target}"
work="${LONGTAKE_BENCH_DIR:-$HOME/.cache/longtake/bench}"
venv="$HOME/.cache/longtake/bench-venv"
mkdir -p "$work"
wanted="${*:-compile kernels film memory}"

python() {
    if [ -z "${PYTHON:-}" ]; then
        if [ ! -x "$venv/bin/python" ]; then
            python3 -m venv "$venv"
            "$venv/bin/pip" install -q torch numpy safetensors diffusers transformers sentencepiece
        fi
        PYTHON="$venv/bin/python"
    fi
    "$PYTHON" "$@"
}

for part in $wanted; do
    echo "== $part"
    case "$part" in
    compile) cargo run -q -p longtake-plan --features toy --example compile_bench ;;
    kernels)
        cargo build -q -p longtake-shaders --example kernel_bench
        cargo build -q -p longtake-models --examples
        python shaders/bench/kernels.py --runs 5
        python engine/models/bench/dit_block.py 2080 7
        python engine/models/bench/vae_chunk.py
        ;;
    film)
        cargo build -q -p longtake
        rm -rf "$work/film"
        python engine/bench/film.py "$CARGO_TARGET_DIR/debug/longtake" "$work/film"
        ;;
    memory)
        cargo build -q -p longtake
        python engine/bench/wan13b.py "$work/models"
        rm -rf "$work/store"
        "$CARGO_TARGET_DIR/debug/longtake" render presets/wan21-t2v.json --models "$work/models" --store "$work/store" \
            --output "$work/output" --report "$work/report.json" --progress plain \
            --set 38.clip_name=umt5_xxl_fp16.safetensors --set 37.unet_name=wan2.1_t2v_1.3B_fp16.safetensors --set 39.vae_name=wan_2.1_vae --set 40.width=416 --set 40.height=240 --set 40.length=5 --set 3.steps=2
        python engine/bench/memory.py "$work/report.json"
        ;;
    *) echo "unknown benchmark $part" >&2; exit 2 ;;
    esac
done

#!/usr/bin/env bash
# Writes the lists of packages, with the hashes of their files, that images are installed from: constraints.txt decides the
# versions. Run it after every change of pyproject.toml or constraints.txt; tests/deploy fails until then.
# usage: deploy/lock.sh [torch CPU wheel to hash; the pins of the CPU's torch stay as they are without one]
set -euo pipefail
cd "$(dirname "$0")/.."
uv() { "${UV:-.venv/bin/uv}" "$@"; }
lock() { # lock OUT SOURCE: one platform, the image's
    uv pip compile -q "$2" -c constraints.txt --generate-hashes --no-annotate --no-header --python-version 3.11 \
        --python-platform x86_64-unknown-linux-gnu -o "$1"
}
kept=$(grep -A1 '^torch==' deploy/requirements.cpu.txt 2>/dev/null || true)
lock deploy/requirements.cuda.txt pyproject.toml
lock deploy/requirements.build.txt deploy/requirements.build.in
# The CPU's torch is another file of the same version, from another index, and takes none of the CUDA libraries along.
awk '/^[a-z]/ {cuda = /^(torch|triton|nvidia-|cuda-)/} !cuda' deploy/requirements.cuda.txt > deploy/requirements.cpu.txt
if [ $# = 1 ]; then
    version=$(sed -n 's/^torch==//p' constraints.txt)
    kept=$(printf 'torch==%s+cpu \\\n    --hash=sha256:%s' "$version" "$(sha256sum "$1" | cut -d' ' -f1)")
fi
printf '%s\n' "$kept" >> deploy/requirements.cpu.txt

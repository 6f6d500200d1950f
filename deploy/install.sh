#!/bin/sh
# Installs Rollcall as the image does, wherever it is run: the wheel built from SOURCE, in an environment PREFIX, with packages
# whose files have the hashes that were written down, and beside it what is in there (sbom.json, CycloneDX).
# usage: install.sh SOURCE PREFIX cpu|cuda      UV: the uv to use      PYTHON: of which to make the environment
set -eu
source=$1 prefix=$2 target=$3 uv=${UV:-uv} python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$uv" venv -q --python "$python" "$work/build"
"$uv" pip install -q --python "$work/build/bin/python" --require-hashes --no-deps -r "$source/deploy/requirements.build.txt"
"$uv" build -q --wheel --no-build-isolation --python "$work/build/bin/python" --out-dir "$work/dist" "$source"
"$uv" venv -q --python "$python" "$prefix"
# shellcheck disable=SC2086  # two words, or none
"$uv" pip install -q --python "$prefix/bin/python" --require-hashes --no-deps \
    $([ "$target" = cuda ] || echo --extra-index-url https://download.pytorch.org/whl/cpu --index-strategy unsafe-best-match) \
    -r "$source/deploy/requirements.$target.txt"
"$uv" pip install -q --python "$prefix/bin/python" --no-deps "$work"/dist/*.whl
"$work/build/bin/cyclonedx-py" environment --output-reproducible --of JSON -o "$prefix/sbom.json" "$prefix/bin/python"

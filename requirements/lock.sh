#!/bin/sh
# Re-lock the requirement files with hashes and without the address of any package index.
set -eu
cd "$(dirname "$0")"
compile() { "${UV:-../.venv/bin/uv}" pip compile -q --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 "$@"; }
compile runtime.in -o runtime.txt
compile dev.in -c runtime.txt -o dev.txt
compile bench.in -o bench.txt
compile tools.in -o tools.txt

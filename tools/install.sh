#!/usr/bin/env bash
# Makes .venv: uv (fetched by pip), the locked dependencies with their hashes, and this checkout in editable form.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf 'install: %s\n' "$*" >&2; }

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  python=$(tools/find_python.sh) || { say "no Python 3.11 or newer was found; install one, or name it: make install PYTHON=/path/to/python3"; exit 2; }
  say "making .venv with $python"
  if ! "$python" -m venv --clear .venv >/dev/null 2>&1; then # Debian keeps venv in a package of its own
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; } >/dev/null
      "$python" -m venv --clear .venv
    else
      say "$python cannot make a virtual environment; on Debian: apt-get install python3-venv"
      exit 2
    fi
  fi
fi

uv=.venv/bin/uv
if [ ! -x $uv ]; then
  .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
  .venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5,<1'
fi

# uv does not read pip's settings: a mirror that pip was told of counts for uv too
[ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"
export VIRTUAL_ENV="$PWD/.venv"
$uv pip install --quiet --require-hashes --compile-bytecode -r requirements.lock
$uv pip install --quiet --no-deps -e .
.venv/bin/python -m compileall -q src || true # the first command is as fast as the second, also where Python may not write
say "ready: .venv/bin/paramedic"

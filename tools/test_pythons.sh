#!/usr/bin/env bash
# Runs the tests that do no I/O on each supported Python that this machine has and that .venv is not made of.
set -euo pipefail
cd "$(dirname "$0")/.."
mine=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"

for version in 3.11 3.12 3.13; do
  [ "$version" != "$mine" ] || continue
  python=$(tools/find_python.sh $version) || { echo "Python $version: not on this machine, left out" >&2; continue; }
  venv=.venv-$version
  echo "Python $version: $python"
  [ -x $venv/bin/python ] || .venv/bin/uv venv --quiet --python "$python" $venv
  VIRTUAL_ENV="$PWD/$venv" .venv/bin/uv pip install --quiet --require-hashes -r requirements.lock
  VIRTUAL_ENV="$PWD/$venv" .venv/bin/uv pip install --quiet --no-deps -e .
  $venv/bin/python -m pytest -q -n 2 -p no:cacheprovider tests/unit
done

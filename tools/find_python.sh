#!/usr/bin/env bash
# Prints the path of a Python: tools/find_python.sh 3.12, or without a version the first one of at least 3.11. Fails where there is none.
set -euo pipefail

works() { # a pyenv shim exists for versions that it then refuses to run, so try it
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 &&
    "$1" -c 'import sys; print(sys.executable)'
}

candidates() {
  local version=$1
  echo "python$version"
  ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python 2>/dev/null | sort -rV || true
}

if [ $# -gt 0 ]; then
  for python in $(candidates "$1"); do works "$python" && exit 0; done
  exit 1
fi
if [ -n "${PYTHON:-}" ]; then works "$PYTHON" && exit 0; fi
works python3 && exit 0
for version in 3.13 3.12 3.11; do
  for python in $(candidates "$version"); do works "$python" && exit 0; done
done
exit 1

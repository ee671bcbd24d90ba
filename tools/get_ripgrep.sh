#!/usr/bin/env bash
# Brings Debian's ripgrep, with which the reading of logs is compared: unpacked into .cache, installed nowhere.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.cache/ripgrep/bin

if command -v rg >/dev/null || [ -x $bin/rg ]; then exit 0; fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "bench: no comparison with ripgrep: it is not on the PATH, and there is no apt here to bring it" >&2
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fetch() { (cd "$work" && apt-get download -qq ripgrep 2>"$work/error"); }
if ! fetch; then
  if [ "$(id -u)" = 0 ]; then apt-get update -qq; fi
  fetch || { echo "bench: no comparison with ripgrep: apt could not bring it: $(tail -n 1 "$work/error")" >&2; exit 0; }
fi
dpkg-deb -x "$work"/ripgrep_*.deb "$work/unpacked"
mkdir -p $bin
mv "$work/unpacked/usr/bin/rg" $bin/

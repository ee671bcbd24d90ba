#!/usr/bin/env bash
# Brings Debian's prometheus and promtool, against which our rules are tested: unpacked into .cache, installed nowhere, started by nobody.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.cache/prometheus/bin

if command -v promtool >/dev/null && command -v prometheus >/dev/null; then exit 0; fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "tests: left out what needs prometheus and promtool: they are not on the PATH, and there is no apt here to bring them" >&2
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fetch() { (cd "$work" && apt-get download -qq prometheus 2>"$work/error"); }
if ! fetch; then
  if [ "$(id -u)" = 0 ]; then apt-get update -qq; fi
  fetch || { echo "tests: left out what needs prometheus and promtool: apt could not bring them: $(tail -n 1 "$work/error")" >&2; exit 0; }
fi
dpkg-deb -x "$work"/prometheus_*.deb "$work/unpacked"
mkdir -p $bin
mv "$work/unpacked/usr/bin/prometheus" "$work/unpacked/usr/bin/promtool" $bin/

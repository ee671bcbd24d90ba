#!/usr/bin/env bash
# Brings the peers that benchmarks/peers.py measures beside us: each into an environment of its own, never among our dependencies.
set -euo pipefail
cd "$(dirname "$0")/.."
for peer in inferguard==0.7.4 vllm-doctor==0.6.0; do
  place=.cache/peers/${peer%%==*}
  if [ -x "$place/bin/${peer%%==*}" ]; then continue; fi
  .venv/bin/uv venv --quiet --clear --python .venv/bin/python "$place"
  .venv/bin/uv pip install --quiet --python "$place/bin/python" "$peer"
done

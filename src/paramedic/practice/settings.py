"""What a practice engine was started with: vLLM's flags on its command line, the rest in an environment variable."""

import argparse
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from paramedic.practice.service_law import BLOCK_TOKENS, BLOCKS, MAX_BATCHED_TOKENS, ServiceLaw

VERSION = "0.32.0"
ENVIRONMENT = "PARAMEDIC_PRACTICE"
HOST = "127.0.0.1"  # never beyond this machine
FIRST_PORT = 8210
DEFAULT_MAX_MODEL_LEN = 2048
DEFAULT_ARCHITECTURE = "Qwen3ForCausalLM"
GENERATE, POOLING = "generate", "pooling"
# vLLM's flags beyond the usual ones; they are on the command line only where they differ from these defaults
FURTHER: dict[str, int | str] = {
    "max_num_batched_tokens": MAX_BATCHED_TOKENS,
    "num_gpu_blocks_override": 0,
    "tensor_parallel_size": 1,
    "data_parallel_size": 1,
    "runner": GENERATE,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """One practice engine. Times in seconds; `tokens_per_second` is the decode speed of a lone stream."""

    model: str
    port: int
    data_dir: str
    host: str = HOST
    served_model_name: str = "practice"
    max_num_seqs: int = 32
    max_num_batched_tokens: int = MAX_BATCHED_TOKENS
    num_gpu_blocks_override: int = 0  # 0: as many as there are
    tensor_parallel_size: int = 1
    data_parallel_size: int = 1
    runner: str = GENERATE
    enforce_eager: bool = False
    traffic: bool = True
    tokens_per_second: float = 30.0
    start_seconds: float = 2.5
    orphan_seconds: float = 600.0  # a real orphan lives for ever; ours ends, so that no test leaves one behind
    dead_seconds: float = 1.0  # how long a server whose engine died goes on answering 503

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def pooling(self) -> bool:
        """Whether it serves vectors instead of text."""
        return self.runner == POOLING

    @property
    def law(self) -> ServiceLaw:
        """What each of its engine cores has to give."""
        return ServiceLaw(
            decode_seconds=1 / self.tokens_per_second,
            max_num_seqs=self.max_num_seqs,
            max_num_batched_tokens=self.max_num_batched_tokens,
            blocks=self.num_gpu_blocks_override or BLOCKS,
            eager=self.enforce_eager,
        )

    def further(self) -> dict[str, object]:
        """The further flags of vLLM that differ from their defaults."""
        given: dict[str, object] = {name: getattr(self, name) for name in FURTHER}
        return {name: value for name, value in given.items() if value != FURTHER[name]}

    def vllm_arguments(self) -> list[str]:
        """The arguments of `vllm` that say the same."""
        further = [word for name, value in self.further().items() for word in (_flag(name), str(value))]
        return [
            *("serve", self.model, "--host", self.host, "--port", str(self.port)),
            *("--served-model-name", self.served_model_name, "--max-num-seqs", str(self.max_num_seqs)),
            "--no-enable-prefix-caching",
            *further,
            *(["--enforce-eager"] if self.enforce_eager else []),
        ]

    def non_default(self) -> dict[str, object]:
        """What the start-up log calls the non-default arguments."""
        return {
            "model_tag": self.model,
            "host": self.host,
            "port": self.port,
            "model": self.model,
            **({"enforce_eager": True} if self.enforce_eager else {}),
            "served_model_name": [self.served_model_name],
            "enable_prefix_caching": False,
            "max_num_seqs": self.max_num_seqs,
            **self.further(),
        }

    def environment(self) -> str:
        """What vLLM has no flag for, as the value of the environment variable."""
        names = ("data_dir", "traffic", "tokens_per_second", "start_seconds", "dead_seconds", "orphan_seconds")
        return json.dumps({name: getattr(self, name) for name in names})

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def decode(text: str) -> "Settings":
        return Settings(**json.loads(text))

    @staticmethod
    def parse(
        arguments: Sequence[str], environment: Mapping[str, str], data_dir: Path, without: Container[str] = ()
    ) -> "Settings":
        """Read the command line of the pretended `vllm`; a wrong flag ends the process with 2, as vLLM does.

        Without the environment variable, as after a restart by the visible command line alone, `data_dir` and the
        defaults count. The flags in `without` are unknown to this version.
        """
        given = vars(_parser(without).parse_args(arguments))
        given.pop("no_enable_prefix_caching", None)
        further = json.loads(environment.get(ENVIRONMENT, "{}"))
        return Settings(**given, **{"data_dir": str(data_dir), **further})


def _parser(without: Container[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vllm", allow_abbrev=False)
    serve = parser.add_subparsers(required=True).add_parser("serve", allow_abbrev=False)
    serve.add_argument("model")
    serve.add_argument("--host", choices=[HOST], default=HOST)
    serve.add_argument("--port", type=int, default=FIRST_PORT)
    serve.add_argument("--served-model-name", default="practice")
    serve.add_argument("--max-num-seqs", type=int, default=32)
    for flag in {"--no-enable-prefix-caching", "--enforce-eager"}:
        if flag not in without:
            serve.add_argument(flag, action="store_true")
    for name, default in FURTHER.items():
        serve.add_argument(_flag(name), type=type(default), default=default)
    return parser


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The two facts of a model's config.json that we need."""

    architecture: str
    max_model_len: int


def read_model_config(model: Path) -> ModelConfig:
    """The model's config.json; what it does not say takes a small default. No request may outgrow the KV cache."""
    try:
        config: Any = json.loads((model / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        config = {}
    architectures = config.get("architectures") or [DEFAULT_ARCHITECTURE]
    length = config.get("max_position_embeddings") or DEFAULT_MAX_MODEL_LEN
    return ModelConfig(str(architectures[0]), min(int(length), BLOCKS * BLOCK_TOKENS))

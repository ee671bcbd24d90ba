"""The folder that a practice engine takes its model from, where the user names none: `<data folder>/practice/model`."""

import json
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from paramedic.practice import weights

_CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 512,
    "max_position_embeddings": 2048,
    "torch_dtype": "bfloat16",
}


def own_model(data_dir: Path) -> Path:
    """Where our own model lies."""
    return data_dir / "practice" / "model"


def aside(model: Path) -> Path:
    """Where it lies while it is moved aside."""
    return model.with_name(model.name + ".moved-aside")


def make_own_model(data_dir: Path) -> Path:
    """Make our own model unless it is there, or moved aside by a fault."""
    model = own_model(data_dir)
    if not model.exists() and not aside(model).exists():
        model.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix="model.", dir=model.parent))
        (draft / "config.json").write_text(json.dumps(_CONFIG, indent=2) + "\n", "utf-8")
        weights.make(draft)
        try:
            draft.rename(model)  # whole, or another engine was quicker
        except OSError:
            rmtree(draft)
            if not model.exists():
                raise
    return model

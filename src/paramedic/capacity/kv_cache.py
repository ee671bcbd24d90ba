"""How many bytes a token takes in the KV cache, from the shape of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DTYPE_BYTES = {"float32": 4, "float": 4, "bfloat16": 2, "float16": 2, "half": 2, "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1}


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model the KV cache depends on. `latent` is the width of a latent cache (MLA), 0 for ordinary heads."""

    layers: int
    kv_heads: int
    head_size: int
    latent: int = 0
    vocabulary: int | None = None

    def bytes_per_token(self, dtype_bytes: int, tensor_parallel: int = 1, pipeline_parallel: int = 1) -> int:
        """Of one device, which holds its share of the heads (at least one) and of the layers. A latent is not split."""
        layers = -(-self.layers // pipeline_parallel)
        if self.latent:
            return layers * self.latent * dtype_bytes
        return layers * max(1, self.kv_heads // tensor_parallel) * 2 * self.head_size * dtype_bytes


def read_shape(config: Mapping[str, Any]) -> Shape | None:
    """The shape in a model's config.json; None where it does not say it, or where layers differ in kind."""
    inner = config.get("text_config")
    told = {**config, **inner} if isinstance(inner, Mapping) else dict(config)
    layers, heads = _whole(told, "num_hidden_layers"), _whole(told, "num_attention_heads")
    if layers is None or heads is None or _is_mixed(told):
        return None
    vocabulary = _whole(told, "vocab_size")
    if (rank := _whole(told, "kv_lora_rank")) is not None:
        return Shape(layers, 1, 0, rank + (_whole(told, "qk_rope_head_dim") or 0), vocabulary)
    hidden, size = _whole(told, "hidden_size"), _whole(told, "head_dim")
    if size is None and hidden is None:
        return None
    size = size if size is not None else (hidden or 0) // heads
    return Shape(layers, _whole(told, "num_key_value_heads") or heads, size, 0, vocabulary)


def _whole(told: Mapping[str, Any], key: str) -> int | None:
    value = told.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _is_mixed(told: Mapping[str, Any]) -> bool:
    """Layers that see a window only, or keep a state, take other bytes: the engine's own figure must tell."""
    kinds = told.get("layer_types") or told.get("layers_block_type") or ()
    slides = bool(told.get("sliding_window")) and told.get("use_sliding_window", True) is not False
    return slides or len(set(kinds)) > 1

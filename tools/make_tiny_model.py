"""Makes a tiny random Qwen3 model with a tokenizer and a chat template of its own: nothing is downloaded.

Run it with the Python of a vLLM installation: it needs its tokenizers, torch and safetensors.
"""

import argparse
import json
import random
from pathlib import Path
from typing import Any

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
END_OF_TEXT, _, END_OF_TURN = range(3)
WORDS = (
    "page the engineer on duty when no token moves for half a minute and the queue grows without end "
    "first read the log then look at the memory of the card and at what was changed last night "
    "restart what is dead keep what still works and write down why so that nobody has to guess again"
).split()
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
HIDDEN, HEADS, KEY_VALUE_HEADS, HEAD_SIZE, INNER, LAYERS = 64, 2, 2, 32, 192, 2


def write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n")


def make_tokenizer(folder: Path, vocabulary: int, max_len: int) -> int:
    """Train a byte-level tokenizer on nonsense sentences; returns how many tokens it has."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    chance = random.Random(0)
    sentences = [" ".join(chance.choices(WORDS, k=12)) + "." for _ in range(2000)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": SPECIAL[END_OF_TURN],
            "pad_token": SPECIAL[END_OF_TEXT],
            "model_max_length": max_len,
            "clean_up_tokenization_spaces": False,
            "chat_template": TEMPLATE,
        },
    )
    return int(tokenizer.get_vocab_size())


def make_config(folder: Path, tokens: int, max_len: int) -> int:
    """Write config.json; returns the rows of the embedding (the tokens, padded to 64)."""
    rows = -(-tokens // 64) * 64
    write_json(
        folder / "config.json",
        {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            "vocab_size": rows,
            "hidden_size": HIDDEN,
            "intermediate_size": INNER,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": KEY_VALUE_HEADS,
            "head_dim": HEAD_SIZE,
            "hidden_act": "silu",
            "max_position_embeddings": max_len,
            "rms_norm_eps": 1e-6,
            "rope_theta": 10000.0,
            "attention_bias": False,
            "tie_word_embeddings": False,
            "eos_token_id": END_OF_TURN,
            "pad_token_id": END_OF_TEXT,
            "torch_dtype": "bfloat16",
        },
    )
    write_json(folder / "generation_config.json", {"eos_token_id": [END_OF_TURN, END_OF_TEXT], "do_sample": True})
    return rows


def make_weights(path: Path, rows: int) -> int:
    """Write random weights under the names that the loader looks for; returns how many numbers they are."""
    import torch
    from safetensors.torch import save_file

    chance = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return (torch.randn(*shape, generator=chance) * 0.05).to(torch.bfloat16)

    def ones(size: int) -> torch.Tensor:
        return torch.ones(size, dtype=torch.bfloat16)

    head = noise(rows, HIDDEN)
    head[: len(SPECIAL)] = 0  # with the large last norm below: an answer seldom ends before its max_tokens
    weights = {
        "model.embed_tokens.weight": noise(rows, HIDDEN),
        "model.norm.weight": ones(HIDDEN) * 8,
        "lm_head.weight": head,
    }
    query, key_value = HEADS * HEAD_SIZE, KEY_VALUE_HEADS * HEAD_SIZE
    for number in range(LAYERS):
        layer = {
            "input_layernorm": ones(HIDDEN),
            "post_attention_layernorm": ones(HIDDEN),
            "self_attn.q_proj": noise(query, HIDDEN),
            "self_attn.k_proj": noise(key_value, HIDDEN),
            "self_attn.v_proj": noise(key_value, HIDDEN),
            "self_attn.o_proj": noise(HIDDEN, query),
            "self_attn.q_norm": ones(HEAD_SIZE),
            "self_attn.k_norm": ones(HEAD_SIZE),
            "mlp.gate_proj": noise(INNER, HIDDEN),
            "mlp.up_proj": noise(INNER, HIDDEN),
            "mlp.down_proj": noise(HIDDEN, INNER),
        }
        weights |= {f"model.layers.{number}.{name}.weight": tensor for name, tensor in layer.items()}
    save_file(weights, str(path), metadata={"format": "pt"})
    path.chmod(0o644)
    return sum(tensor.numel() for tensor in weights.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--max-len", type=int, default=2048, help="tokens of context")
    parser.add_argument("--vocabulary", type=int, default=640, help="tokens at most")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    tokens = make_tokenizer(arguments.folder, arguments.vocabulary, arguments.max_len)
    rows = make_config(arguments.folder, tokens, arguments.max_len)
    numbers = make_weights(arguments.folder / "model.safetensors", rows)
    print(f"{arguments.folder}: {tokens} tokens, {numbers} weights")


if __name__ == "__main__":
    main()

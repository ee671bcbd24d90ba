"""The service law, pure: how long an engine step takes, and how many tokens and KV blocks there are to give out."""

from dataclasses import dataclass, replace

BLOCK_TOKENS = 16
BLOCKS = 1024
MAX_BATCHED_TOKENS = 2048
PREFILL_TOKENS_PER_SECOND = 8000.0
# As shares of a lone decode step, from a real 8B model on an H100: 6.8, 7.6 and 10.5 ms at 1, 16 and 64 streams,
# in eager mode 34.6, 32.1 and 37.7 ms.
BATCH_COST = 0.0086  # each further sequence
EAGER_COST = 4.1  # launching every kernel by itself, whatever the batch


@dataclass(frozen=True, slots=True)
class ServiceLaw:
    """What one engine core has to give. `decode_seconds` is the step of a lone stream."""

    decode_seconds: float = 1 / 30
    max_num_seqs: int = 32
    max_num_batched_tokens: int = MAX_BATCHED_TOKENS
    blocks: int = BLOCKS
    eager: bool = False

    @property
    def kv_tokens(self) -> int:
        return self.blocks * BLOCK_TOKENS

    def step_seconds(self, sequences: int, prefill_tokens: int) -> float:
        """How long a step takes that advances so many sequences and reads so many tokens of prompts."""
        if sequences == 0:
            return 0.0
        decode = self.decode_seconds * (1 + BATCH_COST * (sequences - 1) + (EAGER_COST if self.eager else 0))
        return decode + prefill_tokens / PREFILL_TOKENS_PER_SECOND

    def in_eager_mode(self, eager: bool) -> "ServiceLaw":
        """The same engine with or without CUDA graphs; one that was started without them has none to use."""
        return replace(self, eager=self.eager or eager)


def blocks_for(tokens: int) -> int:
    """How many KV blocks hold the keys and values of so many tokens."""
    return -(-tokens // BLOCK_TOKENS)

"""Which requests run in the next engine step and what KV cache they hold: the service law applied, pure."""

from collections import deque
from dataclasses import dataclass, field

from paramedic.practice.service_law import ServiceLaw, blocks_for

_WORDS = (
    "the engine reads a prompt and writes one word after another until it has said enough , then rests . "
    "every step costs time : more streams share it , fewer streams finish sooner , none of them knows the others ."
).split()


def word(seed: int, index: int) -> str:
    """The token at a place of an answer: the same seed always says the same."""
    mixed = (seed * 2654435761 + index * 40503 + (index * index) % 97) & 0xFFFFFFFF
    return f" {_WORDS[(mixed >> 7) % len(_WORDS)]}"


@dataclass(slots=True)
class Sequence:
    """One request inside the engine. Times are of the monotonic clock, in seconds."""

    id: str
    prompt_tokens: int
    max_tokens: int  # 0: it wants a vector, not text, and is done with its prompt
    stop_after: int  # it says by itself that it has finished after so many tokens; 0 = never
    seed: int
    queued: float
    scheduled: float | None = None
    first: float | None = None
    generated: int = 0
    computed: int = 0  # tokens whose keys and values are in the cache
    preemptions: int = 0

    @property
    def length(self) -> int:
        return self.prompt_tokens + self.generated


@dataclass(frozen=True, slots=True)
class Output:
    """What one step gave one request; the times are there when it has finished."""

    id: str
    text: str | None  # None: no token was asked for
    finish: str | None
    queued: float
    scheduled: float
    first: float
    preemptions: int


@dataclass(frozen=True, slots=True)
class Step:
    """A finished engine step and the state of the scheduler after it."""

    outputs: tuple[Output, ...]
    prompt_tokens: int  # computed in prefill in this step
    iteration_tokens: int
    running: int
    waiting: int
    kv_usage: float
    preemptions: int  # in this step


@dataclass(slots=True)
class Batch:
    """The sequences of one step and how many tokens each of them computes."""

    tokens: list[tuple[Sequence, int]] = field(default_factory=list)
    prompt_tokens: int = 0  # those of prompts computed for the first time
    preemptions: int = 0

    def take(self, sequence: Sequence, tokens: int) -> None:
        self.tokens.append((sequence, tokens))
        if sequence.generated == 0:
            self.prompt_tokens += tokens
        sequence.computed += tokens

    def seconds(self, law: ServiceLaw) -> float:
        """How long the step takes."""
        return law.step_seconds(len(self.tokens), sum(tokens for _, tokens in self.tokens if tokens > 1))


class Scheduler:
    """First come, first served, at most `max_num_seqs` at once; the youngest gives way when the KV cache is full."""

    def __init__(self, law: ServiceLaw) -> None:
        self.law = law
        self.running: list[Sequence] = []
        self.waiting: deque[Sequence] = deque()

    @property
    def has_work(self) -> bool:
        return bool(self.running or self.waiting)

    @property
    def blocks_used(self) -> int:
        return sum(blocks_for(sequence.computed) for sequence in self.running)

    @property
    def kv_usage(self) -> float:
        """The share of the KV cache that is taken, 0 to 1."""
        return self.blocks_used / self.law.blocks

    def add(self, sequence: Sequence) -> None:
        self.waiting.append(sequence)

    def abort(self, id: str) -> None:  # noqa: A002 (the engine's own word)
        self.running = [sequence for sequence in self.running if sequence.id != id]
        self.waiting = deque(sequence for sequence in self.waiting if sequence.id != id)

    def schedule(self, now: float) -> Batch:
        """Choose the next step: running requests first, then waiting ones while slots, tokens and blocks last."""
        batch = Batch()
        budget = self.law.max_num_batched_tokens
        for sequence in list(self.running):
            tokens = min(sequence.length - sequence.computed, budget)
            if sequence not in self.running or tokens < 1:
                continue
            batch.preemptions += self._make_room(sequence, tokens)
            if sequence in self.running:
                batch.take(sequence, tokens)
                budget -= tokens
        while self.waiting and len(self.running) < self.law.max_num_seqs and budget > 0 and not batch.preemptions:
            sequence = self.waiting[0]
            tokens = min(sequence.length, budget)
            if self.blocks_used + blocks_for(sequence.length) > self.law.blocks:
                break
            self.running.append(self.waiting.popleft())
            if sequence.scheduled is None:
                sequence.scheduled = now
            batch.take(sequence, tokens)
            budget -= tokens
        return batch

    def complete(self, batch: Batch, now: float) -> Step:
        """The step is over: every sequence whose tokens are all computed has one more."""
        outputs = [
            self._advance(sequence, now)
            for sequence, _ in batch.tokens
            if sequence in self.running and sequence.computed == sequence.length
        ]
        return Step(
            tuple(outputs),
            batch.prompt_tokens,
            sum(tokens for _, tokens in batch.tokens),
            len(self.running),
            len(self.waiting),
            self.kv_usage,
            batch.preemptions,
        )

    def _make_room(self, sequence: Sequence, tokens: int) -> int:
        """Preempt from the youngest until the sequence fits; how many were preempted (it may be itself)."""
        preempted = 0
        extra = blocks_for(sequence.computed + tokens) - blocks_for(sequence.computed)
        while self.blocks_used + extra > self.law.blocks:
            victim = self.running.pop()
            victim.computed = 0
            victim.preemptions += 1
            self.waiting.appendleft(victim)
            preempted += 1
            if victim is sequence:
                break
        return preempted

    def _advance(self, sequence: Sequence, now: float) -> Output:
        if sequence.first is None:
            sequence.first = now
        text = word(sequence.seed, sequence.generated) if sequence.max_tokens else None
        sequence.generated += text is not None
        finish = None if sequence.max_tokens else "stop"
        if sequence.stop_after and sequence.generated >= sequence.stop_after:
            finish = "stop"
        elif sequence.max_tokens and sequence.generated >= sequence.max_tokens:
            finish = "length"
        if finish:
            self.running.remove(sequence)
        return Output(
            sequence.id,
            text,
            finish,
            sequence.queued,
            sequence.scheduled if sequence.scheduled is not None else now,
            sequence.first,
            sequence.preemptions,
        )

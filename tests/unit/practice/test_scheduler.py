"""Which requests run in a step: order, slots, KV blocks, the token budget."""

from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.practice.scheduler import Batch, Scheduler, Sequence, Step
from paramedic.practice.service_law import BLOCK_TOKENS, BLOCKS, MAX_BATCHED_TOKENS, ServiceLaw


def sequence(name: str, prompt: int = 10, max_tokens: int = 5, stop_after: int = 0) -> Sequence:
    return Sequence(name, prompt, max_tokens, stop_after, seed=7, queued=0.0)


def step(scheduler: Scheduler, now: float = 1.0) -> Step:
    return scheduler.complete(scheduler.schedule(now), now + 0.1)


def run(scheduler: Scheduler, most: int = 10_000) -> dict[str, list[str | None]]:
    """Step until nothing is left; the finish reasons of every request's tokens."""
    seen: dict[str, list[str | None]] = {}
    for _ in range(most):
        if not scheduler.has_work:
            return seen
        for output in step(scheduler).outputs:
            seen.setdefault(output.id, []).append(output.finish)
    raise AssertionError("it never ends")


def test_first_step_prefills_and_gives_the_first_token() -> None:
    scheduler = Scheduler(ServiceLaw(max_num_seqs=8))
    scheduler.add(sequence("a", prompt=10))
    first = step(scheduler)
    assert [output.id for output in first.outputs] == ["a"]
    assert (first.prompt_tokens, first.iteration_tokens, first.running, first.waiting) == (10, 10, 1, 0)
    second = step(scheduler)
    assert (second.prompt_tokens, second.iteration_tokens) == (0, 1)


def test_requests_beyond_the_slots_wait_in_order() -> None:
    scheduler = Scheduler(ServiceLaw(max_num_seqs=2))
    for name in "abc":
        scheduler.add(sequence(name, max_tokens=3))
    first = step(scheduler)
    assert [output.id for output in first.outputs] == ["a", "b"]
    assert (first.running, first.waiting) == (2, 1)
    assert run(scheduler)["c"] == [None, None, "length"]


def test_it_stops_by_itself_before_the_limit() -> None:
    scheduler = Scheduler(ServiceLaw(max_num_seqs=1))
    scheduler.add(sequence("a", max_tokens=9, stop_after=2))
    assert run(scheduler) == {"a": [None, "stop"]}


def test_a_long_prompt_is_computed_in_chunks() -> None:
    scheduler = Scheduler(ServiceLaw(max_num_seqs=2))
    scheduler.add(sequence("long", prompt=MAX_BATCHED_TOKENS + 100, max_tokens=1))
    first, second = step(scheduler), step(scheduler)
    assert (first.outputs, first.iteration_tokens) == ((), MAX_BATCHED_TOKENS)
    assert (second.iteration_tokens, [output.finish for output in second.outputs]) == (100, ["length"])


def test_an_aborted_request_frees_its_place() -> None:
    scheduler = Scheduler(ServiceLaw(max_num_seqs=1))
    for name in "ab":
        scheduler.add(sequence(name, max_tokens=100))
    step(scheduler)
    scheduler.abort("a")
    after = step(scheduler)
    assert ([output.id for output in after.outputs], after.waiting) == (["b"], 0)


def test_the_youngest_gives_way_when_the_cache_is_full_and_still_finishes() -> None:
    scheduler = Scheduler(ServiceLaw(max_num_seqs=2))
    half = BLOCKS * BLOCK_TOKENS // 2 - BLOCK_TOKENS
    for name in "ab":
        scheduler.add(sequence(name, prompt=half, max_tokens=40))
    preemptions = {}
    for _ in range(200):
        if not scheduler.has_work:
            break
        done = step(scheduler)
        assert done.kv_usage <= 1
        preemptions |= {output.id: output.preemptions for output in done.outputs if output.finish}
    assert preemptions == {"a": 0, "b": 1}


def test_a_prompt_that_waits_for_the_budget_delays_nobody_who_runs() -> None:
    scheduler = Scheduler(ServiceLaw(max_num_batched_tokens=64))
    scheduler.add(sequence("talking", prompt=10, max_tokens=50))
    step(scheduler)
    scheduler.add(sequence("long", prompt=200, max_tokens=1))
    seen = [step(scheduler) for _ in range(4)]
    assert [taken.iteration_tokens for taken in seen] == [64, 64, 64, 1 + 200 - 3 * 63]
    assert all("talking" in [output.id for output in taken.outputs] for taken in seen)


def test_a_request_for_a_vector_is_done_with_its_prompt() -> None:
    scheduler = Scheduler(ServiceLaw())
    scheduler.add(sequence("vector", prompt=10, max_tokens=0))
    done = step(scheduler)
    assert [(output.text, output.finish) for output in done.outputs] == [(None, "stop")]
    assert not scheduler.has_work


def test_a_batch_takes_the_time_of_its_sequences_and_prompts() -> None:
    law = ServiceLaw(decode_seconds=0.03)
    decoding = Batch([(sequence("a"), 1), (sequence("b"), 1)])
    assert decoding.seconds(law) == law.step_seconds(2, 0)
    assert Batch([(sequence("a"), 801), (sequence("b"), 1)]).seconds(law) == law.step_seconds(2, 801)


@settings(max_examples=60, deadline=None)
@given(
    slots=st.integers(1, 5),
    requests=st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 30)), min_size=1, max_size=12),
)
def test_every_request_gets_exactly_its_tokens(slots: int, requests: list[tuple[int, int]]) -> None:
    scheduler = Scheduler(ServiceLaw(max_num_seqs=slots))
    for number, (prompt, max_tokens) in enumerate(requests):
        scheduler.add(sequence(str(number), prompt, max_tokens))
    seen = run(scheduler)
    for number, (_, max_tokens) in enumerate(requests):
        assert seen[str(number)] == [None] * (max_tokens - 1) + ["length"]
    assert scheduler.blocks_used == 0

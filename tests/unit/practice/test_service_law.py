"""The service law moves an engine's figures as a real one's move: more work is slower, too much of it waits."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.practice.fault_kinds import CrowdFault
from paramedic.practice.faults import find_fault
from paramedic.practice.scheduler import Scheduler, Sequence
from paramedic.practice.service_law import BLOCK_TOKENS, ServiceLaw, blocks_for

LAW = ServiceLaw(decode_seconds=0.03)


@given(st.integers(1, 200), st.integers(0, 4000), st.booleans())
def test_more_of_anything_takes_longer(sequences: int, prefill: int, eager: bool) -> None:
    law = replace(LAW, eager=eager)
    seconds = law.step_seconds(sequences, prefill)
    assert law.step_seconds(sequences + 1, prefill) > seconds
    assert law.step_seconds(sequences, prefill + 1) > seconds
    assert LAW.in_eager_mode(True).step_seconds(sequences, prefill) >= seconds


@pytest.mark.parametrize(("streams", "measured"), [(1, 6.8), (16, 7.6), (64, 10.5)])
def test_it_has_the_shape_that_was_measured(streams: int, measured: float) -> None:
    law = ServiceLaw(decode_seconds=0.0068)
    assert 1000 * law.step_seconds(streams, 0) == pytest.approx(measured, rel=0.05)


def test_eager_mode_cannot_be_left_by_an_engine_that_has_no_graphs() -> None:
    eager = replace(LAW, eager=True)
    assert LAW.in_eager_mode(True) == eager
    assert eager.in_eager_mode(False) == eager
    assert LAW.in_eager_mode(True).in_eager_mode(False).eager  # the core keeps its own law and asks that


@given(st.integers(0, 100_000))
def test_blocks_hold_their_tokens(tokens: int) -> None:
    blocks = blocks_for(tokens)
    assert blocks * BLOCK_TOKENS >= tokens > (blocks - 1) * BLOCK_TOKENS


@dataclass
class Figures:
    """What a minute of a crowd comes to."""

    throughput: float  # tokens/s
    itl: float
    ttft: float
    waiting: int
    kv_usage: float
    preemptions: int


def minute(law: ServiceLaw, clients: int, prompt: int, answer: int) -> Figures:
    """Clients that ask again as soon as they have their answer, for a minute of virtual time."""
    scheduler, now, number, seen = Scheduler(law), 0.0, 0, Figures(0, 0, 0, 0, 0, 0)
    tokens, first_tokens = 0, []
    last: dict[str, float] = {}
    gaps: list[float] = []

    def ask() -> None:
        nonlocal number
        number += 1
        scheduler.add(Sequence(str(number), prompt, answer, 0, seed=1, queued=now))

    for _ in range(clients):
        ask()
    while now < 60:
        batch = scheduler.schedule(now)
        now += batch.seconds(law)
        step = scheduler.complete(batch, now)
        seen.preemptions += step.preemptions
        seen.waiting, seen.kv_usage = max(seen.waiting, step.waiting), max(seen.kv_usage, step.kv_usage)
        for output in step.outputs:
            tokens += 1
            if output.id in last:
                gaps.append(now - last[output.id])
            else:
                first_tokens.append(output.first - output.queued)
            last[output.id] = now
            if output.finish:
                ask()
    seen.throughput, seen.itl = tokens / now, sum(gaps) / len(gaps)
    seen.ttft = sum(first_tokens) / len(first_tokens)
    return seen


def test_more_clients_raise_throughput_until_the_seats_are_taken_then_they_queue() -> None:
    law = replace(LAW, max_num_seqs=16)
    one, eight, sixteen, forty = (minute(law, clients, 12, 100) for clients in (1, 8, 16, 40))
    assert one.throughput < eight.throughput < sixteen.throughput
    assert forty.throughput == pytest.approx(sixteen.throughput, rel=0.05)
    assert one.itl < eight.itl < sixteen.itl
    assert (one.waiting, eight.waiting, sixteen.waiting) == (0, 0, 0)
    assert forty.waiting == 40 - law.max_num_seqs
    assert forty.ttft > 20 * sixteen.ttft
    assert forty.preemptions == 0
    assert forty.kv_usage < 0.5


def crowd(name: str) -> Figures:
    """A minute of the crowd that this fault sends, in an engine with the defaults."""
    fault = find_fault(name)
    assert isinstance(fault, CrowdFault)
    return minute(LAW, fault.crowd.clients, fault.crowd.prompt_tokens, fault.crowd.max_tokens)


def test_the_crowd_that_fills_the_kv_cache_preempts_and_costs_throughput() -> None:
    roomy = minute(replace(LAW, blocks=4096), 32, 450, 300)
    small = crowd("kv-cache-preemption")
    assert roomy.preemptions == 0
    assert small.preemptions > 20
    assert small.kv_usage > 0.97
    assert small.throughput < 0.9 * roomy.throughput


def test_the_crowd_that_saturates_the_queue_uses_the_kv_cache_well() -> None:
    seen = crowd("request-queue-saturated")
    assert seen.waiting >= 30
    assert 0.6 < seen.kv_usage < 0.97
    assert seen.preemptions == 0


def test_the_crowd_that_takes_all_seats_leaves_the_kv_cache_empty() -> None:
    seen = crowd("max-num-seqs-too-small")
    assert seen.waiting == 44 - LAW.max_num_seqs
    assert seen.kv_usage < 0.4


def test_the_crowd_of_long_prompts_is_late_with_the_first_token_and_preempts_nobody() -> None:
    seen = crowd("long-prompts")
    assert seen.ttft > 3
    assert seen.waiting >= 20
    assert seen.preemptions == 0


def test_long_prompts_starve_those_who_talk() -> None:
    short, long = minute(LAW, 16, 12, 100), minute(LAW, 16, 1800, 8)
    assert long.ttft > 5 * short.ttft
    assert long.itl > 3 * short.itl


def test_a_small_token_budget_spreads_a_prompt_over_more_steps() -> None:
    usual, small = minute(LAW, 8, 1000, 30), minute(replace(LAW, max_num_batched_tokens=64), 8, 1000, 30)
    assert small.ttft > usual.ttft
    assert small.throughput < usual.throughput


def test_eager_mode_slows_a_lone_stream_most() -> None:
    eager = replace(LAW, eager=True)
    lone = minute(eager, 1, 12, 100).throughput / minute(LAW, 1, 12, 100).throughput
    full = minute(eager, 16, 12, 100).throughput / minute(LAW, 16, 12, 100).throughput
    assert 0.15 < lone < full < 0.45

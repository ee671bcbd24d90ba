"""One target's watcher, in virtual time: each test is a story of an engine."""

import pytest

from paramedic.journal.events import EngineSeen, ProcessEnded, StageReached, StateChanged, WorkFailed
from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.model.target import EngineState, Exit, Role
from paramedic.pipeline.answers import answer_of
from paramedic.pipeline.tree import SETTLE
from paramedic.ports import Reply
from paramedic.signals.evaluate import Evaluator
from paramedic.signals.liveness import Answer
from tests.fakes.processes import FakeWatch
from tests.unit.pipeline.rig import INTERVAL, NAME, STEP, URL, Engine, Rig

State = EngineState
STOP_LINE = "(APIServer pid=1) INFO 11-24 03:11:52 [launcher.py:110] [shutdown] API server: received signal 15"


def changes(rig: Rig, name: str = NAME) -> list[EngineState]:
    return [event.after for event in rig.events(StateChanged) if event.target == name]


async def serving(rig: Rig, **engine: object) -> None:
    """An engine of ours that serves, and is watched."""
    rig.start_engine(**engine)  # type: ignore[arg-type]
    rig.watch()
    await rig.run_until(lambda: rig.state() is State.SERVING, 10, "serving")


# Starting


async def test_a_start_shows_its_stages_and_ends_in_serving(rig: Rig) -> None:
    rig.start_engine(ready_at=30.0)
    rig.watch()
    log = rig.log(f"{NAME}-1.log")
    await rig.run(2)
    log.write("INFO [gpu_model_runner.py:1] Starting to load model qwen...")
    await rig.run(2)
    assert (rig.state(), rig.target().stage) == (State.STARTING, "loading")
    log.write("INFO Capturing CUDA graphs (decode, FULL): 10%", "INFO Capturing CUDA graphs (decode, FULL): 90%")
    await rig.run(2)
    assert rig.target().stage == "capturing"
    took = await rig.run_until(lambda: rig.state() is State.SERVING, 40, "serving")
    assert took == pytest.approx(24, abs=1.0)
    assert [event.stage for event in rig.events(StageReached)] == ["loading", "capturing"]
    assert changes(rig) == [State.SERVING]


async def test_a_starting_engine_is_not_asked_for_figures(rig: Rig) -> None:
    rig.start_engine(ready_at=10.0)
    rig.watch()
    await rig.run(5)
    assert {question for question, _ in rig.probe.asked} == {"health"}


async def test_an_engine_that_ends_before_it_was_ready_failed_to_start(rig: Rig) -> None:
    server = rig.start_engine(ready_at=1e9)
    rig.watch()
    await rig.run(3)
    rig.processes.end_all(server, code=1)
    took = await rig.run_until(lambda: rig.state() is State.START_FAILED, 5, "start failed")
    assert took <= SETTLE + 3 * STEP
    assert {event.exit.role for event in rig.events(ProcessEnded)} == {Role.API_SERVER, Role.ENGINE_CORE, Role.WORKER}


async def test_its_first_figures_are_there_within_two_seconds(rig: Rig) -> None:
    await serving(rig)
    began = rig.clock.monotonic()
    await rig.run(2)
    assert began < 1.0
    assert [question for question, _ in rig.probe.asked].count("metrics") >= 2


# The end of a process


@pytest.mark.parametrize("role", [Role.ENGINE_CORE, Role.WORKER])
async def test_a_dead_core_or_worker_is_seen_at_once(rig: Rig, role: Role) -> None:
    await serving(rig)
    await rig.run(7.3)
    pid = rig.pid_of(role)
    rig.processes.end(pid, signal=9)
    took = await rig.run_until(lambda: rig.state() is State.DEAD, 5, "dead")
    assert took <= SETTLE + 3 * STEP
    [ended] = rig.events(ProcessEnded)
    assert ended.exit == Exit(pid, role, None, 9)


async def test_a_dead_api_server_is_seen_at_once(rig: Rig) -> None:
    await serving(rig)
    server = rig.target().process
    assert server is not None
    rig.processes.end(server.pid, signal=9)
    rig.engines[URL].listening = False
    took = await rig.run_until(lambda: rig.state() is State.DEAD, 5, "dead")
    assert took <= SETTLE + 3 * STEP


async def test_an_answer_that_does_not_come_hides_no_death(rig: Rig) -> None:
    """A killed API server's connections may live on in its orphans, and time out much later."""
    await serving(rig)
    await rig.run(4)
    rig.engines[URL].deaf = True
    asked = len(rig.probe.asked)
    await rig.run_until(lambda: len(rig.probe.asked) > asked, 10, "a question is under way")
    server = rig.target().process
    assert server is not None
    rig.processes.end(server.pid, signal=9)
    took = await rig.run_until(lambda: rig.state() is State.DEAD, 5, "dead")
    assert took <= SETTLE + 3 * STEP


async def test_figures_end_with_the_engine_and_not_with_a_late_answer(rig: Rig) -> None:
    await serving(rig)
    await rig.run(6)
    evaluator = Evaluator(rig.world.samples, load_vocabulary())

    def running() -> list[float]:
        return [value for _, value in evaluator.vector("llm:requests_running", rig.clock.now() // 1_000_000)]

    rig.engines[URL].deaf = True
    await rig.run(20)
    assert running() == [3.0]
    rig.engines[URL].deaf, rig.engines[URL].listening = False, False
    await rig.run(20)
    assert running() == []


async def test_where_the_system_tells_of_no_end_the_next_look_does(rig: Rig) -> None:
    rig.processes.watchable = False
    await serving(rig)
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE))
    took = await rig.run_until(lambda: rig.state() is State.DEAD, 10, "dead")
    assert took <= INTERVAL + 2 * STEP
    [ended] = rig.events(ProcessEnded)
    assert (ended.exit.code, ended.exit.signal) == (None, None)


async def test_where_a_watch_fails_the_next_look_tells_the_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_: FakeWatch) -> Exit:
        raise OSError("no such file descriptor")

    monkeypatch.setattr(FakeWatch, "ended", fails)
    await serving(rig)
    assert len(rig.events(WorkFailed)) == 3
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE))
    took = await rig.run_until(lambda: rig.state() is State.DEAD, 10, "dead")
    assert took <= INTERVAL + 2 * STEP


async def test_ended_by_a_person_it_is_stopped_not_dead(rig: Rig) -> None:
    await serving(rig)
    await rig.run(3)
    server = rig.target().process
    assert server is not None
    rig.log(f"{NAME}-1.log").write(STOP_LINE)
    rig.engines[URL].listening = False
    rig.processes.end_all(server, signal=15)
    await rig.run(60)
    assert changes(rig) == [State.SERVING, State.STOPPED]


async def test_a_stop_line_of_an_earlier_run_stops_nobody(rig: Rig) -> None:
    await serving(rig)
    rig.log(f"{NAME}-1.log").write(STOP_LINE)
    await rig.run(6)
    server = rig.processes.start()
    rig.world.recorder.record(EngineSeen(NAME, 2, server, True, f"{NAME}-2.log"))
    await rig.run_until(lambda: rig.state() is State.SERVING, 10, "serving again")
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE), signal=9)
    await rig.run(3)
    assert rig.state() is State.DEAD


async def test_an_end_that_we_bring_about_ourselves_is_no_crash(rig: Rig) -> None:
    rig.start_engine()
    watcher = rig.watch()
    await rig.run(3)
    watcher.expect_stop()
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE), signal=15)
    await rig.run(10)
    assert State.DEAD not in changes(rig)


async def test_the_end_of_the_last_runs_processes_says_nothing_of_this_run(rig: Rig) -> None:
    await serving(rig)
    old = rig.pid_of(Role.ENGINE_CORE)
    rig.world.recorder.record(EngineSeen(NAME, 2, rig.processes.start(), True, f"{NAME}-2.log"))
    await rig.run_until(lambda: rig.state() is State.SERVING, 10, "serving again")
    rig.processes.end(old, signal=9)
    await rig.run(15)
    assert rig.events(ProcessEnded) == []
    assert rig.state() is State.SERVING
    assert all(watch.cancelled for watch in rig.processes.watches[:3])


async def test_late_word_of_the_last_runs_end_says_nothing_of_this_run(rig: Rig) -> None:
    await serving(rig)
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE), signal=9)  # it is told a moment later
    rig.world.recorder.record(EngineSeen(NAME, 2, rig.processes.start(), True, f"{NAME}-2.log"))
    await rig.run(15)
    assert [event.run for event in rig.events(ProcessEnded)] == [1]
    assert State.DEAD not in changes(rig)
    assert rig.state() is State.SERVING


# No progress


async def test_a_stall_of_20_seconds_raises_nothing(rig: Rig) -> None:
    await serving(rig)
    await rig.run(6)
    rig.engines[URL].moving = False
    await rig.run(20)
    rig.engines[URL].moving = True
    await rig.run(120)
    assert changes(rig) == [State.SERVING]


async def test_a_hang_is_silent_within_30_seconds(rig: Rig) -> None:
    await serving(rig)
    await rig.run(12.4)
    rig.engines[URL].moving = False
    took = await rig.run_until(lambda: rig.state() is State.SILENT, 60, "silent")
    assert 17 <= took <= 30  # 22 s since tokens were last seen to move, which was up to an interval before
    assert "canary" in rig.target().state_reason.en


async def test_a_hang_that_ends_is_serving_again(rig: Rig) -> None:
    await serving(rig)
    rig.engines[URL].moving = False
    await rig.run_until(lambda: rig.state() is State.SILENT, 60, "silent")
    rig.engines[URL].moving = True
    took = await rig.run_until(lambda: rig.state() is State.SERVING, 30, "serving")
    assert took <= 12


async def test_an_idle_engine_that_hangs_is_found_by_its_canaries(rig: Rig) -> None:
    await serving(rig, running=0)
    rig.engines[URL].moving = False
    took = await rig.run_until(lambda: rig.state() is State.SILENT, 400, "silent")
    assert took >= 60
    assert [question for question, _ in rig.probe.asked].count("canary") >= 2


async def test_an_engine_without_work_is_well(rig: Rig) -> None:
    await serving(rig, running=0)
    await rig.run(300)
    assert changes(rig) == [State.SERVING]


async def test_a_full_queue_is_not_a_fault(rig: Rig) -> None:
    await serving(rig, running=2, waiting=298)
    await rig.run(180)
    assert changes(rig) == [State.SERVING]


@pytest.mark.parametrize("answer", ["paused", "unauthorised"])
async def test_without_a_canary_that_proves_it_nothing_is_claimed(rig: Rig, answer: str) -> None:
    await serving(rig, answers_canary=answer)
    rig.engines[URL].moving = False
    await rig.run(90)
    assert changes(rig) == [State.SERVING]


async def test_a_sleeping_engine_sleeps(rig: Rig) -> None:
    await serving(rig)
    rig.engines[URL].awake, rig.engines[URL].moving = 0, False
    await rig.run(120)
    assert changes(rig) == [State.SERVING, State.SLEEPING]
    assert ("canary", NAME) not in rig.probe.asked


async def test_one_that_answers_nothing_is_unresponsive_not_dead(rig: Rig) -> None:
    await serving(rig)
    rig.engines[URL].deaf = True
    took = await rig.run_until(lambda: rig.state() is not State.SERVING, 60, "not serving")
    assert rig.state() is State.UNRESPONSIVE
    assert 12 <= took <= 25


# By URL alone


async def test_by_url_alone_a_refused_server_is_down_within_15_seconds(rig: Rig) -> None:
    rig.add(by_us=False)
    rig.engines[URL] = Engine()
    rig.watch()
    await rig.run(8)
    assert rig.state() is State.SERVING
    rig.engines[URL].listening = False
    took = await rig.run_until(lambda: rig.state() is State.DOWN, 15, "down")
    assert took > 0.5


async def test_by_url_alone_a_503_is_dead(rig: Rig) -> None:
    rig.add(by_us=False)
    rig.engines[URL] = Engine()
    rig.watch()
    await rig.run(8)
    rig.engines[URL].dead = rig.engines[URL].deaf = True
    await rig.run_until(lambda: rig.state() is State.DEAD, 15, "dead")


async def test_one_failed_look_alone_is_nothing(rig: Rig) -> None:
    rig.add(by_us=False)
    rig.engines[URL] = Engine()
    rig.watch()
    await rig.run(8)
    for _ in range(5):
        rig.engines[URL].listening = False
        asked = len(rig.probe.asked)
        await rig.run_until(lambda asked=asked: len(rig.probe.asked) >= asked + 2, 10, "a look")  # type: ignore[misc]
        rig.engines[URL].listening = True
        await rig.run(15)
    assert changes(rig) == [State.SERVING]


async def test_processes_that_cannot_be_looked_at_are_not_gone(rig: Rig) -> None:
    server = rig.start_engine()
    rig.processes.trees[server.pid] = None
    rig.watch()
    await rig.run(30)
    assert changes(rig) == [State.SERVING]
    assert rig.events(ProcessEnded) == []


# Ourselves


async def test_what_a_late_paramedic_did_not_see_it_does_not_judge(rig: Rig) -> None:
    await serving(rig)
    await rig.run(11)
    rig.engines[URL].moving = False
    await rig.run(3)
    rig.clock.step(300)  # the machine was asleep, or we were stopped
    await rig.run(8)
    rig.engines[URL].moving = True
    await rig.run(60)
    assert changes(rig) == [State.SERVING]


async def test_a_look_that_fails_is_told_and_stops_no_other_target(rig: Rig) -> None:
    await serving(rig)
    rig.start_engine("other", "http://127.0.0.1:8001")
    rig.watch("other")
    await rig.run(6)
    rig.engines[URL].broken = RuntimeError("a defect")
    await rig.run(60)
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE, "other"), signal=9)
    await rig.run(2)
    assert rig.state("other") is State.DEAD
    [failure] = rig.events(WorkFailed)  # once, although it fails at each look
    assert failure == WorkFailed(f"watch {NAME}", "RuntimeError: a defect")
    rig.engines[URL].broken = None
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE), signal=9)
    await rig.run(2)
    assert rig.state() is State.DEAD  # it goes on


async def test_a_slow_target_delays_nobody(rig: Rig) -> None:
    rig.start_engine(deaf=True)
    rig.start_engine("other", "http://127.0.0.1:8001")
    rig.watch()
    rig.watch("other")
    await rig.run(2)
    assert rig.state("other") is State.SERVING


# Samples


def value(rig: Rig, query: str) -> dict[str, float]:
    """The result of a query now, by the label `state` where there is one, else by target."""
    vector = rig.evaluator.vector(query, rig.clock.now() // 1_000_000)
    return {dict(labels).get("state", dict(labels).get("target", "")): found for labels, found in vector}


async def test_the_state_is_a_sample(rig: Rig) -> None:
    await serving(rig)
    await rig.run(6)
    states = value(rig, "paramedic_target_state")
    assert set(states) == {state.value for state in State}
    assert [state for state, so in states.items() if so] == ["serving"]
    rig.processes.end(rig.pid_of(Role.ENGINE_CORE), signal=9)
    await rig.run(1)
    assert [state for state, so in value(rig, "paramedic_target_state").items() if so] == ["dead"]


async def test_runs_and_progress_are_samples(rig: Rig) -> None:
    await serving(rig)
    await rig.run(6)
    assert value(rig, "paramedic_engine_starts_total") == {NAME: 1.0}
    assert value(rig, "paramedic_engine_progress_age_seconds")[NAME] <= 1.0
    rig.engines[URL].moving = False
    await rig.run(15)
    assert value(rig, "paramedic_engine_progress_age_seconds")[NAME] >= 10.0


async def test_an_engine_without_work_has_no_age_of_progress(rig: Rig) -> None:
    await serving(rig, running=0)
    await rig.run(6)
    assert value(rig, "paramedic_engine_progress_age_seconds") == {}


async def test_the_engines_own_samples_carry_the_targets_labels(rig: Rig) -> None:
    await serving(rig, waiting=7)
    await rig.run(6)
    [(labels, found)] = rig.evaluator.vector("llm:requests_waiting", rig.clock.now() // 1_000_000)
    assert found == 7.0
    wanted = {"target": NAME, "instance": "127.0.0.1:8000", "job": "vllm", "model_name": "qwen", "engine": "0"}
    assert wanted.items() <= dict(labels).items()


async def test_a_dead_engines_figures_do_not_live_on(rig: Rig) -> None:
    await serving(rig)
    await rig.run(6)
    server = rig.target().process
    assert server is not None
    rig.processes.end_all(server, signal=9)
    rig.engines[URL].listening = False
    await rig.run(10)
    scrapes = [question for question, _ in rig.probe.asked].count("metrics")
    await rig.run(20)
    assert [question for question, _ in rig.probe.asked].count("metrics") == scrapes


@pytest.mark.parametrize(
    ("reply", "dead_on_503", "answer"),
    [
        (Reply(200), True, Answer.OK),
        (Reply(503), True, Answer.DEAD),
        (Reply(503), False, Answer.ODD),
        (Reply(404), True, Answer.ODD),
        (Reply(error="refused"), True, Answer.REFUSED),
        (Reply(error="reset"), True, Answer.REFUSED),
        (Reply(error="timeout"), True, Answer.TIMEOUT),
        (Reply(error="certificate"), True, Answer.ODD),
        (Reply(200, body=b"\n <html>"), True, Answer.ODD),
    ],
)
def test_a_reply_in_the_words_of_liveness(reply: Reply, dead_on_503: bool, answer: Answer) -> None:
    assert answer_of(reply, dead_on_503=dead_on_503) is answer

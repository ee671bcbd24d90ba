"""Engines in other networks: an address is claimed after asking; without one the engine is seen all the same."""

from dataclasses import dataclass, replace

from paramedic.journal import events as e
from paramedic.model.target import EngineProcess, EngineState, Mode, Origin, Role, Target
from paramedic.model.text import Text
from paramedic.pipeline import discover
from tests.unit.pipeline.rig import Engine, Rig

PUBLISHED = "http://127.0.0.1:9000"
ITS_OWN = "http://172.17.0.2:8000"
PLACE = "container-3f2a91c0b7d1"
NAME = f"qwen@{PLACE}"
ARGV = ("vllm", "serve", "/models/qwen3", "--served-model-name", "qwen")
BEGAN = 1_700_000_000.0


@dataclass
class Dated(Engine):
    """Its metrics say when it began."""

    began: float = BEGAN

    def page(self, at: float) -> bytes:
        return super().page(at) + f"process_start_time_seconds {self.began}\n".encode()


def in_a_container(rig: Rig, *urls: str, place: str = PLACE, log: str = "") -> EngineProcess:
    server = rig.processes.start(argv=ARGV, started=BEGAN, log=log)
    rig.processes.candidates[-1] = replace(rig.processes.candidates[-1], urls=urls, apart=place)
    return server


def serves(rig: Rig, url: str, model: str = "qwen", began: float | None = BEGAN) -> None:
    rig.probe.engines[url] = ("0.32.0", model)
    rig.engines[url] = Engine() if began is None else Dated(began=began)


async def look(rig: Rig) -> None:
    await discover.look(rig.world, Mode.OBSERVE)


async def test_a_published_port_that_answers_as_it_does_is_its_address(rig: Rig) -> None:
    server = in_a_container(rig, PUBLISHED, ITS_OWN)
    serves(rig, PUBLISHED)
    serves(rig, ITS_OWN)
    await look(rig)
    await look(rig)
    [added] = rig.events(e.TargetAdded)
    assert (added.target.name, added.target.url) == ("qwen@127.0.0.1:9000", PUBLISHED)
    [seen] = rig.events(e.EngineSeen)
    assert (seen.process.pid, seen.started_by_us) == (server.pid, False)


async def test_the_next_way_is_taken_where_the_first_leads_elsewhere(rig: Rig) -> None:
    in_a_container(rig, PUBLISHED, ITS_OWN)
    serves(rig, PUBLISHED, model="another")
    serves(rig, ITS_OWN, began=None)  # it does not say when it began: the model and the place must do
    await look(rig)
    assert rig.events(e.TargetAdded)[0].target.url == ITS_OWN


async def test_another_run_of_the_same_model_is_not_taken_for_it(rig: Rig) -> None:
    in_a_container(rig, PUBLISHED)
    serves(rig, PUBLISHED, began=BEGAN - 3600)
    await look(rig)
    assert rig.events(e.TargetAdded)[0].target.url == ""


async def test_behind_a_key_the_time_of_its_start_must_tell(rig: Rig) -> None:
    in_a_container(rig, PUBLISHED, ITS_OWN)
    serves(rig, PUBLISHED, model="", began=None)
    serves(rig, ITS_OWN, model="")
    await look(rig)
    assert rig.events(e.TargetAdded)[0].target.url == ITS_OWN


async def test_without_a_way_it_is_out_of_reach_no_alarm_and_never_well(rig: Rig) -> None:
    in_a_container(rig, PUBLISHED)
    await look(rig)
    [added] = rig.events(e.TargetAdded)
    assert (added.target.name, added.target.url, added.target.origin) == (NAME, "", Origin.FOUND)
    rig.watch(NAME)
    await rig.run(600)
    assert rig.state(NAME) is EngineState.OUT_OF_REACH
    [said] = rig.events(e.StateChanged)
    assert "give --target http://HOST:PORT" in said.reason.en
    assert not [question for question in rig.probe.asked if question[1] == NAME]  # nobody is asked for it


async def test_its_end_is_seen_all_the_same(rig: Rig) -> None:
    server = in_a_container(rig, PUBLISHED)
    await look(rig)
    rig.watch(NAME)
    await rig.run_until(lambda: rig.state(NAME) is EngineState.OUT_OF_REACH, 10)
    rig.processes.end_all(server, signal=9)
    await rig.run_until(lambda: rig.state(NAME) is EngineState.DEAD, 10)
    assert {event.exit.role for event in rig.events(e.ProcessEnded)} == {
        Role.API_SERVER,
        Role.ENGINE_CORE,
        Role.WORKER,
    }


async def test_its_log_tells_that_it_never_was_ready(rig: Rig) -> None:
    server = in_a_container(rig, PUBLISHED, log="its.log")
    rig.log("its.log").write("INFO 11-24 03:11:52 [gpu_model_runner.py:1] Starting to load model /models/qwen3...")
    await look(rig)
    rig.watch(NAME)
    await rig.run_until(lambda: bool(rig.events(e.StageReached)), 10)
    rig.processes.end_all(server, code=1)
    await rig.run_until(lambda: rig.state(NAME) is EngineState.START_FAILED, 10)


async def test_a_way_that_opens_later_is_taken_by_the_same_target(rig: Rig) -> None:
    in_a_container(rig, PUBLISHED)
    await look(rig)
    rig.watch(NAME)
    await rig.run_until(lambda: rig.state(NAME) is EngineState.OUT_OF_REACH, 10)
    serves(rig, PUBLISHED)
    await look(rig)
    assert rig.target(NAME).target.url == PUBLISHED
    await rig.run_until(lambda: rig.state(NAME) is EngineState.SERVING, 10)
    assert rig.target(NAME).run == 1
    await look(rig)
    assert len(rig.events(e.TargetAdded)) == 2


async def test_the_address_that_a_person_names_is_joined_with_what_is_seen(rig: Rig) -> None:
    named = "http://10.0.0.7:8000"
    server = in_a_container(rig)
    await look(rig)
    rig.world.recorder.record(e.TargetAdded(Target("mine", named)))
    serves(rig, named, began=BEGAN - 20)  # a twin that began a little earlier is not it
    await look(rig)
    assert rig.target("mine").process is None
    serves(rig, named)
    await look(rig)
    seen = rig.target("mine").process
    assert seen is not None
    assert seen.pid == server.pid
    assert rig.target(NAME).removed
    await look(rig)
    assert len(rig.events(e.EngineSeen)) == 2


async def test_the_next_run_in_the_same_container_is_its_next_run(rig: Rig) -> None:
    server = in_a_container(rig)
    await look(rig)
    rig.processes.end_all(server)
    in_a_container(rig)
    await look(rig)
    assert [event.run for event in rig.events(e.EngineSeen)] == [1, 2]
    in_a_container(rig, place="container-000000000000")
    await look(rig)
    assert len([t for t in rig.view.targets.values() if not t.removed]) == 2


async def test_two_in_one_container_are_two(rig: Rig) -> None:
    in_a_container(rig)
    in_a_container(rig)
    await look(rig)
    await look(rig)
    assert list(rig.view.targets) == [NAME, f"{NAME}-2"]
    assert len(rig.events(e.EngineSeen)) == 2


async def test_what_may_not_be_read_is_said_once_a_run(rig: Rig) -> None:
    server = rig.processes.start(argv=ARGV)
    closed = Text("could not read the log of pid 7 (owned by llm): run as that user or root", "无法读取")
    rig.processes.candidates[-1] = replace(rig.processes.candidates[-1], unreadable=closed)
    for _ in range(3):
        await look(rig)
    [said] = rig.events(e.ReadingRefused)
    assert said.what == closed
    assert rig.target(said.target).unreadable == closed
    rig.processes.end_all(server)
    rig.processes.start(argv=ARGV, started=BEGAN + 100)
    await look(rig)
    assert not rig.target(said.target).unreadable

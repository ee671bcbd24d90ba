"""The engines of this machine become targets."""

import pytest

from paramedic.journal import events as e
from paramedic.model.target import Mode, Origin
from paramedic.pipeline import discover
from paramedic.pipeline.reach import served_model
from tests.unit.pipeline.rig import NAME, URL, Rig


async def look(rig: Rig) -> None:
    await discover.look(rig.world, Mode.OBSERVE)


async def test_a_found_engine_is_named_by_what_it_serves(rig: Rig) -> None:
    process = rig.processes.start(url=URL, argv=("vllm", "serve", "/models/qwen"), log="/var/log/e.log")
    rig.probe.engines[URL] = ("0.32.0", "qwen-served")
    await look(rig)
    await look(rig)
    [added] = rig.events(e.TargetAdded)
    assert (added.target.name, added.target.origin) == ("qwen-served@127.0.0.1:8000", Origin.FOUND)
    assert (added.target.mode, added.target.log) == (Mode.OBSERVE, "/var/log/e.log")
    [seen] = rig.events(e.EngineSeen)
    assert (seen.process.pid, seen.run, seen.started_by_us) == (process.pid, 1, False)


async def test_one_that_does_not_answer_yet_is_named_by_its_arguments(rig: Rig) -> None:
    rig.processes.start(url=URL, argv=("vllm", "serve", "/models/qwen"))
    await look(rig)
    assert list(rig.view.targets) == ["qwen@127.0.0.1:8000"]


async def test_its_next_process_is_its_next_run(rig: Rig) -> None:
    server = rig.processes.start(url=URL)
    await look(rig)
    rig.processes.end_all(server)
    rig.processes.start(url=URL, started=1_700_000_100.0)
    await look(rig)
    assert [event.run for event in rig.events(e.EngineSeen)] == [1, 2]
    assert len(rig.view.targets) == 1


async def test_another_process_at_a_living_engines_address_is_not_its_next_run(rig: Rig) -> None:
    rig.processes.start(url=URL)
    await look(rig)
    rig.processes.start(url=URL)
    await look(rig)
    assert len(rig.events(e.EngineSeen)) == 1


async def test_our_own_engines_are_not_found_again(rig: Rig) -> None:
    rig.start_engine()
    await look(rig)
    assert list(rig.view.targets) == [NAME]


async def test_two_of_the_same_name_are_told_apart(rig: Rig) -> None:
    rig.add("qwen@127.0.0.1:8000", "http://10.0.0.1:1")
    rig.processes.start(url=URL, argv=("vllm", "serve", "qwen"))
    await look(rig)
    assert "qwen@127.0.0.1:8000-2" in rig.view.targets


@pytest.mark.parametrize(
    ("argv", "model"),
    [
        (("vllm", "serve", "Qwen/Qwen3-8B", "--port", "1"), "Qwen/Qwen3-8B"),
        (("vllm", "serve", "/m", "--served-model-name", "q"), "q"),
        (("python", "-m", "vllm.entrypoints.openai.api_server", "--model=/m"), "/m"),
        (("vllm", "serve", "--port", "1"), ""),
        (("vllm", "serve"), ""),
        ((), ""),
    ],
)
def test_the_served_model_as_the_arguments_tell(argv: tuple[str, ...], model: str) -> None:
    assert served_model(argv) == model

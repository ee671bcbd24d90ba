"""A real engine cannot start: one attempt, the right cause, no second try. And a slow start is left alone."""

import shutil
import socket
from pathlib import Path

import pytest

from tests.real.clients import first_token
from tests.real.engine import MODEL, Scratch, free_port
from tests.real.watch import Watch
from tests.views import check, view

START_FAILS_WITHIN = 180.0  # seconds; 12 to 40 on an idle machine


async def fails_once(watch: Watch, cause: str) -> None:
    """One start, its alert, the cause named first, and no second start in the 45 seconds after that."""
    await watch.wait("AlertFired", START_FAILS_WITHIN, alert__rule="start-failed")
    diagnosis = await watch.wait("DiagnosisMade", 30)
    assert [finding["cause"] for finding in diagnosis["diagnosis"]["findings"]][:1] == [cause], watch.story()
    await watch.no_restart(45)
    assert len(watch.seen("EngineSeen")) == 1, watch.story()
    url = (await watch.wait("TargetAdded", 1))["target"]["url"]
    check(cause, view(url, await watch.engine(), watch.entries))
    await watch.end()


@pytest.mark.smoke
async def test_model_path_missing(scratch: Scratch) -> None:
    watch = await Watch.of_engine(scratch, free_port(), model=scratch.folder / "no-such-model").start()
    await fails_once(watch, "local-model-path-missing")


async def test_port_in_use(scratch: Scratch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        watch = await Watch.of_engine(scratch, other.getsockname()[1]).start()
        await fails_once(watch, "port-in-use-api")


async def test_weights_cut_short(scratch: Scratch) -> None:
    model = Path(shutil.copytree(MODEL, scratch.folder / "model"))
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    watch = await Watch.of_engine(scratch, free_port(), model=model).start()
    await fails_once(watch, "weights-corrupt-or-truncated")


async def test_a_cache_too_small_for_one_request(scratch: Scratch) -> None:
    watch = await Watch.of_engine(scratch, free_port(), "--kv-cache-memory-bytes", "1M").start()
    await fails_once(watch, "kv-cache-smaller-than-max-model-len")


async def test_unknown_flag(scratch: Scratch) -> None:
    watch = await Watch.of_engine(scratch, free_port(), "--no-such-flag").start()
    await fails_once(watch, "unknown-or-invalid-argument")


@pytest.mark.timeout(1200)
async def test_a_first_start_that_compiles_raises_nothing(scratch: Scratch) -> None:
    port = free_port()
    cold = {"VLLM_CACHE_ROOT": str(scratch.folder / "cache")}
    watch = await Watch.of_engine(scratch, port, eager=False, environment=cold).start()
    await watch.serving(within=900)
    await first_token(f"http://127.0.0.1:{port}", within=120)
    await watch.no_restart(15)
    assert not watch.seen("AlertFired"), watch.story()
    assert watch.seen("StageReached"), watch.story()
    await watch.end()

"""Which API key a canary carries."""

from pathlib import Path

from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.app.config import Config
from paramedic.app.wiring import keys_of
from paramedic.model.target import Origin, Target

STARTED = Target("m@127.0.0.1:8000", "http://127.0.0.1:8000", Origin.STARTED)
FOUND = Target("x@127.0.0.1:8001", "http://127.0.0.1:8001", Origin.FOUND)


def config(url: str) -> Config:
    return Config.model_validate({"targets": [{"url": url, "api_key": {"env": "HOME"}}]})


def test_an_engine_that_we_started_is_asked_with_the_key_of_its_start(tmp_path: Path) -> None:
    supervisor = ChildSupervisor(tmp_path)
    supervisor.register(STARTED, ["vllm", "serve", "m", "--api-key", "k1"], {"VLLM_API_KEY": "k2"}, "/")
    assert keys_of(Config(), supervisor)(STARTED) == "k1"

    supervisor.register(STARTED, ["vllm", "serve", "m"], {"VLLM_API_KEY": "k2"}, "/")
    assert keys_of(Config(), supervisor)(STARTED) == "k2"


def test_the_configuration_wins(tmp_path: Path) -> None:
    supervisor = ChildSupervisor(tmp_path)
    supervisor.register(STARTED, ["vllm", "serve", "m", "--api-key", "k1"], {}, "/")

    assert keys_of(config(STARTED.url), supervisor, {"HOME": "k0"})(STARTED) == "k0"


def test_nobody_else_gets_a_key(tmp_path: Path) -> None:
    supervisor = ChildSupervisor(tmp_path)

    assert keys_of(config(STARTED.url), supervisor)(FOUND) is None
    assert keys_of(Config(), supervisor)(STARTED) is None

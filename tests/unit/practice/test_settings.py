"""What a practice engine was started with survives its command line and its environment variable."""

from pathlib import Path

import pytest

from paramedic.practice.scheduler import BLOCK_TOKENS, BLOCKS
from paramedic.practice.settings import ENVIRONMENT, Settings, read_model_config


def test_round_trip() -> None:
    settings = Settings("/m", 8300, "/d", max_num_seqs=2, traffic=False, tokens_per_second=5, start_seconds=0)
    environment = {ENVIRONMENT: settings.environment()}
    assert Settings.parse(settings.vllm_arguments(), environment, Path("/other")) == settings
    assert Settings.decode(settings.encode()) == settings


def test_the_visible_command_line_is_enough_to_start_again() -> None:
    settings = Settings("/m", 8300, "/d")
    assert Settings.parse(settings.vllm_arguments(), {}, Path("/d")) == settings


def test_an_unknown_flag_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        Settings.parse(["serve", "/m", "--max-num-sequences", "4"], {}, Path("/d"))
    assert ended.value.code == 2
    assert "vllm: error: unrecognized arguments: --max-num-sequences 4" in capsys.readouterr().err


def test_a_model_without_config_takes_defaults(tmp_path: Path) -> None:
    assert read_model_config(tmp_path).max_model_len == 2048
    (tmp_path / "config.json").write_text('{"architectures": ["A"], "max_position_embeddings": 64}')
    config = read_model_config(tmp_path)
    assert (config.architecture, config.max_model_len) == ("A", 64)
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 1000000}')
    assert read_model_config(tmp_path).max_model_len == BLOCKS * BLOCK_TOKENS

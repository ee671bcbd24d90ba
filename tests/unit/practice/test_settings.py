"""What a practice engine was started with survives its command line and its environment variable."""

from pathlib import Path

import pytest

from paramedic.practice.service_law import BLOCK_TOKENS, BLOCKS
from paramedic.practice.settings import ENVIRONMENT, Settings, read_model_config


def test_round_trip() -> None:
    settings = Settings("/m", 8300, "/d", max_num_seqs=2, traffic=False, tokens_per_second=5, start_seconds=0)
    environment = {ENVIRONMENT: settings.environment()}
    assert Settings.parse(settings.vllm_arguments(), environment, Path("/other")) == settings
    assert Settings.decode(settings.encode()) == settings


def test_further_flags_are_on_the_command_line_where_they_differ() -> None:
    settings = Settings(
        "/m", 8300, "/d", data_parallel_size=2, runner="pooling", num_gpu_blocks_override=64, enforce_eager=True
    )
    arguments = settings.vllm_arguments()
    assert " ".join(arguments).endswith(
        "--num-gpu-blocks-override 64 --data-parallel-size 2 --runner pooling --enforce-eager"
    )
    assert "--tensor-parallel-size" not in arguments
    assert Settings.parse(arguments, {}, Path("/d")) == settings
    assert settings.non_default()["data_parallel_size"] == 2
    assert (settings.law.blocks, settings.law.eager) == (64, True)


def test_a_version_that_dropped_a_flag_refuses_it(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = Settings("/m", 8300, "/d").vllm_arguments()
    with pytest.raises(SystemExit) as ended:
        Settings.parse(arguments, {}, Path("/d"), without={"--no-enable-prefix-caching"})
    assert ended.value.code == 2
    assert "vllm: error: unrecognized arguments: --no-enable-prefix-caching" in capsys.readouterr().err


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

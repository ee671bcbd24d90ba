"""Our own model folder is made once, and not again while a fault holds it aside."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from paramedic.practice.model_folder import aside, make_own_model


def test_made_once_and_not_while_aside(tmp_path: Path) -> None:
    model = make_own_model(tmp_path)
    assert (model / "config.json").is_file()
    model.rename(aside(model))
    assert make_own_model(tmp_path) == model
    assert not model.exists()


def test_engines_that_start_at_once_share_a_whole_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(make_own_model, [tmp_path] * 32))
    assert len(set(models)) == 1
    assert [path.name for path in models[0].parent.iterdir()] == ["model"]

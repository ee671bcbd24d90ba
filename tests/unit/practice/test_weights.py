"""What is wrong with a weight file is read from its header, as the loader reads it."""

from pathlib import Path

import pytest

from paramedic.practice import weights


def test_our_own_file_is_sound_until_it_is_cut(tmp_path: Path) -> None:
    weights.make(tmp_path)
    assert weights.damage(tmp_path) == ""
    weights.truncate(tmp_path)
    assert weights.damage(tmp_path).endswith("incomplete metadata, file not fully covered")
    weights.make(tmp_path)
    assert weights.damage(tmp_path) == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "header too small"),
        (b"version https://git-lfs.github.com/spec/v1\n", "header too large"),
        (bytes([200, 0, 0, 0, 0, 0, 0, 0]) + b"{}", "invalid header length"),
        (bytes([2, 0, 0, 0, 0, 0, 0, 0]) + b"{{", "invalid JSON in header"),
        (bytes([2, 0, 0, 0, 0, 0, 0, 0]) + b"{}" + b"more", "file not fully covered"),
    ],
)
def test_damaged_files(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "model-00001.safetensors").write_bytes(content)
    assert weights.damage(tmp_path) == f"Error while deserializing header: {said}".replace(
        "header: file", "header: incomplete metadata, file"
    )


def test_what_a_header_says_of_the_file_itself_is_no_tensor(tmp_path: Path) -> None:
    header = (
        b'{"__metadata__": {"format": "pt"}, "note": null, "w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}'
    )
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
    assert weights.damage(tmp_path) == ""


def test_a_folder_without_weights_is_not_judged(tmp_path: Path) -> None:
    assert weights.damage(tmp_path) == ""

"""The weight file of our own model, and what is wrong with one: its header is really read, as the loader does."""

import json
import struct
from pathlib import Path

OWN_FILE = "model.safetensors"
_LENGTH = struct.Struct("<Q")
_LARGEST_HEADER = 100_000_000
_TENSOR_BYTES = 4096


def make(folder: Path) -> None:
    """Write our own small weight file: one tensor of zeros."""
    tensor = {"dtype": "BF16", "shape": [_TENSOR_BYTES // 2], "data_offsets": [0, _TENSOR_BYTES]}
    header = json.dumps({"model.embed_tokens.weight": tensor}).encode()
    (folder / OWN_FILE).write_bytes(_LENGTH.pack(len(header)) + header + bytes(_TENSOR_BYTES))


def truncate(folder: Path) -> None:
    """Cut the file in half, as an interrupted download leaves it."""
    file = folder / OWN_FILE
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def damage(folder: Path) -> str:
    """What the loader says of the first unreadable weight file of a model; "" where all can be read."""
    return next(filter(None, map(_damage_of, sorted(folder.glob("*.safetensors")))), "")


def _damage_of(file: Path) -> str:
    said = "Error while deserializing header: "
    size = file.stat().st_size
    with file.open("rb") as opened:
        start = opened.read(_LENGTH.size)
        if len(start) < _LENGTH.size:
            return f"{said}header too small"
        (length,) = _LENGTH.unpack(start)
        if length > _LARGEST_HEADER:
            return f"{said}header too large"
        if _LENGTH.size + length > size:
            return f"{said}invalid header length"
        try:
            header = json.loads(opened.read(length))
        except ValueError:
            return f"{said}invalid JSON in header"
    return f"{said}incomplete metadata, file not fully covered" if _LENGTH.size + length + _end(header) != size else ""


def _end(header: object) -> int:
    """Where the last tensor ends, in bytes after the header."""
    described = header.values() if isinstance(header, dict) else ()
    # what else a header holds describes the file
    tensors = [one for one in described if isinstance(one, dict) and "data_offsets" in one]
    return max((int(tensor["data_offsets"][1]) for tensor in tensors), default=0)

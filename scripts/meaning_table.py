"""Measures the semantic cache on a set of paraphrases: `python scripts/meaning_table.py`.

For questions that the lists of words were made with, and for others, at each threshold: how many
paraphrases are served (recall), and how many of the served questions were paraphrases
(precision); with the comparison of words and without it. Prints Markdown.
"""  # noqa: INP001 - a script

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tiergate.core.likeness import contradict, marks, sides
from tiergate.embedding.local import SentenceModel, packaged_model

QUESTIONS = Path(__file__).parent / "paraphrases.toml"
THRESHOLDS = (0.80, 0.85, 0.90, 0.95)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions.

    Attributes:
        similarity: Cosine of their vectors.
        guarded: Their words let the one have the other's answer.
        same: It should.
        unseen: Written after the lists of words.
    """

    asked: str
    kept: str
    similarity: float
    guarded: bool
    same: bool
    unseen: bool


@dataclass(frozen=True, slots=True)
class Score:
    """What a threshold does: right and wrong hits, of so many paraphrases and near misses."""

    right: int
    wrong: int
    paraphrases: int
    others: int

    @property
    def recall(self) -> float:
        """The part of the paraphrases that is served."""
        return self.right / self.paraphrases

    @property
    def precision(self) -> float:
        """The part of what is served that is a paraphrase; 1 where nothing is served."""
        served = self.right + self.wrong
        return self.right / served if served else 1.0


def pairs(vector: Callable[[str], list[float]]) -> list[Pair]:
    """Return all pairs of the set, compared."""
    found: list[Pair] = []
    for entry in tomllib.loads(QUESTIONS.read_text("utf-8"))["question"]:
        kept: str = entry["ask"]
        ours = vector(kept)
        for same, texts in ((True, entry["same"]), (False, entry["other"])):
            for text in texts:
                cosine = sum(a * b for a, b in zip(ours, vector(text), strict=True))
                guarded = marks(kept) == marks(text) and not contradict(sides(kept), sides(text))
                unseen = entry.get("unseen", False)
                found.append(Pair(text, kept, cosine, guarded, same, unseen))
    return found


def score(found: list[Pair], threshold: float, *, guard: bool) -> Score:
    """Count what a threshold does, with the comparison of words or without."""
    served = [p for p in found if p.similarity >= threshold and (p.guarded or not guard)]
    return Score(
        right=sum(p.same for p in served),
        wrong=sum(not p.same for p in served),
        paraphrases=sum(p.same for p in found),
        others=sum(not p.same for p in found),
    )


def table(found: list[Pair]) -> str:
    """Return the table of the docs."""
    names = ("recall", "precision", "wrong answers")
    heads = ["threshold", *names, *(f"{name}, vectors alone" for name in names)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for threshold in THRESHOLDS:
        with_words = score(found, threshold, guard=True)
        alone = score(found, threshold, guard=False)
        cells = [f"{threshold:.2f}"]
        for each in (with_words, alone):
            cells += [f"{each.recall:.0%}", f"{each.precision:.0%}"]
            cells.append(f"{each.wrong} of {each.others}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and print; `--wrong` also names the wrong answers and the lost paraphrases."""
    found = pairs(SentenceModel(packaged_model()).vector)
    for unseen in (False, True):
        part = [pair for pair in found if pair.unseen is unseen]
        asked = len({pair.kept for pair in part})
        what = "unseen" if unseen else "known when the lists of words were made"
        sys.stdout.write(f"{asked} questions, {what}:\n\n{table(part)}\n")
    if "--wrong" in sys.argv:
        for pair in sorted(found, key=lambda p: -p.similarity):
            if pair.same != (pair.guarded and pair.similarity >= min(THRESHOLDS)):
                what = "lost " if pair.same else "wrong"
                sys.stdout.write(
                    f"{what} {pair.similarity:.3f} {pair.guarded} {pair.kept} / {pair.asked}\n"
                )


if __name__ == "__main__":
    main()

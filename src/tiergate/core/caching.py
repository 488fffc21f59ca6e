"""Decides what the response cache does with a request: look up, keep, share, or leave it alone.

Also what the request says of it (`cache` in the body, `Cache-Control`), whose cache it is, and
how the digest of a request is made. Where answers are kept is a store's matter.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json
from tiergate.base.values import Dialect, Operation

RESPONSE_LAYER = "response"
"""The name of this layer in headers, ledger and metrics."""

DEFAULT_TTL = 3600.0
"""Seconds that an answer is kept where nobody says how long."""

DEFAULT_NAMESPACE = "tiergate-answers"

NAMESPACE = re.compile(r"[A-Za-z0-9_.:@/-]{1,128}")
"""What a namespace may be: nothing that means something in a pattern of Redis or in a path."""

LONGEST_TTL = 366 * 86_400.0

NOT_IN_KEY = frozenset(
    {
        "model",
        "stream",
        "stream_options",
        "metadata",
        "user",
        "cache",
        "tags",
        "num_retries",
        "max_retries",
        "timeout",
        "request_timeout",
        "litellm_metadata",
        "litellm_call_id",
        "litellm_trace_id",
        "litellm_session_id",
        "session_id",
    }
)
"""Body members that cannot change the answer, or that are in the key by another way.

The alias stands for `model`, the tenant for `user` and `metadata.user_id`, and of the tags those
that choose a deployment count. Every other member counts, known or not.
"""

DOORS: Mapping[str, tuple[tuple[Dialect, Operation], ...]] = MappingProxyType(
    {
        "completion": ((Dialect.OPENAI, Operation.CHAT),),
        "acompletion": ((Dialect.OPENAI, Operation.CHAT),),
        "text_completion": ((Dialect.OPENAI, Operation.COMPLETION),),
        "atext_completion": ((Dialect.OPENAI, Operation.COMPLETION),),
        "embedding": ((Dialect.OPENAI, Operation.EMBEDDING),),
        "aembedding": ((Dialect.OPENAI, Operation.EMBEDDING),),
        "anthropic_messages": ((Dialect.ANTHROPIC, Operation.CHAT),),
    }
)
"""LiteLLM's words for kinds of calls (`supported_call_types`), and the doors they mean."""

ALL_DOORS = frozenset(door for doors in DOORS.values() for door in doors)


class Bypass(Enum):
    """Why a request has nothing to do with the cache. The value is a label of a metric."""

    OFF = "off"
    """`mode: default_off`, and the request does not ask."""
    CALL_TYPE = "call_type"
    """Calls of this kind are not cached (`supported_call_types`)."""
    DRILL = "drill"
    """A forced failure: a stored answer would hide it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """What a request says of the cache.

    Attributes:
        use: `use-cache`: caches it though `mode` is `default_off`.
        no_cache: Does not look up; the new answer is kept all the same.
        no_store: Looks up; a new answer is not kept, nor given to anybody else.
        ttl: Seconds for which the answer is kept; None leaves it to the configuration.
        max_age: Only answers younger than this many seconds are taken; None takes all.
        namespace: A space of its own inside the configured one, or empty.
    """

    use: bool = False
    no_cache: bool = False
    no_store: bool = False
    ttl: float | None = None
    max_age: float | None = None
    namespace: str = ""


NO_CONTROLS = Controls()


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """What the configuration says of the cache.

    Attributes:
        ttl: Seconds for which an answer is kept.
        namespace: Begins every key.
        default_on: Whether requests that do not ask are cached.
        doors: The kinds of calls that are cached.
        share_users: Answers may cross from one `user` of a request to another.
        share_keys: Answers may cross from one key, user and team of the gateway to another.
        most_bytes: The largest answer that is kept.
    """

    ttl: float = DEFAULT_TTL
    namespace: str = DEFAULT_NAMESPACE
    default_on: bool = True
    doors: frozenset[tuple[Dialect, Operation]] = ALL_DOORS
    share_users: bool = False
    share_keys: bool = False
    most_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Intent:
    """What is done with a request.

    Attributes:
        read: A stored answer may serve it.
        write: Its answer is kept.
        share: It may wait for an identical request that is under way, and others for it.
        ttl: Seconds for which its answer is kept.
        max_age: Only stored answers younger than this serve it, in seconds.
    """

    read: bool
    write: bool
    share: bool
    ttl: float
    max_age: float


def intend(
    policy: CachePolicy,
    controls: Controls,
    door: tuple[Dialect, Operation],
    *,
    drill: bool,
    hurried: bool,
) -> Intent | Bypass:
    """Decide what is done with a request.

    Args:
        policy: The configuration.
        controls: What the request says.
        door: The kind of the call.
        drill: The request forces a failure.
        hurried: It has a time limit of its own, which waiting for another request might break.
    """
    if door not in policy.doors:
        return Bypass.CALL_TYPE
    if not (policy.default_on or controls.use):
        return Bypass.OFF
    if drill:
        return Bypass.DRILL
    return Intent(
        read=not controls.no_cache,
        write=not controls.no_store,
        share=not (controls.no_cache or controls.no_store or hurried),
        ttl=policy.ttl if controls.ttl is None else controls.ttl,
        max_age=math.inf if controls.max_age is None else controls.max_age,
    )


# Not frozen: one is made for every request, and a frozen one costs twice as much to make.
@dataclass(slots=True, kw_only=True)
class Asker:
    """Who asks, in the words of the gateway's keys and of the request; each may be empty."""

    team: str = ""
    user: str = ""
    key: str = ""
    end_user: str = ""


def owner(policy: CachePolicy, asker: Asker) -> tuple[str, str]:
    """Return for whom an answer is: the team, user or key of the gateway, and the request's user.

    Each is empty where the configuration lets answers cross it.
    """
    tenant = ""
    if not policy.share_keys:
        if asker.team:
            tenant = f"team:{asker.team}"
        elif asker.user:
            tenant = f"user:{asker.user}"
        elif asker.key:
            tenant = f"key:{asker.key}"
    return tenant, "" if policy.share_users else asker.end_user


def digest(data: bytes) -> str:
    """Return 64 hex digits that stand for these bytes."""
    return hashlib.sha256(data).hexdigest()


def key_of(policy: CachePolicy, controls: Controls, made: str) -> str:
    """Return the key of an answer: `NAMESPACE:DIGEST`, or `NAMESPACE:SPACE:DIGEST`."""
    inner = f"{controls.namespace}:" if controls.namespace else ""
    return f"{policy.namespace}:{inner}{made}"


def is_key(namespace: str, key: str) -> bool:
    """Tell whether a key of a store is one of this namespace's answers, and nothing else's."""
    space, _, made = key.rpartition(":")
    if len(made) != _DIGITS or not _HEX.fullmatch(made):
        return False
    return space == namespace or space.startswith(f"{namespace}:")


def spaces_of(key: str) -> list[str]:
    """Return the namespaces that a key is in: `a:b:DIGEST` is in `a` and in `a:b`."""
    names = key.split(":")[:-1]
    return [":".join(names[:number]) for number in range(1, len(names) + 1)]


_DIGITS = 64
_HEX = re.compile(r"[0-9a-f]+")

# ---------------------------------------------------------------------- what a request says

_NAMES = {
    "use-cache": "use",
    "no-cache": "no_cache",
    "no-store": "no_store",
    "ttl": "ttl",
    "s-maxage": "max_age",
    "s-max-age": "max_age",
    "namespace": "namespace",
}
_FORM = (
    '`cache` takes "use-cache", "no-cache", "no-store" (true or false), "ttl", "s-maxage" '
    '(seconds) and "namespace" (a name).'
)


def read_controls(value: Json, header: str = "") -> Controls:
    """Read what a request says of the cache; the body's word counts before the header's.

    Args:
        value: The body's member `cache`; None where there is none.
        header: The header `Cache-Control`: `no-cache`, `no-store` and `max-age` count.

    Raises:
        Refused: 400 that names the entry at fault.
    """
    found = _of_header(header) if header else {}
    if value is not None:
        if not isinstance(value, dict):
            raise _malformed("it must be an object")
        for name, given in value.items():
            field = _NAMES.get(name.replace("_", "-"))
            if field is None:
                raise _malformed(f"`{name[:40]}` is not known")
            if given is not None:
                found[field] = _read(field, name, given)
    if not found:
        return NO_CONTROLS
    ttl, age, space = found.get("ttl"), found.get("max_age"), found.get("namespace")
    return Controls(
        use=found.get("use") is True,
        no_cache=found.get("no_cache") is True,
        no_store=found.get("no_store") is True,
        ttl=ttl if isinstance(ttl, float) else None,
        max_age=age if isinstance(age, float) else None,
        namespace=space if isinstance(space, str) else "",
    )


def _read(field: str, name: str, given: Json) -> bool | float | str:
    match field:
        case "ttl" | "max_age":
            if isinstance(given, bool) or not isinstance(given, int | float):
                raise _malformed(f"`{name}` must be a number of seconds")
            if not 0 <= given <= LONGEST_TTL:
                raise _malformed(f"`{name}` must be from 0 to {LONGEST_TTL:.0f} seconds")
            return float(given)
        case "namespace":
            if not isinstance(given, str) or not NAMESPACE.fullmatch(given):
                raise _malformed(f"`{name}` must be 1 to 128 letters, digits and _ . : @ / -")
            return given
        case _:
            if not isinstance(given, bool):
                raise _malformed(f"`{name}` must be true or false")
            return given


def _of_header(header: str) -> dict[str, bool | float | str]:
    """Read `Cache-Control`; what it says beside its three words is for caches on the way."""
    found: dict[str, bool | float | str] = {}
    for directive in header.lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name == "no-cache":
            found["no_cache"] = True
        elif name == "no-store":
            found["no_store"] = True
        elif name == "max-age" and value.isdecimal() and len(value) <= _LONGEST_AGE:
            found["max_age"] = float(value)
    return found


_LONGEST_AGE = 9


def _malformed(why: str) -> Refused:
    return Refused(
        400, f"`cache` is malformed: {why}. {_FORM}", param="cache", code="invalid_cache_control"
    )

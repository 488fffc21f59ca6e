"""What is kept of a virtual key, a user and a team, and how it is written into documents.

Values, and their form as JSON. Which requests make and change them is told in `key_terms`, what
they allow in `key_meaning`. The key itself is never kept: its SHA-256 names the record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import NanoUsd
from tiergate.core.rules import OnStoreFailure

KEY_PREFIX = "key:"
"""Before the hash of a key, in the name of its document."""

ALIAS_PREFIX = "key_alias:"
"""Before the alias of a key, in the name of the document that says whose it is."""

_NOTHING: Mapping[str, Json] = MappingProxyType({})


class _UnreadableError(ValueError):
    """A document holds something else than a record."""


class HolderKind(Enum):
    """What keys can belong to."""

    USER = "user"
    TEAM = "team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a key, a user or a team may do and spend; None where there is no limit.

    Attributes:
        models: Names of aliases as they were given; empty means all.
        max_budget: nano-USD; 0 means that nothing may be spent.
        window: The budget's window in the administrator's words; `none` for a total.
        period: The same in Tiergate's words (`core.rules.BudgetRule.period`).
        soft_budget: nano-USD; spending beyond it is told, and not refused.
        rpm: Requests per minute.
        tpm: Tokens per minute.
        parallel: Requests at the same time.
        tags: Tags that every call carries.
        metadata: Notes of the administrator.
        blocked: Nothing is let through.
        on_store_failure: None: what the file says.
        guardrails: The guards that every call passes.
    """

    models: tuple[str, ...] = ()
    max_budget: NanoUsd | None = None
    window: str = "none"
    period: str = "none"
    soft_budget: NanoUsd | None = None
    rpm: int | None = None
    tpm: int | None = None
    parallel: int | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    blocked: bool = False
    on_store_failure: OnStoreFailure | None = None
    guardrails: tuple[str, ...] = ()


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One virtual key.

    Attributes:
        hash: SHA-256 of the key in hex (LiteLLM's `token`).
        masked: What may be shown of the key: `sk-...abcd`.
        alias: The administrator's name for it, unique; or empty.
        user: `user_id`, or empty.
        team: `team_id`, or empty.
        expires: Unix seconds from which it is refused; None: never.
        chains: The key's own `budget_fallbacks`: aliases, and the aliases to step to.
        created: Unix seconds.
        updated: Unix seconds.
        author: Who made it: `master`, or `local` where no key is asked.
        editor: Who changed it last.
    """

    hash: str
    masked: str = ""
    alias: str = ""
    terms: Terms = NO_TERMS
    user: str = ""
    team: str = ""
    expires: float | None = None
    chains: tuple[tuple[str, tuple[str, ...]], ...] = ()
    created: float = 0.0
    updated: float = 0.0
    author: str = ""
    editor: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a team; the role is noted only."""

    user: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One user or team.

    Attributes:
        kind: Which of the two.
        id: `user_id` or `team_id`.
        alias: The administrator's name for it; or empty.
        email: Of a user; or empty.
        members: Of a team.
        created: Unix seconds.
        updated: Unix seconds.
    """

    kind: HolderKind
    id: str
    alias: str = ""
    email: str = ""
    members: tuple[Member, ...] = ()
    terms: Terms = NO_TERMS
    created: float = 0.0
    updated: float = 0.0


def key_document(key: str) -> str:
    """Return the name of a key's document."""
    return KEY_PREFIX + key


def alias_document(alias: str) -> str:
    """Return the name of the document that says which key has an alias."""
    return ALIAS_PREFIX + alias


def holder_document(kind: HolderKind, name: str) -> str:
    """Return the name of the document of a user or a team."""
    return f"{kind.value}:{name}"


def write_key(record: KeyRecord) -> bytes:
    """Return the document of a key."""
    return _encode(
        {
            "hash": record.hash,
            "masked": record.masked,
            "alias": record.alias,
            "terms": _terms_form(record.terms),
            "user": record.user,
            "team": record.team,
            "expires": record.expires,
            "chains": {alias: list(chain) for alias, chain in record.chains},
            "created": record.created,
            "updated": record.updated,
            "author": record.author,
            "editor": record.editor,
        }
    )


def read_key(body: bytes) -> KeyRecord:
    """Return the key that a document holds.

    Raises:
        ValueError: It holds something else.
    """
    form = _Form(_decode(body))
    chains = form.inner("chains").value
    return KeyRecord(
        hash=form.text("hash"),
        masked=form.text("masked"),
        alias=form.text("alias"),
        terms=_terms(form.inner("terms")),
        user=form.text("user"),
        team=form.text("team"),
        expires=form.number("expires"),
        chains=tuple((alias, _texts(chain)) for alias, chain in chains.items()),
        created=form.number("created") or 0.0,
        updated=form.number("updated") or 0.0,
        author=form.text("author"),
        editor=form.text("editor"),
    )


def write_holder(holder: Holder) -> bytes:
    """Return the document of a user or a team."""
    return _encode(
        {
            "kind": holder.kind.value,
            "id": holder.id,
            "alias": holder.alias,
            "email": holder.email,
            "members": [[member.user, member.role] for member in holder.members],
            "terms": _terms_form(holder.terms),
            "created": holder.created,
            "updated": holder.updated,
        }
    )


def read_holder(body: bytes) -> Holder:
    """Return the user or team that a document holds.

    Raises:
        ValueError: It holds something else.
    """
    form = _Form(_decode(body))
    members = form.value.get("members")
    pairs = [_texts(pair) for pair in members] if isinstance(members, list) else []
    return Holder(
        kind=HolderKind(form.text("kind")),
        id=form.text("id"),
        alias=form.text("alias"),
        email=form.text("email"),
        members=tuple(Member(pair[0], pair[1]) for pair in pairs if len(pair) == 2),
        terms=_terms(form.inner("terms")),
        created=form.number("created") or 0.0,
        updated=form.number("updated") or 0.0,
    )


def _terms_form(terms: Terms) -> JsonObject:
    failure = terms.on_store_failure
    return {
        "models": list(terms.models),
        "max_budget": terms.max_budget,
        "window": terms.window,
        "period": terms.period,
        "soft_budget": terms.soft_budget,
        "rpm": terms.rpm,
        "tpm": terms.tpm,
        "parallel": terms.parallel,
        "tags": list(terms.tags),
        "metadata": dict(terms.metadata),
        "blocked": terms.blocked,
        "on_store_failure": failure.value if failure is not None else None,
        "guardrails": list(terms.guardrails),
    }


def _terms(form: _Form) -> Terms:
    failure = form.text("on_store_failure")
    return Terms(
        models=_texts(form.value.get("models")),
        max_budget=_money(form.whole("max_budget")),
        window=form.text("window"),
        period=form.text("period"),
        soft_budget=_money(form.whole("soft_budget")),
        rpm=form.whole("rpm"),
        tpm=form.whole("tpm"),
        parallel=form.whole("parallel"),
        tags=_texts(form.value.get("tags")),
        metadata=MappingProxyType(form.inner("metadata").value),
        blocked=form.value.get("blocked") is True,
        on_store_failure=OnStoreFailure(failure) if failure else None,
        guardrails=_texts(form.value.get("guardrails")),
    )


@dataclass(frozen=True, slots=True)
class _Form:
    """Reads the members of a document that this module has written."""

    value: JsonObject

    def inner(self, name: str) -> _Form:
        found = self.value.get(name)
        return _Form(found if isinstance(found, dict) else {})

    def text(self, name: str) -> str:
        found = self.value.get(name)
        if found is None:
            return ""
        if not isinstance(found, str):
            raise _UnreadableError(f"{name} of a stored record is no text")
        return found

    def number(self, name: str) -> float | None:
        found = self.value.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise _UnreadableError(f"{name} of a stored record is no number")
        return float(found)

    def whole(self, name: str) -> int | None:
        found = self.value.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int):
            raise _UnreadableError(f"{name} of a stored record is no whole number")
        return found


def _texts(value: Json) -> tuple[str, ...]:
    """Return a list of texts. One that cannot be read must not pass for "no restriction"."""
    if value is None:
        return ()
    texts = [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(texts) != len(value):
        raise _UnreadableError("a list of a stored record is none")
    return tuple(texts)


def _money(value: int | None) -> NanoUsd | None:
    return None if value is None else NanoUsd(value)


def _encode(form: JsonObject) -> bytes:
    return json.dumps(form, separators=(",", ":")).encode()


def _decode(body: bytes) -> JsonObject:
    found: Json = json.loads(body)
    if not isinstance(found, dict):
        raise _UnreadableError("a stored record is no JSON object")
    return found

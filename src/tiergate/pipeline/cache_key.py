"""Collects what makes two requests equal for the response cache: all that can change the answer.

What is left out is a short list (`core.caching.NOT_IN_KEY`); everything else counts, whether it
is known here or not. Whose answer it is counts too, and what stands behind the alias.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from tiergate.base.jsontypes import Json
from tiergate.base.values import AliasName, Operation
from tiergate.core.caching import NOT_IN_KEY, Asker, CachePolicy, digest, key_of, owner
from tiergate.core.catalog import Deployment, Settings
from tiergate.core.plan import Wish
from tiergate.core.tags import NO_TAGS
from tiergate.ports import Form, Inbound
from tiergate.wire.canonical import canonical, canonical_without
from tiergate.wire.members import Members, encode

_COUNTED = ("n", "best_of")
"""Members that ask for several answers. A stream of several cannot be put together."""

_KEPT_APART = ("logprobs", "audio", "modalities", "functions")
"""Members whose answers lose something when a stream is put together, or played from a body."""

_MAY_BE_APART = frozenset((*_COUNTED, *_KEPT_APART))

_PACK = msgspec.msgpack.Encoder().encode
_NOTHING = (b"null", b"false", b"[]", b"{}")


class CacheKeys:
    """Makes the keys of requests under one configuration.

    Args:
        policy: What the configuration says of the cache.
        settings: The rest of it: what stands behind each alias, and whether tags select.
    """

    def __init__(self, policy: CachePolicy, settings: Settings) -> None:
        self._policy = policy
        self._filtering = settings.router.tag_filtering
        self._behind: Mapping[AliasName, bytes] = MappingProxyType(_behind(settings.deployments))

    def of(self, inbound: Inbound, wish: Wish) -> str:
        """Return the key of a request."""
        return key_of(self._policy, inbound.cache, digest(self._whole(inbound, wish, {}, ())))

    def partition(
        self, inbound: Inbound, wish: Wish, messages: bytes, further: tuple[str, ...]
    ) -> str:
        """Return what a request has in common with those it may be compared with by meaning.

        Args:
            inbound: The request.
            wish: What it asks for.
            messages: Its `messages` without the text that is compared.
            further: What must be equal beside them.
        """
        return digest(self._whole(inbound, wish, {"messages": messages}, further))

    def _whole(
        self,
        inbound: Inbound,
        wish: Wish,
        other: Mapping[str, bytes],
        further: tuple[str, ...],
    ) -> bytes:
        """Return all that makes requests equal, with other values for some members."""
        caller = inbound.caller
        asker = Asker(
            team=caller.team, user=caller.user, key=caller.key, end_user=inbound.user or ""
        )
        tenant, user = owner(self._policy, asker)
        counted = None if other else canonical_without(inbound.members.body, NOT_IN_KEY)
        # One list with lengths in it, so that no part can run into the next one.
        return _PACK(
            (
                inbound.alias,
                inbound.asked,
                self._behind.get(inbound.alias, b""),
                inbound.dialect.value,
                inbound.operation.value,
                tenant.encode("utf-8", "surrogatepass"),
                user.encode("utf-8", "surrogatepass"),
                inbound.cache.namespace,
                inbound.query,
                form_of(inbound).value if in_one_form(inbound) else "",
                sorted(inbound.forward),
                self._tags(wish),
                _one_by_one(inbound.members, other) if counted is None else counted,
                further,
            )
        )

    def _tags(self, wish: Wish) -> list[list[str]]:
        """Return the tags that choose a deployment; others are for the accounts only."""
        tags = wish.tags
        if tags is NO_TAGS:
            return []
        chosen = [sorted(tags.environments)]
        if self._filtering:
            chosen += [sorted(tags.tags), sorted(tags.required), sorted(tags.excluded)]
        return chosen if any(chosen) else []


def form_of(inbound: Inbound) -> Form:
    """Return the form in which a request wants its answer."""
    if not inbound.stream:
        return Form.PLAIN
    return Form.METERED if inbound.include_usage else Form.STREAM


def in_one_form(inbound: Inbound) -> bool:
    """Tell whether an answer to the request cannot be turned into another form.

    Such answers are kept apart by form, so that a plain request never gets less than a plain
    call would have given.
    """
    members = inbound.members
    if inbound.operation is Operation.EMBEDDING:
        return False
    if inbound.operation is Operation.COMPLETION:
        return True
    if members.has_none(_MAY_BE_APART):
        return False
    if any(name in members and members.raw(name) not in _NOTHING for name in _KEPT_APART):
        return True
    return any(_several(members, name) for name in _COUNTED)


def _one_by_one(members: Members, other: Mapping[str, bytes]) -> list[str | bytes]:
    """Return the members that count, by name, each in one form as far as that is worth it."""
    counted: list[str | bytes] = []
    for name in sorted(members.names()):
        if name not in NOT_IN_KEY:
            counted += (name, canonical(other.get(name) or members.raw(name) or b""))
    return counted


def _several(members: Members, name: str) -> bool:
    return name in members and members.raw(name) not in (*_NOTHING, b"1")


def _behind(deployments: Iterable[Deployment]) -> dict[AliasName, bytes]:
    """Say what stands behind each alias: another model there gives other answers."""
    found: dict[AliasName, set[bytes]] = {}
    for deployment in deployments:
        what: list[Json] = [
            deployment.provider,
            deployment.model,
            deployment.default_max_tokens,
            deployment.drop_params,
            list[Json](sorted(deployment.additional_drop_params)),
            dict(deployment.defaults),
        ]
        said = canonical(encode(what))
        found.setdefault(deployment.alias, set()).add(said)
    return {alias: b"\n".join(sorted(said)) for alias, said in found.items()}

"""The administrative routes of the response cache, by LiteLLM's names: ping, delete, flushall.

What they touch are answers of the configured namespace, and never anything else in the store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.caching import is_key
from tiergate.ports import AnswerStore, Meanings
from tiergate.web.admin import Asked, Route, Told

LOG = logging.getLogger("tiergate.cache")

MOST_KEYS = 1000
"""Keys that one request may name."""


@dataclass(frozen=True, slots=True)
class OpenCache:
    """The cache of the configuration in force."""

    store: AnswerStore
    namespace: str
    ttl: float
    meanings: Meanings | None = None


class CacheRoutes:
    """Answers the routes.

    Args:
        cache: Gives the cache in force; None where there is none.
    """

    def __init__(self, cache: Callable[[], OpenCache | None]) -> None:
        self._cache = cache

    def routes(self) -> list[Route]:
        """Return the table of routes."""
        return [
            Route("GET", "/cache/ping", self._ping),
            Route("GET", "/cache/stats", self._stats),
            Route("POST", "/cache/delete", self._delete),
            Route("POST", "/cache/flushall", self._flush),
        ]

    def _open(self) -> OpenCache:
        cache = self._cache()
        if cache is None:
            raise Refused(
                400,
                "There is no response cache: the configuration does not say "
                "litellm_settings.cache: true.",
                code="no_cache",
            )
        return cache

    async def _ping(self, asked: Asked) -> Told:
        del asked
        cache = self._open()
        why = await cache.store.ping()
        figures = await cache.store.figures()
        body: JsonObject = {
            "status": "healthy" if why is None else "unhealthy",
            "cache_type": figures.kind,
            "ping_response": why is None,
            "place": figures.place,
            "namespace": cache.namespace,
        }
        if why is not None:
            body["error"] = why
        return Told(body, 200 if why is None else 503)

    async def _stats(self, asked: Asked) -> Told:
        del asked
        cache = self._open()
        figures = await cache.store.figures()
        return Told(
            {
                "cache_type": figures.kind,
                "place": figures.place,
                "namespace": cache.namespace,
                "ttl_seconds": cache.ttl,
                "fault": figures.fault,
                "entries": figures.entries,
                "bytes": figures.size,
                "max_bytes": figures.most,
                "dropped": figures.dropped,
                "errors": figures.errors,
            }
        )

    async def _delete(self, asked: Asked) -> Told:
        cache = self._open()
        keys = _keys(asked.body, cache.namespace)
        gone = await cache.store.delete(keys)
        return self._told(gone, cache)

    async def _flush(self, asked: Asked) -> Told:
        cache = self._open()
        if asked.body:
            raise Refused(
                400,
                "This route takes no fields: it forgets all answers of the configured namespace.",
                code="invalid_value",
            )
        gone = await cache.store.clear(cache.namespace)
        if cache.meanings is not None:
            await cache.meanings.clear(cache.namespace)
        LOG.info(
            "cache cleared",
            extra={"namespace": cache.namespace, "answers": gone, "by": asked.caller.name},
        )
        return self._told(gone, cache)

    def _told(self, gone: int | None, cache: OpenCache) -> Told:
        if gone is None:
            raise Refused(
                503,
                f"The cache does not answer, so nothing was deleted: {cache.store.fault}.",
                code="cache_down",
                type="api_error",
            )
        return Told({"status": "success", "deleted": gone, "namespace": cache.namespace})


def _keys(body: JsonObject, namespace: str) -> list[str]:
    """Return the keys that a request names: those of `x-litellm-cache-key`.

    Raises:
        Refused: 400, when they are no keys of this namespace.
    """
    given: Json = body.get("keys")
    if set(body) != {"keys"} or not isinstance(given, list) or not given:
        raise Refused(
            400,
            '`keys` is required: a list such as ["NAMESPACE:..."], as x-litellm-cache-key has '
            "them.",
            param="keys",
            code="invalid_value",
        )
    if len(given) > MOST_KEYS:
        raise Refused(
            400, f"`keys` takes at most {MOST_KEYS} keys.", param="keys", code="invalid_value"
        )
    keys = [key for key in given if isinstance(key, str) and is_key(namespace, key)]
    if len(keys) != len(given):
        raise Refused(
            400,
            f"`keys` has something that is no key of an answer in the namespace {namespace}.",
            param="keys",
            code="invalid_value",
        )
    return keys

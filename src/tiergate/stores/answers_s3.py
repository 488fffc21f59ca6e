"""Keeps the bytes of answers as objects in an S3 bucket, by the library obstore.

S3 forgets nothing by itself. An answer has its end written in it and serves nobody after it; a
lifecycle rule of the bucket should delete what is old.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tiergate.core.cache_plan import BucketPlan
from tiergate.core.caching import is_key
from tiergate.ports import StoreDownError, StoreFigures

if TYPE_CHECKING:  # the library has these names for type checkers only
    from obstore.store import S3Config

DEFAULT_REGION: Final = "us-east-1"
_PROBE: Final = "tiergate-ping"
_AT_ONCE: Final = 500


class BucketAnswers:
    """Implements `answers_guarded.Bytes`.

    Args:
        plan: Where the bucket is.
        seconds: How long one question may take; the guard in front is mostly quicker.
    """

    kind = "s3"

    def __init__(self, plan: BucketPlan, seconds: float = 10.0) -> None:
        where = plan.endpoint or f"S3 in {plan.region or DEFAULT_REGION}"
        self.place = f"bucket {plan.name} at {where}"
        self._start = f"{plan.path}/" if plan.path else ""
        self._store = open_bucket(plan, seconds)

    async def read(self, key: str) -> bytes | None:
        """Return the bytes of a key."""
        with self._told():
            try:
                found = await obstore.get_async(self._store, self._path(key))
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    def begin(self, key: str, seconds: float) -> None:
        """Nothing is read without a task here."""
        del key, seconds

    async def write(self, key: str, data: bytes, seconds: float) -> None:
        """Keep bytes; S3 does not forget them."""
        del seconds
        with self._told():
            await obstore.put_async(self._store, self._path(key), data)

    def post(
        self, key: str, data: bytes, seconds: float, done: Callable[[str | None], None]
    ) -> bool:
        """Say that this store is written to by `write` alone."""
        del key, data, seconds, done
        return False

    async def remove(self, keys: Sequence[str]) -> int:
        """Forget keys; S3 does not tell which of them were there."""
        with self._told():
            await obstore.delete_async(self._store, [self._path(key) for key in keys])
        return len(keys)

    async def clear(self, namespace: str) -> int:
        """Forget the answers of a namespace."""
        gone = 0
        async for keys in self._keys(namespace):
            if keys:
                gone += await self.remove(keys)
        return gone

    async def ping(self) -> None:
        """Return if the bucket answers."""
        with self._told(), contextlib.suppress(FileNotFoundError):
            await obstore.head_async(self._store, f"{self._start}{_PROBE}")

    async def figures(self) -> StoreFigures:
        """Return where it is; counting would mean to list the bucket, which costs money."""
        return StoreFigures(kind=self.kind, place=self.place)

    async def aclose(self) -> None:
        """The library closes its connections by itself."""

    # ------------------------------------------------------------------ inside

    def _path(self, key: str) -> str:
        return self._start + key.replace(":", "/")

    async def _keys(self, namespace: str) -> AsyncGenerator[list[str]]:
        space = namespace.replace(":", "/")
        with self._told():
            listed = obstore.list(  # pyright: ignore[reportUnknownMemberType] - one overload
                self._store, f"{self._start}{space}/", chunk_size=_AT_ONCE
            )
            async for page in listed:
                keys: list[str] = []
                for entry in page:
                    inner = str(entry["path"]).removeprefix(f"{self._start}{space}/")
                    key = f"{namespace}:{inner.replace('/', ':')}"
                    if is_key(namespace, key):
                        keys.append(key)
                yield keys

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except (BaseError, OSError) as exc:
            raise StoreDownError(f"{self.place}: {_first_line(exc)}") from exc


def _first_line(exc: Exception) -> str:
    """Return what went wrong; what follows the first line is for developers of the library."""
    text = str(exc).strip().split("\n", 1)[0]
    return text[:_LONGEST]


def open_bucket(plan: BucketPlan, seconds: float) -> S3Store:
    """Make the library's store. What the plan does not say comes from the environment."""
    config: S3Config = {"region": plan.region or os.environ.get(_REGION) or DEFAULT_REGION}
    if plan.endpoint is not None:
        config["endpoint"] = plan.endpoint
    if plan.key_id is not None:
        config["access_key_id"] = plan.key_id
    if plan.secret is not None:
        config["secret_access_key"] = plan.secret.value
    if plan.token is not None:
        config["session_token"] = plan.token.value
    limit = timedelta(seconds=seconds)
    return S3Store(
        plan.name,
        config=config,
        client_options={
            "timeout": limit,
            "connect_timeout": limit,
            "allow_http": plan.endpoint is not None and plan.endpoint.startswith("http://"),
        },
        # A request does not wait for a second try; the guard in front decides what follows.
        retry_config={"max_retries": 0, "retry_timeout": limit},
    )


_REGION: Final = "AWS_REGION"
_LONGEST: Final = 300

"""Opens the sinks that a configuration names, and keeps them over reloads.

The library of a sink is imported only when a configuration asks for it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import assert_never

from tiergate.base.values import AliasName, DeploymentId
from tiergate.core.catalog import Deployment, Settings
from tiergate.core.record import CallRecord
from tiergate.core.sink_plan import (
    BucketPlace,
    CustomPlace,
    FilePlace,
    OtlpPlace,
    SinkPlan,
    WebhookPlace,
)
from tiergate.pipeline.capture import CapturingEngine
from tiergate.pipeline.leading import Runs
from tiergate.ports import Clock, Inbound
from tiergate.providers.forms import AnswerForms
from tiergate.telemetry.callbacks import Callbacks, Opened
from tiergate.telemetry.counts import Counts
from tiergate.telemetry.custom_hooks import GUARDING, Hooks
from tiergate.telemetry.custom_sink import PACE, CustomSender
from tiergate.telemetry.file_sink import FileSender
from tiergate.telemetry.langfuse import Generations
from tiergate.telemetry.posting import OtlpSender, Post, WebhookSender, Writer
from tiergate.telemetry.spans import CallSpans
from tiergate.telemetry.words import Fold
from tiergate.web.telling import TellingRules
from tiergate.wire.members import Members
from tiergate.wiring.custom_module import load_object

LOG = logging.getLogger("tiergate.callbacks")

FILE = "calls.jsonl"
"""Of the `file` callback, where nobody names another."""

BUCKET_SECONDS = 10.0
"""How long one object may be on its way."""


class Sinks:
    """The sinks of one gateway.

    Args:
        post: Sends requests.
        counts: Where failures and losses are counted.
        directory: The state directory; None where nothing outlives the process.
        clock: Monotonic seconds.
    """

    def __init__(self, post: Post, counts: Counts, directory: Path | None, clock: Clock) -> None:
        self._post = post
        self._directory = directory
        self._clock = clock
        self.callbacks = Callbacks(counts.callback_failures, counts.callback_drops, clock)

    def configure(self, settings: Settings) -> None:
        """Tell the sinks of this configuration from now on.

        Raises:
            ValueError: One cannot be opened; then everything stays as it is.
        """
        opener = _Opener(self._post, self._directory, self._clock, settings)
        self.callbacks.configure(settings.sinks.sinks, opener)

    def rules(self, settings: Settings) -> TellingRules | None:
        """Return how requests are read for sinks; None where there are none."""
        plans = settings.sinks
        return TellingRules(may_disable=plans.may_disable) if plans.sinks else None

    def in_front_of(self, engine: Runs, settings: Settings) -> Runs:
        """Return what serves requests: the engine itself where no sink gets words."""
        return CapturingEngine(engine) if settings.sinks.words else engine

    async def aclose(self) -> None:
        """Send what waits, as far as there is time for it."""
        await self.callbacks.aclose()


class _Opener:
    """Implements `callbacks.Opener` for one configuration."""

    def __init__(
        self, post: Post, directory: Path | None, clock: Clock, settings: Settings
    ) -> None:
        self._post = post
        self._directory = directory
        self._clock = clock
        self._deployments: Mapping[DeploymentId, Deployment] = {
            each.id: each for each in settings.deployments
        }

    def __call__(self, plan: SinkPlan) -> Opened:
        """Open a sink; see `callbacks.Opener`."""
        fold = fold_stream if plan.words else None
        write = Writer(fold, nameless=plan.nameless)
        place = plan.place
        match place:
            case WebhookPlace():
                return Opened(WebhookSender(self._post, place, write, self._clock))
            case OtlpPlace():
                return self._traces(plan, place, fold)
            case FilePlace():
                folder = self._directory if self._directory is not None else Path()
                return Opened(FileSender(place, folder / FILE, write, self._clock))
            case BucketPlace():
                return self._bucket(place, write)
            case CustomPlace():
                return self._custom(plan, place, fold)
            case _:
                assert_never(place)

    def _traces(self, plan: SinkPlan, place: OtlpPlace, fold: Fold | None) -> Opened:
        if place.langfuse:
            spans_of = Generations(nameless=plan.nameless).of
        else:
            spans_of = CallSpans(self._deployments, nameless=plan.nameless).of
        release = version("tiergate")
        return Opened(OtlpSender(self._post, place, spans_of, fold, release, self._clock))

    def _bucket(self, place: BucketPlace, write: Writer) -> Opened:
        from tiergate.stores.answers_s3 import open_bucket
        from tiergate.telemetry.bucket_sink import BucketSender

        store = open_bucket(place.bucket, BUCKET_SECONDS)
        return Opened(BucketSender(place, store, write, self._clock))

    def _custom(self, plan: SinkPlan, place: CustomPlace, fold: Fold | None) -> Opened:
        try:
            hooks = Hooks(load_object(place.name, place.folder))
        except ValueError as exc:
            raise ValueError(f"the callback {place.name} cannot be used: {exc}") from exc
        _say_uncalled(place.name, hooks.uncalled)
        sender = CustomSender(plan.name, hooks, fold, nameless=plan.nameless)
        return Opened(sender, PACE, sender.close, lasts=True)


def _say_uncalled(name: str, uncalled: Sequence[str]) -> None:
    """Tell of methods that a logger has and that nobody calls."""
    guarding = [method for method in uncalled if method in GUARDING]
    others = [method for method in uncalled if method not in GUARDING]
    if guarding:
        LOG.warning(
            "methods of a callback that change or stop calls are not called; list it under "
            "guardrails, with the mode it is for",
            extra={"callback": name, "methods": ",".join(guarding)},
        )
    if others:
        LOG.warning(
            "methods of a callback are not called here",
            extra={"callback": name, "methods": ",".join(others)},
        )


def fold_stream(record: CallRecord, events: bytes) -> bytes | None:
    """Put a stream together to a plain answer; implements `words.Fold`."""
    telling = record.telling
    inbound = Inbound(
        call_id=record.call_id,
        received=0.0,
        wall=record.wall,
        dialect=record.dialect,
        operation=record.operation,
        asked=telling.asked if telling is not None else record.asked,
        alias=AliasName(record.asked),
        stream=True,
        include_usage=True,
        members=Members.read(b"{}"),
    )
    return AnswerForms(lambda: record.wall).as_plain(inbound, events, record.usage)

"""Builds the guards of a configuration, and puts them in front of what serves requests.

Every guard is built at the start: one that cannot be built stops it, or refuses the reload.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from tiergate.base.errors import Refused
from tiergate.config.findings import At, Finding, Findings
from tiergate.core.catalog import Catalog, Settings
from tiergate.core.guard_options import LengthOptions, RemoteOptions, ToolOptions
from tiergate.core.guard_plan import ClassOptions, GuardPlan, Stage
from tiergate.pipeline.guard_checks import Checks, Installed
from tiergate.pipeline.guard_open import needs_whole
from tiergate.pipeline.guarding import GuardedEngine, GuardParts
from tiergate.pipeline.leading import Runs
from tiergate.ports import Clock, Inbound, Observer
from tiergate.ports.guarding import Fetch, GuardError
from tiergate.pricing import estimate_prompt
from tiergate.providers.forms import AnswerForms
from tiergate.providers.sse import SseSplitter
from tiergate.telemetry.counts import Counts
from tiergate.telemetry.guard_counts import GuardCounts
from tiergate.wiring.custom_guard import install_class
from tiergate.wiring.guard_means import make_guard

LOG = logging.getLogger("tiergate.guardrails")

RETIRE_SECONDS = 60.0
"""How long looks of an older configuration may still go on after a reload."""


class Guards:
    """The guards of one gateway.

    Args:
        fetch: Asks services.
        counts: Where is counted what they do.
        clock: Monotonic seconds.
    """

    def __init__(self, fetch: Fetch, counts: Counts, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._checks = Checks(GuardCounts(counts), clock)
        self._engines: list[GuardedEngine] = []
        self.installed: tuple[Installed, ...] = ()

    @property
    def checks(self) -> Checks:
        """What runs them."""
        return self._checks

    def build(self, settings: Settings) -> tuple[Installed, ...]:
        """Build the guards of a configuration.

        Raises:
            ValueError: One cannot be built; the sentence names file and line.
        """
        return tuple(_build(plan, self._fetch, self._clock) for plan in settings.guards)

    def in_front_of(
        self,
        engine: Runs,
        installed: tuple[Installed, ...],
        catalog: Catalog,
        observer: Observer,
    ) -> Runs:
        """Return what serves requests under a configuration: the engine itself without guards."""
        self.installed = installed
        self._engines = [each for each in self._engines if each.busy]
        if not installed:
            return engine
        _say(installed)
        options = [each.plan.options for each in installed]
        counts = any(isinstance(each, LengthOptions) for each in options)
        guarded = GuardedEngine(
            engine,
            GuardParts(
                installed=installed,
                checks=self._checks,
                observer=observer,
                forms=AnswerForms(time.time),
                splitter=SseSplitter,
                clock=self._clock,
                tokens=_Tokens(catalog) if counts else None,
                tools=any(isinstance(each, ToolOptions) for each in options),
                headers=frozenset(
                    name.lower()
                    for each in options
                    if isinstance(each, RemoteOptions)
                    for name in each.forwarded
                ),
            ),
        )
        self._engines.append(guarded)
        return guarded

    async def aclose(self) -> None:
        """End the looks that go on without their request."""
        await asyncio.gather(*(each.aclose() for each in self._engines))


class _Tokens:
    """Estimates the tokens of a prompt, at the first deployment of its alias."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __call__(self, inbound: Inbound) -> int:
        alias = self._catalog.aliases.get(inbound.alias)
        if alias is None or not alias.deployments:
            return 0
        return estimate_prompt(inbound, alias.deployments[0])


def tried(plans: Sequence[GuardPlan]) -> tuple[Finding, ...]:
    """Build guards for a try; returns an error for each that cannot be built."""
    findings = Findings()
    for plan in plans:
        try:
            _build(plan, _no_fetch, time.monotonic)
        except ValueError as exc:
            findings.error(
                "guardrail-not-built", At(f"guardrail {plan.name}", plan.source), str(exc)
            )
    return findings.result()


async def _no_fetch(
    url: str, headers: Sequence[tuple[str, str]], body: bytes, limit: int
) -> tuple[int, bytes]:
    del url, headers, body, limit
    raise ConnectionError("nothing is asked while a configuration is checked")


def _build(plan: GuardPlan, fetch: Fetch, clock: Clock) -> Installed:
    try:
        if isinstance(plan.options, ClassOptions):
            return install_class(plan)
        return Installed(plan, guard=make_guard(plan, fetch, clock))
    except (GuardError, ValueError, Refused) as exc:
        raise ValueError(f"the guardrail {plan.name} cannot be built: {exc}") from None


def _say(installed: Sequence[Installed]) -> None:
    """Say which guards hold back whole streams: their callers wait for the end."""
    for each in installed:
        if Stage.POST_CALL in each.plan.modes.all and needs_whole((each,)):
            LOG.warning(
                "a guardrail needs whole answers: streams that it checks are held back until "
                "their end",
                extra={"guardrail": each.plan.name, "kind": each.plan.kind},
            )

"""Makes the guard that a plan asks for. What needs a library of its own is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tiergate.core.guard_options import (
    FilterOptions,
    InjectionOptions,
    LengthOptions,
    ModerationOptions,
    PiiEngine,
    PiiOptions,
    RemoteOptions,
    SecretsOptions,
    ToolOptions,
)
from tiergate.core.guard_plan import GuardPlan
from tiergate.guards.content_filter import ContentFilter
from tiergate.guards.detectors import Detectors
from tiergate.guards.injection import InjectionGuard
from tiergate.guards.length import LengthGuard
from tiergate.guards.matching import BadPatternError
from tiergate.guards.moderation import ModerationGuard
from tiergate.guards.pii import Finder, PiiGuard
from tiergate.guards.pii_patterns import PatternFinder
from tiergate.guards.presidio_service import PresidioService
from tiergate.guards.remote import RemoteGuard
from tiergate.guards.secrets import SecretsGuard
from tiergate.guards.tools import ToolGuard
from tiergate.ports import Clock
from tiergate.ports.guarding import Fetch, Guard, GuardError

LocalPresidioMaker: TypeAlias = Callable[[PiiOptions], Finder]
DetectorsMaker: TypeAlias = Callable[[SecretsOptions, Clock], Detectors]


@dataclass(frozen=True, slots=True)
class GuardMeans:
    """What guards work with.

    Attributes:
        fetch: Asks services.
        clock: Monotonic seconds.
        presidio: Makes the finder that is Presidio in this process.
        detectors: Makes the detectors of detect-secrets.
    """

    fetch: Fetch
    clock: Clock
    presidio: LocalPresidioMaker
    detectors: DetectorsMaker


def build_guard(plan: GuardPlan, means: GuardMeans) -> Guard:
    """Return the guard of a plan.

    Raises:
        GuardError: It cannot be built; the text says why.
    """
    try:
        return _made(plan, means)
    except (BadPatternError, ValueError, ImportError) as exc:
        raise GuardError(f"the guardrail {plan.name} cannot be built: {exc}") from None


def _made(plan: GuardPlan, means: GuardMeans) -> Guard:
    match plan.options:
        case FilterOptions() as options:
            return ContentFilter(options, means.clock)
        case SecretsOptions() as options:
            wanted = options.plugins is not None
            detectors = means.detectors(options, means.clock) if wanted else None
            return SecretsGuard(options, means.clock, detectors)
        case PiiOptions() as options:
            return PiiGuard(options, _finder(options, means))
        case LengthOptions() as options:
            return LengthGuard(options)
        case InjectionOptions() as options:
            return InjectionGuard(options, means.clock)
        case ModerationOptions() as options:
            return ModerationGuard(options, means.fetch)
        case RemoteOptions() as options:
            return RemoteGuard(options, means.fetch)
        case ToolOptions() as options:
            return ToolGuard(options)
        case _:
            raise GuardError(f"there is no guardrail of the kind {plan.kind}")


def _finder(options: PiiOptions, means: GuardMeans) -> Finder:
    match options.engine:
        case PiiEngine.PATTERNS:
            return PatternFinder(options, means.clock)
        case PiiEngine.PRESIDIO:
            return means.presidio(options)
        case PiiEngine.SERVICE:
            return PresidioService(options, means.fetch)

"""Builds the guards that Tiergate brings along; each library is imported when it is asked for.

A start without guards imports none of them: `regex` alone takes 20 to 60 ms, Presidio seconds.
"""

from __future__ import annotations

from tiergate.core.guard_options import PiiOptions, SecretsOptions
from tiergate.core.guard_plan import GuardPlan
from tiergate.guards.detectors import Detectors
from tiergate.guards.pii import Finder
from tiergate.ports import Clock
from tiergate.ports.guarding import Fetch, Guard


def make_guard(plan: GuardPlan, fetch: Fetch, clock: Clock) -> Guard:
    """Return the guard of a plan.

    Args:
        plan: What the configuration says of it.
        fetch: Asks services.
        clock: Monotonic seconds.

    Raises:
        GuardError: It cannot be built; the text says why.
    """
    from tiergate.guards.build import GuardMeans, build_guard

    return build_guard(plan, GuardMeans(fetch, clock, presidio=presidio, detectors=detectors))


def presidio(options: PiiOptions) -> Finder:
    """Return the finder that is Presidio in this process.

    Raises:
        ValueError: Its model or a recognizer cannot be used.
    """
    from tiergate.guards.presidio_local import LocalPresidio

    return LocalPresidio(options)


def detectors(options: SecretsOptions, clock: Clock) -> Detectors:
    """Return the detectors of detect-secrets.

    Raises:
        ValueError: There is no such detector.
    """
    from tiergate.guards.detected_secrets import DetectSecrets

    return DetectSecrets(options, clock)

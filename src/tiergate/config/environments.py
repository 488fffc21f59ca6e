"""Splits `supported_environments` into the two things it says, and decides what is off.

`development`, `staging` and `production` are environments of the process, as in LiteLLM: a
deployment of another one is never used. All other names are environments of requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tiergate.base.values import Position
from tiergate.config.findings import At, Findings

PROCESS_NAMES: Final = ("development", "staging", "production")
VARIABLES: Final = ("TIERGATE_ENVIRONMENT", "LITELLM_ENVIRONMENT")


@dataclass(frozen=True, slots=True)
class Environments:
    """What `supported_environments` of one deployment says.

    Attributes:
        of_requests: Names that requests are tagged with.
        off: Why the deployment is never used in this process, or None.
    """

    of_requests: tuple[str, ...]
    off: str | None


def split(names: tuple[str, ...], process: str | None) -> Environments:
    """Return what the names mean in a process of the given environment (None: not said)."""
    wanted = tuple(name for name in names if name in PROCESS_NAMES)
    others = tuple(dict.fromkeys(name for name in names if name not in PROCESS_NAMES))
    if not wanted or process in wanted:
        return Environments(others, None)
    allowed = " or ".join(dict.fromkeys(wanted))
    here = f"this process is {process}" if process else f"{VARIABLES[0]} is not set"
    return Environments(others, f"it is for {allowed}, and {here}")


def process_environment(environ: Mapping[str, str], findings: Findings) -> str | None:
    """Return the environment of this process from its variables; None when none is set."""
    for name in VARIABLES:
        value = environ.get(name, "").strip()
        if not value:
            continue
        if value not in PROCESS_NAMES:
            findings.warning(
                "unknown-environment",
                At(name, Position("environment", 0)),
                "is none of " + ", ".join(PROCESS_NAMES),
                "Deployments for one of these are off.",
            )
        return value
    return None

"""What checking a configuration has found, as the running gateway keeps it. Values only.

A remark says what `tiergate check` says of the same files. Secrets are blotted out before it is
made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding of a configuration that is in force.

    Attributes:
        severity: `error`, `warning` or `notice`.
        code: Stable word in kebab-case, such as `unknown-key`.
        place: `file:line`, or the file alone.
        path: Key path in text form; may be empty.
        message: What is the case.
        advice: What to do; may be empty.
    """

    severity: str
    code: str
    place: str
    path: str
    message: str
    advice: str

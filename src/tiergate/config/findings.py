"""What checking a configuration has to say: one finding a line. It decides nothing itself.

A finding names the file and line, the key path, what is wrong, and what to write instead.
Its `code` is a stable word that scripts may rely on; the sentence may change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from tiergate.base.values import Position
from tiergate.core.remarks import Remark

_SHORTEST_SECRET = 8


class Severity(Enum):
    """How much a finding weighs."""

    ERROR = "error"
    """The configuration is not used."""
    WARNING = "warning"
    """It is used; somebody should look at this."""
    NOTICE = "notice"
    """It is used; this says how it was read."""


_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTICE: 2}

_LONGEST_TEXT = 400
"""Characters of a message that are shown; a file may contain a key of a megabyte."""


@dataclass(frozen=True, slots=True)
class At:
    """The place that a finding speaks of: a key path and where it stands.

    A line of 0 means that the file as a whole, or the environment, is meant.
    """

    path: str
    position: Position


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about the configuration.

    Attributes:
        severity: How much it weighs.
        code: Stable word in kebab-case, such as `unknown-key`.
        position: File and line.
        path: Key path in text form (`router_settings.fallbacks[0].cheap`); may be empty.
        message: What is the case, without a final full stop.
        advice: What to do, a sentence of its own; may be empty.
    """

    severity: Severity
    code: str
    position: Position
    path: str
    message: str
    advice: str = ""

    @property
    def place(self) -> str:
        """Return `file:line`, or the file alone where no line is meant."""
        return str(self.position) if self.position.line else self.position.file

    @property
    def remark(self) -> Remark:
        """Return the finding as the running gateway keeps it."""
        return Remark(
            self.severity.value, self.code, self.place, self.path, self.message, self.advice
        )

    def __str__(self) -> str:
        """Return the finding on one line, as compilers write it."""
        parts = [self.place, self.severity.value, *([self.path] if self.path else [])]
        text = f"{': '.join(parts)}: {self.message}"
        return one_line(f"{text}. {self.advice}" if self.advice else text)


def one_line(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return `text` without line breaks and control characters, and cut if it is very long."""
    flat = " ".join(text.split())
    clean = "".join(char if char.isprintable() else "?" for char in flat)
    return clean if len(clean) <= longest else f"{clean[: longest - 3]}..."


class Findings:
    """Collects the findings of one reading. Local to one `load`; never shared."""

    def __init__(self, *, lenient: bool = False, strict: bool = False) -> None:
        self._all: list[Finding] = []
        self._lenient = lenient
        self._strict = strict
        self._hidden: set[str] = set()

    def hide(self, value: str) -> None:
        """Blot out a value in every finding that is added from now on.

        Values of environment variables may be secrets that stand at a wrong place, where no key
        name gives them away. Very short ones are left: they would blot out ordinary words.
        """
        if len(value) >= _SHORTEST_SECRET:
            self._hidden.add(value)

    def error(self, code: str, at: At, message: str, advice: str = "") -> None:
        """Add an error that `--lenient` does not soften."""
        self._add(Severity.ERROR, code, at, message, advice)

    def mistake(self, code: str, at: At, message: str, advice: str = "") -> None:
        """Add an error of spelling, place or type; `--lenient` makes it a warning."""
        severity = Severity.WARNING if self._lenient else Severity.ERROR
        self._add(severity, code, at, message, advice)

    def warning(self, code: str, at: At, message: str, advice: str = "") -> None:
        """Add a warning."""
        self._add(Severity.WARNING, code, at, message, advice)

    def notice(self, code: str, at: At, message: str, advice: str = "") -> None:
        """Add a notice."""
        self._add(Severity.NOTICE, code, at, message, advice)

    def idle(self, severity: Severity, code: str, at: At, message: str, advice: str = "") -> None:
        """Add a finding about a key that does not act; `--strict` makes it an error."""
        self._add(Severity.ERROR if self._strict else severity, code, at, message, advice)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Add findings made elsewhere, unchanged."""
        self._all.extend(findings)

    @property
    def total(self) -> int:
        """How many findings there are so far."""
        return len(self._all)

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return any(each.severity is Severity.ERROR for each in self._all)

    def result(self) -> tuple[Finding, ...]:
        """Return all findings once each: errors first, then in the order of files and lines."""
        files: dict[str, int] = {}
        for each in self._all:
            files.setdefault(each.position.file, len(files))
        unique = dict.fromkeys(self._all)
        return tuple(
            sorted(
                unique,
                key=lambda f: (_ORDER[f.severity], files[f.position.file], f.position.line),
            )
        )

    def _add(self, severity: Severity, code: str, at: At, message: str, advice: str) -> None:
        self._all.append(
            Finding(
                severity,
                code,
                at.position,
                one_line(self._blotted(at.path)),
                one_line(self._blotted(message)),
                self._blotted(advice),
            )
        )

    def _blotted(self, text: str) -> str:
        # The longest first: one value may be a part of another.
        for value in sorted(self._hidden, key=lambda value: (-len(value), value)):
            text = text.replace(value, "***")
        return text

"""What the configuration must know of guards and does not know itself: a Protocol."""

from __future__ import annotations

from typing import Protocol


class GuardFacts(Protocol):
    """Knows built-in patterns, judges patterns of users, and sees what is installed."""

    def patterns(self) -> frozenset[str]:
        """Names of the built-in patterns."""
        ...

    def secrets(self) -> frozenset[str]:
        """Names of the built-in patterns of secrets."""
        ...

    def entities(self) -> frozenset[str]:
        """Kinds of personal data for which there are patterns, in Presidio's names."""
        ...

    def pattern_fault(self, pattern: str) -> str:
        """Why a regular expression cannot be used, as the end of a sentence; empty if it can."""
        ...

    def pattern_slow(self, pattern: str) -> str:
        """A text on which a pattern takes very long, in words; empty where none was found."""
        ...

    def pattern_bounded(self, pattern: str) -> bool:
        """Whether a pattern has a longest match."""
        ...

    def tool_pattern(self, text: str) -> str:
        """The regular expression that a tool's name in a rule stands for."""
        ...

    def detectors(self) -> frozenset[str]:
        """Names of the detectors of detect-secrets, which is installed."""
        ...

    def model_fault(self, model: str) -> str:
        """Why a spaCy model cannot be used, as a sentence without a full stop; empty if it can."""
        ...

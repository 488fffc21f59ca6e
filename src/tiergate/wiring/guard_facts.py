"""Implements `config.guard_facts.GuardFacts`; the guards are imported when a file asks for one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


class InstalledGuards:
    """What this installation knows of guards."""

    def patterns(self) -> frozenset[str]:
        """Names of the built-in patterns."""
        from tiergate.guards.known_patterns import NAMES

        return NAMES

    def secrets(self) -> frozenset[str]:
        """Names of the built-in patterns of secrets."""
        from tiergate.guards.known_secrets import SECRETS

        return frozenset(SECRETS)

    def entities(self) -> frozenset[str]:
        """Kinds of personal data for which there are patterns."""
        from tiergate.guards.pii_patterns import ENTITIES

        return frozenset(ENTITIES)

    def pattern_fault(self, pattern: str) -> str:
        """Why a regular expression cannot be used; empty if it can."""
        from tiergate.guards.matching import BadPatternError, compiled

        try:
            compiled(pattern)
        except BadPatternError as exc:
            return str(exc)
        return ""

    def pattern_slow(self, pattern: str) -> str:
        """A text on which a pattern takes very long, in words; empty where none was found."""
        from tiergate.guards.probing import runaway

        return runaway(pattern)

    def pattern_bounded(self, pattern: str) -> bool:
        """Whether a pattern has a longest match."""
        from tiergate.guards.width import widest

        return widest(pattern) is not None

    def tool_pattern(self, text: str) -> str:
        """The regular expression that a tool's name in a rule stands for."""
        from tiergate.guards.tools import tool_pattern

        return tool_pattern(text)

    def detectors(self) -> frozenset[str]:
        """Names of the detectors of detect-secrets."""
        from tiergate.guards.detected_secrets import detector_names

        return detector_names()

    def model_fault(self, model: str) -> str:
        """Why a spaCy model cannot be used; empty if it can. Nothing is loaded."""
        if Path(model).is_dir() or (model.isidentifier() and find_spec(model) is not None):
            return ""
        return f"the spaCy model {model} is neither an installed package nor a folder"

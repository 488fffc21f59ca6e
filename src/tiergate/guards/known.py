"""What a built-in pattern is, and how it becomes a rule. The patterns stand in `known_*`."""

from __future__ import annotations

from dataclasses import dataclass

from tiergate.core.guard_options import Reaction
from tiergate.guards.matching import Measure, Rule, compiled
from tiergate.guards.width import widest


@dataclass(frozen=True, slots=True)
class KnownPattern:
    """One built-in pattern.

    Attributes:
        pattern: The regular expression; bounded, and quick on any text.
        group: The group that is the finding.
        measure: Says how much of a candidate counts.
        needs: Words of which one must be in a text, case folded; see `matching.Rule`.
        more: Names of other patterns that are looked for with it, under its name.
    """

    pattern: str
    group: int = 0
    measure: Measure | None = None
    needs: tuple[str, ...] = ()
    more: tuple[str, ...] = ()

    def rule(self, name: str, reaction: Reaction, instead: str = "") -> Rule:
        """Return the rule that looks for it.

        Args:
            name: What a finding is called.
            reaction: What is to be done.
            instead: What masks a finding; empty for a numbered placeholder.
        """
        reach = widest(self.pattern)
        if reach is None:
            raise ValueError(f"the built-in pattern {name} has no longest match")
        return Rule(
            name=name,
            pattern=compiled(self.pattern),
            reaction=reaction,
            instead=instead,
            group=self.group,
            measure=self.measure,
            reach=reach,
            needs=self.needs,
            trusted=True,
        )

"""What the phases of the work may ask for, and how much: the resolved policy. Values only.

It comes from `backlog.config.json` (`llmOps`). Which alias `auto` means is decided in `core.auto`,
when a ticket may escalate in `core.escalation`, what is cut from a long prompt in `core.turns`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from tiergate.base.values import AliasName

AUTO = AliasName("auto")
"""The model name by which a request leaves the choice of an alias to its phase or tags."""


class TooLong(Enum):
    """What happens to a prompt that is longer than its phase allows."""

    REFUSE = "refuse"
    """400 with the counts."""
    TRUNCATE_OLDEST = "truncate-oldest"
    """The oldest turns are left out, whole, until the rest fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationPolicy:
    """How the dearest alias is guarded.

    Attributes:
        alias: `routing.escalationModel`: calls of it, for a ticket, are escalations.
        limit: `routing.maxEscalationsPerTicket`; None counts nothing and limits nothing.
        reason_required: `gateway.requireEscalationReason`.
    """

    alias: AliasName
    limit: int | None = None
    reason_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePolicy:
    """What holds for one phase of the work.

    Attributes:
        name: How it is shown, such as `bulk-refine`.
        alias: Where `auto` leads (`routing.entryModelBulkRefine`); None where nothing is written.
        max_input: Most tokens of a prompt (`tokenPolicy.maxInputByPhase`).
        max_output: Most tokens of an answer (`tokenPolicy.maxOutputByPhase`).
    """

    name: str
    alias: AliasName | None = None
    max_input: int | None = None
    max_output: int | None = None


_NO_PHASES: Mapping[str, PhasePolicy] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPolicy:
    """Everything that `llmOps` says and this gateway acts on.

    Attributes:
        phases: By folded name (`fold_phase`), in the order of the file.
        entry: `routing.entryModel`: where `auto` leads when neither phase nor tags choose.
        auto: Whether a request may ask for `auto`.
        too_long: `tokenPolicy.contextWindowStrategy`.
        escalation: None where no escalation alias is named.
    """

    phases: Mapping[str, PhasePolicy] = field(default_factory=lambda: _NO_PHASES)
    entry: AliasName | None = None
    auto: bool = False
    too_long: TooLong = TooLong.REFUSE
    escalation: EscalationPolicy | None = None

    def phase(self, name: str) -> PhasePolicy | None:
        """Return what holds for a phase, however its name is written; None if nothing does."""
        return self.phases.get(fold_phase(name)) if name else None

    @property
    def entered(self) -> tuple[PhasePolicy, ...]:
        """The phases that `auto` knows, in the order of the file."""
        return tuple(phase for phase in self.phases.values() if phase.alias is not None)

    @property
    def limits_tokens(self) -> bool:
        """Whether any phase limits prompts or answers."""
        return any(
            phase.max_input is not None or phase.max_output is not None
            for phase in self.phases.values()
        )


def fold_phase(name: str) -> str:
    """Return the form in which phases are compared: letters and digits, without case.

    `entryModelBulkRefine`, `bulk-refine` and `bulk_refine` all speak of one phase.
    """
    return "".join(char for char in name.casefold() if char.isalnum())


def shown_phase(humps: str) -> str:
    """Return the name of a phase from the end of an `entryModel...` key: `bulk-refine`."""
    out: list[str] = []
    for index, char in enumerate(humps):
        if index and char.isupper() and not humps[index - 1].isupper():
            out.append("-")
        out.append(char.lower())
    return "".join(out)

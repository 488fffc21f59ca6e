"""What a request says it is for: ticket, session, phase, workflow. Values only.

It decides nothing; escalation, phases, budgets and the ledger read it.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 256
"""Most characters of each of these names; a longer one is refused by whoever reads requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a call is for; an empty string where the request does not say.

    Attributes:
        ticket: `metadata.ticket_id`, header `x-tiergate-ticket`, or a tag `ticket:ID`.
        session: `metadata.session_id`, `litellm_session_id`, or header `x-litellm-session-id`.
        phase: `metadata.phase` or header `x-tiergate-phase`.
        workflow: `metadata.workflow` or header `x-tiergate-workflow`.
        reason: `metadata.escalation_reason`: why a call asks for the escalation alias.
    """

    ticket: str = ""
    session: str = ""
    phase: str = ""
    workflow: str = ""
    reason: str = ""


NO_PURPOSE = Purpose()
"""What most requests say; nobody changes it."""

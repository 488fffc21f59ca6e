"""What becomes of a finished call in the ledger."""

from __future__ import annotations

from tiergate.base.values import Usage
from tiergate.core.ledger import Entry, EntryStatus
from tiergate.core.record import CallRecord, Outcome

_STATUS = {
    Outcome.SUCCESS: EntryStatus.SUCCESS.value,
    Outcome.FAILURE: EntryStatus.FAILURE.value,
    Outcome.REFUSED: EntryStatus.REFUSED.value,
    Outcome.CANCELLED: EntryStatus.CANCELLED.value,
}
_DECLINED = EntryStatus.DECLINED.value
_NO_USAGE = Usage()
_NOBODY = ("", "", "", "")


def entry_of(record: CallRecord) -> Entry:
    """Return the record that the ledger keeps of a call.

    What earlier attempts cost is not in it: they have records of their own. An answer from a
    cache has no tokens there, since no provider counts them; what it saved is there in money.
    """
    caller, purpose, deployment = record.caller, record.purpose, record.deployment
    usage = record.usage if record.usage is not None and not record.apart else _NO_USAGE
    if record.cache:
        usage = _NO_USAGE  # no provider made these tokens, and no bill of one will have them
    own = (record.cost or 0) - record.paid
    alias, name, provider, model = _NOBODY
    if deployment is not None:
        alias, name = deployment.alias, deployment.id
        provider, model = deployment.provider, deployment.model
    # By position: by name, 44 fields cost three times as much. Their order is the class's.
    return Entry._make(
        (
            record.call_id,
            record.wall,
            record.booked or record.wall,
            record.operation.value,
            record.dialect.value,
            _STATUS[record.outcome] if record.part == 0 else _DECLINED,
            record.status,
            record.asked,
            record.part,
            alias,
            name,
            provider,
            model,
            caller.key,
            caller.name,
            caller.user,
            caller.team,
            record.user or "",
            purpose.ticket,
            purpose.session,
            purpose.phase,
            purpose.workflow,
            purpose.reason,
            usage.input,
            usage.output,
            usage.cache_read or 0,
            usage.cache_write_5m or 0,
            usage.cache_write_1h or 0,
            usage.reasoning or 0,
            usage.audio_input or 0,
            usage.audio_output or 0,
            usage.estimated or record.bounded or (record.usage is None and own > 0),
            own,
            record.cost is None and record.usage is not None and not record.apart,
            record.saving,
            record.cache,
            record.retries,
            record.fallbacks,
            record.escalated,
            "",  # no batch job
            record.seconds,
            record.why,
            record.tags,
        )
    )

"""End the leases of workers that are dead, by what their journals tell. Pure; see `core.lease`."""

from __future__ import annotations

from collections.abc import Collection

from tiergate.core.pages import Lease, SharedPage, Sheet
from tiergate.core.window import Span


def close_lease(
    sheet: Sheet | None,
    lease: str,
    source: str,
    span: Span,
    settled: int,
    now: float,
    *,
    old: bool = False,
) -> Sheet:
    """Let go of a lease in the name of its worker, who is dead; the truth ends any charge.

    Args:
        sheet: The pages as the store has them; changed in place.
        lease: Its id.
        source: The ledger that has the worker's records.
        span: The window it was of.
        settled: What was spent under it in all.
        now: Unix seconds.
        old: What is told happened longer than `FOLD_SECONDS` ago: a lease that is not there has
            been folded, and is in the sums already.
    """
    sheet = sheet if sheet is not None else Sheet()
    if old and not any(lease in page.leases for page in sheet.pages):
        return sheet
    page = sheet.page_of(span)
    if page is None:
        page = sheet.put_back(SharedPage(span.start, span.end, made=f"{lease}@{now}"), now)
    page.leases[lease] = Lease(settled, settled, settled, now, source, over=True)
    return sheet


def close_rest(sheet: Sheet, worker: str, closed: Collection[str], now: float) -> bool:
    """Let go of a dead worker's other leases: nothing was held under them since it last told.

    Args:
        sheet: The pages; changed in place.
        worker: Its id.
        closed: Leases that are closed already.
        now: Unix seconds.

    Returns:
        Whether there were any.
    """
    start, found = f"{worker}.", False
    for page in sheet.pages:
        for name, lease in page.leases.items():
            if name.startswith(start) and name not in closed and not lease.over:
                lease.granted = lease.used = lease.settled
                lease.expires = min(lease.expires, now)
                lease.over = True
                found = True
    return found

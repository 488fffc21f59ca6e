"""Reads the JSON pages of the providers' usage and cost APIs, saved to a file.

* OpenAI `GET /v1/organization/usage/completions` and `/v1/organization/costs`: `data[]` of
  buckets with `start_time` (Unix seconds) and `results[]`.
* Anthropic `GET /v1/organizations/usage_report/messages` and `/v1/organizations/cost_report`:
  `data[]` of buckets with `starting_at` (ISO 8601) and `results[]`; costs are in cents.

A file may be one page, or a list of pages. Nothing is compared here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.money import nano_from_usd
from tiergate.core.provider_bill import Bill, BillError, BillLine

_CENTS = 100


def read_pages(found: Json, zone: tzinfo) -> Bill:
    """Read decoded pages.

    Args:
        found: One page or a list of them; decimal numbers may stand as text.
        zone: The zone whose days count.

    Raises:
        BillError: They are no pages of a usage or cost API.
    """
    pages: Sequence[Json] = found if isinstance(found, list) else [found]
    lines: list[BillLine] = []
    provider = ""
    for bucket in _buckets(pages):
        ours = "anthropic" if "starting_at" in bucket else "openai"
        if provider not in ("", ours):
            raise BillError("The file mixes pages of several providers.")
        provider = ours
        day = _day(bucket, zone)
        read = _anthropic if ours == "anthropic" else _openai
        lines += [read(day, result) for result in _objects(bucket.get("results"))]
    if not provider:
        raise BillError(
            "The file has no `data` with buckets, as the usage and cost APIs of OpenAI and "
            "Anthropic give them."
        )
    return Bill(provider, f"{provider} API pages (JSON)", tuple(lines))


def _buckets(pages: Sequence[Json]) -> Iterator[JsonObject]:
    for page in pages:
        if isinstance(page, dict):
            if "results" in page:
                yield page
            yield from _objects(page.get("data"))


def _objects(found: Json) -> list[JsonObject]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _day(bucket: JsonObject, zone: tzinfo) -> date:
    try:
        start = bucket.get("starting_at")
        if isinstance(start, str):
            return datetime.fromisoformat(start).astimezone(zone).date()
        seconds = bucket.get("start_time")
        if isinstance(seconds, int):
            return datetime.fromtimestamp(seconds, zone).date()
    except (ValueError, OverflowError, OSError):
        pass
    raise BillError("A bucket does not say when it begins (`start_time` or `starting_at`).")


def _openai(day: date, result: JsonObject) -> BillLine:
    amount = result.get("amount")
    if isinstance(amount, dict):
        if str(amount.get("currency") or "usd").lower() != "usd":
            raise BillError(f"An amount is in {amount.get('currency')}; only USD can be compared.")
        model = _text(result, "line_item").partition(",")[0]
        return BillLine(day=day, model=model, cost=_nano(amount.get("value"), 1))
    read, written = (
        _count(result, "input_cached_tokens"),
        _count(result, "input_cache_write_tokens"),
    )
    return BillLine(
        day=day,
        model=_text(result, "model"),
        calls=_count(result, "num_model_requests"),
        # OpenAI counts what the cache served as input too.
        input=_count(result, "input_tokens") - read - written,
        cache_read=read,
        cache_write=written,
        output=_count(result, "output_tokens"),
    )


def _anthropic(day: date, result: JsonObject) -> BillLine:
    model = _text(result, "model")
    if "amount" in result:
        # The report gives the smallest unit of the currency: cents.
        return BillLine(day=day, model=model, cost=_nano(result["amount"], _CENTS))
    created = result.get("cache_creation")
    written = sum(_count(created, name) for name in created) if isinstance(created, dict) else 0
    return BillLine(
        day=day,
        model=model,
        input=_count(result, "uncached_input_tokens"),
        cache_read=_count(result, "cache_read_input_tokens"),
        cache_write=written,
        output=_count(result, "output_tokens"),
    )


def _text(result: JsonObject, name: str) -> str:
    found = result.get(name)
    return found if isinstance(found, str) else ""


def _count(result: JsonObject, name: str) -> int:
    found = result.get(name)
    if found is None:
        return 0
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    raise BillError(f"`{name}` is {found!r}, not a whole number.")


def _nano(found: Json, per_usd: int) -> int:
    """Return an amount in nano-USD; amounts of APIs are exact."""
    try:
        return nano_from_usd(Decimal(str(found)) / per_usd)
    except (ValueError, InvalidOperation):
        raise BillError(f"`amount` is {found!r}, not an amount of money.") from None

"""Providers' CSV exports: each known form, columns that the user names, and broken files."""

from __future__ import annotations

from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest

from tiergate.core.bill_files import count, day_of, money, read_bill
from tiergate.core.provider_bill import BillError, BillLine

DAY = date(2026, 11, 24)

ANTHROPIC_USAGE = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
    "usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
    "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,"
    "web_search_count,inference_geo,speed\n"
    "2026-11-24,claude-opus-4-6,prod,Default,standard,≤ 200k,1000,20,30,400,500,0,global,\n"
)
ANTHROPIC_COST = (
    "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,"
    "list_price_usd,cost_type,inference_geo,speed\n"
    "2026-11-24,Claude Opus 4.6,Default,prod,message,≤ 200k,input_no_cache,1.50,1.50,token,,\n"
    '2026-11-24,Claude Opus 4.6,Default,prod,message,≤ 200k,output,"1,000.25",0,token,,\n'
)
OPENAI_USAGE = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,"
    "api_key_id,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens,"
    "input_uncached_tokens\n"
    "1795478400,1795564800,2026-11-24T00:00:00+00:00,2026-11-25T00:00:00+00:00,p,7,,,"
    "gpt-4o-2024-08-06,,,1000,300,250,750\n"
)
OPENAI_COST = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,"
    "project_id,organization_id,organization_name\n"
    "1795478400,1795564800,2026-11-24T00:00:00+00:00,2026-11-25T00:00:00+00:00,"
    '0.8958740000000000,usd,"gpt-4o-2024-08-06, input",,org-1,Personal\n'
    "1795564800,1795651200,2026-11-25T00:00:00+00:00,2026-11-26T00:00:00+00:00,,,,,,\n"
)


def test_anthropic_usage():
    bill = read_bill(ANTHROPIC_USAGE, UTC)

    assert bill.provider == "anthropic"
    assert bill.lines == (
        BillLine(
            day=DAY,
            model="claude-opus-4-6",
            input=1000,
            cache_read=400,
            cache_write=50,
            output=500,
        ),
    )


def test_anthropic_cost_is_rounded_to_cents_and_says_so():
    bill = read_bill(ANTHROPIC_COST, UTC)

    assert [line.cost for line in bill.lines] == [1_500_000_000, 1_000_250_000_000]
    assert {line.slack for line in bill.lines} == {5_000_000}
    assert {line.model for line in bill.lines} == {"Claude Opus 4.6"}


def test_openai_usage_counts_cached_tokens_apart():
    bill = read_bill(OPENAI_USAGE, UTC)

    assert bill.provider == "openai"
    assert bill.lines == (
        BillLine(
            day=DAY,
            model="gpt-4o-2024-08-06",
            calls=7,
            input=750,
            cache_read=250,
            cache_write=0,
            output=300,
        ),
    )


def test_openai_cost_names_models_in_its_line_items_and_leaves_idle_days_empty():
    first, idle = read_bill(OPENAI_COST, UTC).lines

    assert (first.model, first.cost, first.slack) == ("gpt-4o-2024-08-06", 895_874_000, 0)
    assert (idle.model, idle.cost) == ("", 0)


def test_a_byte_order_mark_changes_nothing():
    assert read_bill("\ufeff" + ANTHROPIC_USAGE, UTC) == read_bill(ANTHROPIC_USAGE, UTC)


def test_any_csv_can_be_read_when_its_columns_are_named():
    text = "Date,Slug,Usage,Prompt,Cached\n2026-11-24 10:00:00,gpt-5,$0.125,100,40\n"
    columns = {
        "day": "Date", "model": "Slug", "cost": "Usage",
        "input_with_cache": "Prompt", "cache_read": "Cached",
    }  # fmt: skip

    (line,) = read_bill(text, UTC, columns).lines

    assert (line.day, line.model, line.cost) == (DAY, "gpt-5", 125_000_000)
    assert (line.input, line.cache_read, line.output) == (60, 40, None)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"model": "Date"}, "which column is the day"),
        ({"day": "Nowhere"}, "no column 'Nowhere'; it has Date, Cost"),
        ({"day": "Date", "price": "Cost"}, "choose from day, model"),
        ({"day": "Date", "input": "Cost", "input_with_cache": "Cost"}, "not both"),
    ],
)
def test_named_columns_that_cannot_be_are_refused(columns, says):
    with pytest.raises(BillError, match=says):
        read_bill("Date,Cost\n2026-11-24,1\n", UTC, columns)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "--columns day=a"),
        (ANTHROPIC_USAGE.replace(",500,", ",many,"), "Line 2: 'many' is no whole number"),
        (ANTHROPIC_USAGE.replace("2026-11-24", "24.11."), "Line 2: '24.11.' is no day"),
        (OPENAI_COST.replace(",usd,", ",eur,"), "Line 2: the amount is in eur"),
        ("{", "not valid JSON"),
    ],
)
def test_a_broken_file_is_refused_with_the_line(text, says):
    with pytest.raises(BillError, match=says):
        read_bill(text, UTC)


def test_days_are_those_of_the_zone_where_the_file_has_instants():
    tokyo = ZoneInfo("Asia/Tokyo")
    assert day_of("2026-11-24T20:00:00+00:00", tokyo) == date(2026, 11, 25)
    assert day_of("1795546800", tokyo) == date(2026, 11, 25)
    assert day_of("2026-11-24", tokyo) == DAY


@pytest.mark.parametrize(
    ("text", "amount", "slack"),
    [
        ("1.50", 1_500_000_000, 5_000_000),
        ("3", 3_000_000_000, 500_000_000),
        ("0.000000001", 1, 0),
        ("", 0, 0),
        ("-0.5", -500_000_000, 50_000_000),
        ("1e-3", 1_000_000, 500_000),
    ],
)
def test_an_amount_may_be_off_by_half_its_last_digit(text, amount, slack):
    assert money(text) == (amount, slack)


@pytest.mark.parametrize(("text", "number"), [("1,234", 1234), ("5.0", 5), ("", 0), (None, 0)])
def test_counts_are_read_as_people_write_them(text, number):
    assert count(text) == number

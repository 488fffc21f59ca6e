"""The ledgers in SQLite and PostgreSQL add up as plain Python does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.ledger import NOON, MemoryLedger, entry
from tiergate.base.values import Secret
from tiergate.core.catalog import ScopeKind
from tiergate.core.ledger import Bucket, Entry, Filter, Group, ScopeSum
from tiergate.ports import Ledger, StoreDownError
from tiergate.stores.postgres import PostgresLedger
from tiergate.stores.sql_ledger import LedgerLimits
from tiergate.stores.sqlite import SqliteLedger

each_ledger = pytest.mark.parametrize("shop", ["sqlite", "postgres"], indirect=True)

FULL = Entry(
    call_id="call-1", part=2, wall=1.25, booked=1.75, operation="chat", dialect="openai",
    status="success", http_status=200, asked="a", served="s", deployment="d", provider="p",
    model="m", key="k", key_name="n", user="u", team="t", end_user="e", ticket="T", session="S",
    phase="P", workflow="W", reason="r", tags=("x", "ä'\"\\", "x-y"), input=1, output=2,
    cache_read=3, cache_write_5m=4, cache_write_1h=5, reasoning=6, audio_input=7, audio_output=8,
    estimated=True, cost=9_007_199_254_740_993, unpriced=True, saving=10, cache="response",
    retries=11, fallbacks=12, escalated=True, batch="b", seconds=0.1,
    why="a/d ok",
)  # fmt: skip


@dataclass
class Shop:
    kind: str
    open: Callable[[], Ledger]


@pytest.fixture
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    opened: list[Ledger] = []
    if request.param == "sqlite":
        path = request.getfixturevalue("tmp_path") / "ledger.db"

        def make() -> Ledger:
            return SqliteLedger.open(path)
    else:
        server = request.getfixturevalue("postgres")

        def make() -> Ledger:
            return PostgresLedger.open(Secret(server.url))

    def open_() -> Ledger:
        opened.append(make())
        return opened[-1]

    first = open_()
    if request.param == "postgres":
        server.sql("TRUNCATE tiergate_ledger, tiergate_ledger_tags RESTART IDENTITY")
    del first
    yield Shop(request.param, open_)
    for ledger in opened:
        await ledger.aclose()


async def everything(ledger: Ledger) -> list[Entry]:
    found, _ = await ledger.entries(Filter(), limit=1_000_000)
    return found


# ------------------------------------------------------------------ keeping


@each_ledger
async def test_every_field_comes_back(shop):
    ledger = shop.open()
    plain = entry(1)

    await ledger.append([FULL, plain])
    await ledger.append([])

    assert await everything(ledger) == [FULL, plain]
    types = {type(value) for found in await everything(ledger) for value in found}
    assert types == {str, int, float, bool, tuple}


@each_ledger
async def test_a_record_is_appended_once(shop):
    one, other = shop.open(), shop.open()
    records = [entry(n, tags=("a", "b", "a")) for n in range(70)]
    await one.append(records[:40])

    await other.append([record._replace(cost=7) for record in records])
    await one.append([records[3], records[3]])

    kept = await everything(one)
    assert [record.cost for record in kept] == [1_500_000] * 40 + [7] * 30
    assert {record.tags for record in kept} == {("a", "b")}
    assert await one.total(ScopeSum(ScopeKind.TAG, "a", 0, None)) == 40 * 1_500_000 + 30 * 7


@each_ledger
async def test_all_openings_name_the_ledger_alike(shop):
    names = {shop.open().source for _ in range(3)}

    assert len(names) == 1
    assert len(names.pop()) == 32


async def test_two_ledgers_have_two_names(tmp_path):
    one, other = SqliteLedger.open(tmp_path / "1.db"), SqliteLedger.open(tmp_path / "2.db")

    assert one.source != other.source
    await one.aclose()
    await other.aclose()


@each_ledger
async def test_an_odd_record_does_not_keep_the_others_out(shop):
    ledger = shop.open()
    odd = entry(
        2, end_user="a\x00b\ud800", tags=("t\x00\udfff",), input=10**30, seconds=float("nan")
    )

    await ledger.append([entry(1), odd, entry(3)])

    first, second, third = await everything(ledger)
    assert (first, third) == (entry(1), entry(3))
    assert second.call_id == odd.call_id
    assert second.end_user == "a\ufffdb\ufffd"
    assert second.tags == ("t\ufffd\ufffd",)
    assert (second.input, second.seconds) == (1 << 53, 0.0)


@each_ledger
async def test_a_value_that_cannot_be_kept_can_be_asked_for(shop):
    ledger = shop.open()
    await ledger.append([entry(1, end_user="a\x00b")])

    rows = await ledger.spend([], Filter(equal=((Group.END_USER, "a\x00b"),)))

    assert [row.calls for row in rows] == [1]


@each_ledger
async def test_many_append_at_once(shop):
    ledgers = [shop.open() for _ in range(3)]

    await asyncio.gather(
        *(
            ledger.append([entry(1000 * which + 100 * batch + n) for n in range(25)])
            for which, ledger in enumerate(ledgers)
            for batch in range(4)
        )
    )

    assert len({record.call_id for record in await everything(ledgers[0])}) == 300


# ------------------------------------------------------------------ reading


@each_ledger
async def test_a_tail_misses_nothing_and_waits_for_more(shop):
    ledger, writer = shop.open(), shop.open()
    await writer.append([entry(n) for n in range(5)])

    found, mark = await ledger.entries(Filter(), limit=3)
    assert [record.call_id for record in found] == ["call-0", "call-1", "call-2"]
    found, mark = await ledger.entries(Filter(), limit=3, after=mark)
    assert [record.call_id for record in found] == ["call-3", "call-4"]
    found, mark = await ledger.entries(Filter(), limit=3, after=mark)
    assert found == []

    await writer.append([entry(9)])
    found, _ = await ledger.entries(Filter(), limit=3, after=mark)
    assert [record.call_id for record in found] == ["call-9"]


@each_ledger
async def test_the_newest_come_first_and_end(shop):
    ledger = shop.open()
    await ledger.append([entry(n, tags=(f"t{n}",)) for n in range(5)])

    found, mark = await ledger.entries(Filter(), limit=3, newest=True)
    assert [record.call_id for record in found] == ["call-4", "call-3", "call-2"]
    assert found[0].tags == ("t4",)
    found, mark = await ledger.entries(Filter(), limit=3, after=mark, newest=True)
    assert [record.call_id for record in found] == ["call-1", "call-0"]
    assert mark is None


@each_ledger
async def test_an_empty_ledger_has_no_rows_and_no_money(shop):
    ledger = shop.open()

    assert await ledger.spend([Group.ALIAS], Filter()) == []
    assert await ledger.spend([], Filter(), bucket=Bucket.DAY) == []
    assert await ledger.entries(Filter(), limit=5) == ([], None)
    assert await ledger.total(ScopeSum(ScopeKind.GATEWAY, "gateway", 0, None)) == 0


@each_ledger
async def test_a_reader_sees_numbers_only_in_their_order(shop):
    """Several append at once; a tail that goes on after the last mark still meets every record."""
    ledgers = [shop.open() for _ in range(3)]
    tail = shop.open()
    seen: list[str] = []

    async def write(which: int) -> None:
        for n in range(15):
            await ledgers[which].append([entry(100 * which + n, tags=("t",))])

    async def follow() -> None:
        mark = None
        while len(seen) < 45:
            found, mark = await tail.entries(Filter(), limit=7, after=mark)
            seen.extend(record.call_id for record in found)

    async with asyncio.timeout(20):
        await asyncio.gather(follow(), write(0), write(1), write(2))

    assert sorted(seen) == sorted(f"call-{100 * w + n}" for w in range(3) for n in range(15))


# ------------------------------------------------------------------ calendar

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Asia/Beirut", "Pacific/Apia")


@each_ledger
async def test_the_days_of_moved_clocks_are_23_and_25_hours(shop):
    ledger = shop.open()
    zone = ZoneInfo("Europe/Berlin")
    spring = datetime(2026, 3, 28, 12, tzinfo=zone).timestamp()
    hours = [entry(n, wall=spring + 3600 * n) for n in range(72)]
    autumn = datetime(2026, 10, 24, 12, tzinfo=zone).timestamp()
    hours += [entry(100 + n, wall=autumn + 3600 * n) for n in range(72)]
    await ledger.append(hours)

    rows = await ledger.spend([], Filter(), bucket=Bucket.DAY, timezone="Europe/Berlin")

    days = [(datetime.fromtimestamp(row.start, zone).isoformat(), row.calls) for row in rows]
    assert days == [
        ("2026-03-28T00:00:00+01:00", 12),
        ("2026-03-29T00:00:00+01:00", 23),
        ("2026-03-30T00:00:00+02:00", 24),
        ("2026-03-31T00:00:00+02:00", 13),
        ("2026-10-24T00:00:00+02:00", 12),
        ("2026-10-25T00:00:00+02:00", 25),
        ("2026-10-26T00:00:00+01:00", 24),
        ("2026-10-27T00:00:00+01:00", 11),
    ]


@each_ledger
async def test_a_time_zone_that_does_not_exist_is_told(shop):
    ledger = shop.open()
    await ledger.append([entry(1)])

    with pytest.raises(KeyError):
        await ledger.spend([], Filter(), bucket=Bucket.DAY, timezone="Mars/Olympus")


# ------------------------------------------------------------------ against plain sums

NAMES = st.sampled_from(["", "x", "y", "Ü'"])
TIMES = st.one_of(
    st.floats(NOON - 400 * 86_400, NOON + 400 * 86_400, allow_nan=False),
    # Around midnight, and where clocks are moved.
    st.builds(
        lambda day, off: datetime(2026, *day, tzinfo=UTC).timestamp() + off,
        st.sampled_from([(3, 29), (10, 25), (3, 28), (10, 24), (3, 8), (11, 1), (12, 31)]),
        st.integers(-20, 20).map(lambda n: n * 1800) | st.floats(-1, 1),
    ),
)
ENTRIES = st.builds(
    lambda number, when, names, tags, numbers, part, status, flag: entry(
        number, booked=when, wall=when, part=part, status=status, estimated=flag,
        served=names[0], asked=names[0], provider=names[1], model=names[1], deployment=names[2],
        key=names[3], user=names[4], team=names[5], end_user=names[6], ticket=names[7],
        session=names[7], phase=names[6], workflow=names[5], tags=tuple(tags),
        input=numbers[0], output=numbers[1], cache_read=numbers[2], cache_write_5m=numbers[3],
        cache_write_1h=numbers[4], cost=numbers[5], saving=numbers[6],
    ),
    st.integers(0, 10**9), TIMES, st.lists(NAMES, min_size=8, max_size=8),
    st.lists(st.sampled_from(["x", "y", "z"]), unique=True, max_size=3),
    st.lists(st.integers(0, 10**13), min_size=7, max_size=7), st.integers(0, 2),
    st.sampled_from(["success", "failure", "refused", "cancelled", "declined", "lost"]),
    st.booleans(),
)  # fmt: skip
LEDGERS = st.lists(ENTRIES, max_size=25, unique_by=lambda record: record.call_id)
FILTERS = st.builds(
    lambda since, until, equal: Filter(since=since, until=until, equal=tuple(equal)),
    st.none() | TIMES,
    st.none() | TIMES,
    st.lists(st.tuples(st.sampled_from(Group), NAMES.filter(bool)), max_size=2),
)
QUESTIONS = st.tuples(
    st.lists(st.sampled_from(Group), unique=True, max_size=3),
    FILTERS,
    st.none() | st.sampled_from(Bucket),
    st.sampled_from(ZONES),
)
SCOPES = st.builds(
    ScopeSum, st.sampled_from(ScopeKind), NAMES.filter(bool), TIMES, st.none() | TIMES
)


@each_ledger
def test_sums_and_lists_are_those_of_plain_python(shop, request):
    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(
        LEDGERS,
        st.lists(QUESTIONS, min_size=1, max_size=4),
        st.lists(SCOPES, max_size=3),
        st.integers(1, 9),
    )
    def asked(records, questions, scopes, page):
        runner.run(_compare(shop.kind, ledger, records, questions, scopes, page, clear))

    with asyncio.Runner() as runner:
        ledger = shop.open()

        def clear() -> None:
            _empty(shop.kind, ledger)

        asked()
        runner.run(ledger.aclose())


def _empty(kind: str, ledger) -> None:
    """Delete all records by the ledger's own connection, which nothing uses now."""
    session = ledger._writer._session
    session.execute("DELETE FROM tiergate_ledger")
    session.execute("DELETE FROM tiergate_ledger_tags")


async def _compare(kind, ledger, records, questions, scopes, page, clear) -> None:
    clear()
    model = MemoryLedger()
    half = len(records) // 2
    for batch in (records[:half], records[half // 2 :]):
        await ledger.append(batch)
        await model.append(batch)
    for groups, which, bucket, zone in questions:
        asked = {"bucket": bucket, "timezone": zone}
        assert await ledger.spend(groups, which, **asked) == await model.spend(
            groups, which, **asked
        )
        for newest in (False, True):
            assert await _paged(ledger, which, page, newest) == await _paged(
                model, which, page, newest
            )
    for scope in scopes:
        assert await ledger.total(scope) == await model.total(scope)


async def _paged(ledger, which: Filter, page: int, newest: bool) -> list[Entry]:
    found, mark = await ledger.entries(which, limit=page, newest=newest)
    everything_ = list(found)
    while found and mark is not None:
        found, mark = await ledger.entries(which, limit=page, after=mark, newest=newest)
        everything_ += found
    return everything_


# ------------------------------------------------------------------ when the database is away


async def test_a_server_that_stands_still_or_stops_is_said_to_be_down_and_found_again(postgres):
    limits = LedgerLimits(append=0.6, total=0.6, report=0.6)
    ledger = PostgresLedger.open(Secret(postgres.url), limits)
    before = len(await everything(ledger))
    asks = (
        lambda: ledger.append([entry(777)]),
        lambda: ledger.total(ScopeSum(ScopeKind.GATEWAY, "gateway", 0, None)),
        lambda: ledger.spend([], Filter()),
        lambda: ledger.entries(Filter(), limit=1),
    )

    async def all_fail() -> None:
        for ask in asks:
            start = time.monotonic()
            with pytest.raises(StoreDownError):
                await ask()
            assert time.monotonic() - start < 1.1

    postgres.freeze()
    try:
        await all_fail()
    finally:
        postgres.thaw()
    postgres.stop()
    await all_fail()
    postgres.start()

    await ledger.append([entry(777), entry(778)])
    assert len(await everything(ledger)) == before + 2
    await ledger.aclose()


@each_ledger
async def test_a_long_report_delays_no_append(shop):
    """The report keeps its own connection busy; appending has another."""
    ledger = shop.open()
    await ledger.append([entry(n) for n in range(300)])
    # 300 records with themselves, three times: some seconds of work for any database.
    busy = "SELECT COUNT(*) FROM tiergate_ledger a, tiergate_ledger b, tiergate_ledger c"
    report = asyncio.create_task(ledger._reader.run(lambda session: session.execute(busy), 60))
    await asyncio.sleep(0.05)

    start = time.monotonic()
    await ledger.append([entry(1000)])
    took = time.monotonic() - start

    assert not report.done(), "the report is too short to tell anything"
    assert took < 1.0
    ledger._reader._give_up(ledger._reader._job)
    with pytest.raises(StoreDownError):
        await report

"""Every figure of a price says where it comes from."""

from __future__ import annotations

from datetime import date

import pytest

from tiergate.base.values import NanoUsd, Position, ServiceTier
from tiergate.core.catalog import PriceOverride, PricePlace, SpecialRates
from tiergate.core.cost import UNKNOWN_SEARCH
from tiergate.pricing.figures import FOLLOWS, KINDS, REQUEST, SEARCH, Origin, figures_of
from tiergate.pricing.listing import ListedPrice, ListedRates, ListedTier, ListedVariant
from tiergate.pricing.overrides import combined

DAY = date(2026, 11, 25)
STANDARD, BATCH = ServiceTier.STANDARD, ServiceTier.BATCH
LINE = Position("config.yaml", 7)
LISTED = ListedPrice(
    ListedRates(input=300, output=1500, cache_read=30),
    tiers=(ListedTier(200_000, ListedRates(input=600, output=2250, cache_read=60)),),
    per_request=5,
    variants=(
        ListedVariant(BATCH, ListedRates(input=150, output=750, cache_read=15)),
        ListedVariant(ServiceTier.FAST, ListedRates(input=9), since=date(2027, 1, 1)),
    ),
    per_search=9,
)


def origins(listed, *, searches=False, embeds=False, **written):
    override = PriceOverride(**written)
    on_list = None if listed is None or override.free else listed.price(DAY)
    price = combined(override, on_list, embeds=embeds)
    found = figures_of(price, override, listed, DAY, searches=searches)
    told = {
        (each.kind, each.tier, each.above): (each.nano, each.origin, each.position)
        for each in found
    }
    assert len(told) == len(found)
    return told


def test_a_list_s_figures_are_the_list_s_and_others_follow_them():
    found = origins(LISTED)

    assert found["input", STANDARD, 0] == (300, Origin.LISTED, None)
    assert found["cache_read", STANDARD, 200_000] == (60, Origin.LISTED, None)
    assert found["output", BATCH, 0] == (750, Origin.LISTED, None)
    assert found[REQUEST, STANDARD, 0] == (5, Origin.LISTED, None)
    assert found[SEARCH, STANDARD, 0] == (9, Origin.LISTED, None)
    assert found["audio_input", STANDARD, 0] == (300, Origin.FOLLOWS, None)
    assert found["cache_write_1h", BATCH, 0] == (150, Origin.FOLLOWS, None)


def test_a_service_tier_of_a_later_day_is_not_told():
    assert not [key for key in origins(LISTED) if key[1] is ServiceTier.FAST]


def test_a_written_figure_names_its_line_and_moves_the_others():
    found = origins(LISTED, input=600, places=(PricePlace("input", LINE),))

    assert found["input", STANDARD, 0] == (600, Origin.WRITTEN, LINE)
    assert found["cache_read", STANDARD, 0] == (60, Origin.RATIO, None)
    assert found["input", BATCH, 0] == (300, Origin.RATIO, None)
    assert found["output", STANDARD, 0] == (1500, Origin.LISTED, None)
    assert found["audio_input", STANDARD, 0] == (600, Origin.FOLLOWS, None)


def test_a_written_step_and_tier_name_their_lines():
    special = SpecialRates(tier=BATCH, above=500, input=7)
    found = origins(LISTED, special=(special,), places=(PricePlace("input", LINE, BATCH, 500),))

    assert found["input", BATCH, 500] == (7, Origin.WRITTEN, LINE)
    assert found["output", BATCH, 500] == (750, Origin.RATIO, None)
    assert found["input", BATCH, 0] == (150, Origin.LISTED, None)


def test_without_a_list_kinds_that_are_not_written_follow_those_that_are():
    places = (PricePlace("input", LINE), PricePlace("output", LINE))
    found = origins(None, input=3, output=4, places=places)

    assert found["output", STANDARD, 0] == (4, Origin.WRITTEN, LINE)
    assert {found[kind, STANDARD, 0][1] for kind in FOLLOWS} == {Origin.FOLLOWS}
    assert set(found) == {(kind, STANDARD, 0) for kind in KINDS}


def test_a_model_that_has_no_output_has_no_figure_of_it():
    found = origins(None, input=3, embeds=True, places=(PricePlace("input", LINE),))

    assert ("input", STANDARD, 0) in found
    assert ("output", STANDARD, 0) not in found


def test_a_free_model_names_the_line_that_says_so():
    found = origins(LISTED, free=True, places=(PricePlace("free", LINE),))

    assert set(found.values()) == {(0, Origin.FREE, LINE)}
    assert {key[0] for key in found} == {*KINDS, SEARCH}


@pytest.mark.parametrize(
    ("written", "searches", "told"),
    [
        ({}, False, None),
        ({}, True, (UNKNOWN_SEARCH, Origin.BOUND, None)),
        (
            {"per_search": NanoUsd(8), "places": (PricePlace("per_search", LINE),)},
            False,
            (8, Origin.WRITTEN, LINE),
        ),
        ({"input": 0, "output": 0}, True, (0, Origin.RATIO, None)),
    ],
)
def test_a_search_has_a_figure_where_one_is_known_or_needed(written, searches, told):
    given = {"input": 1, "output": 1, **written}

    assert origins(None, searches=searches, **given).get((SEARCH, STANDARD, 0)) == told

"""Pages, warnings, and a store that does not answer."""

from __future__ import annotations

import asyncio
import json

import pytest

from tiergate.base.errors import Refused
from tiergate.core.caller import MASTER
from tiergate.core.exact_json import Usd
from tiergate.ports import StoreDownError
from tiergate.web.admin import Asked
from tiergate.web.keys_forms import Page, answer, check_query, guarded


def test_money_and_warnings_are_in_the_answer():
    told = answer({"spend": Usd(1)}, ("careful",))
    assert told.body == b'{"spend":0.000000001,"warnings":["careful"]}'
    assert json.loads(answer([1]).body) == [1]


@pytest.mark.parametrize(
    ("number", "count", "cut", "pages"),
    [
        (1, 0, slice(0, 0), 0),
        (1, 3, slice(0, 2), 2),
        (2, 3, slice(2, 3), 2),
        (5, 3, slice(3, 3), 2),
    ],
)
def test_a_page_is_a_part_of_a_list(number, count, cut, pages):
    page = Page(number, 2)
    assert (page.cut(count), page.pages(count)) == (cut, pages)


def test_a_page_is_read_from_the_query():
    assert Page.of({}, "size", 10) == Page(1, 10)
    assert Page.of({"page": "3", "size": "100"}, "size", 10) == Page(3, 100)
    for query in ({"page": "0"}, {"size": "101"}, {"page": "-1"}, {"page": "1e3"}):
        with pytest.raises(Refused, match="whole number"):
            Page.of(query, "size", 10)


def test_a_misspelt_filter_shows_nothing():
    check_query({"page": "1"}, ("page",))
    with pytest.raises(Refused, match="`pgae`"):
        check_query({"pgae": "1"}, ("page",))


def test_a_store_that_is_down_is_said_in_words():
    async def down(asked):
        del asked
        raise StoreDownError("the file is gone")

    with pytest.raises(Refused) as caught:
        asyncio.run(guarded(down)(Asked(method="GET", path="/key/list", caller=MASTER)))
    assert (caught.value.status, caught.value.code) == (503, "key_store_unavailable")
    assert "the file is gone" in caught.value.message

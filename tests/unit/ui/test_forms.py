"""Forms are read within limits, and only those of our own pages are believed."""

from __future__ import annotations

import pytest

from support.rsgi import Proto, Scope
from tiergate.base.errors import Refused
from tiergate.core.catalog import Access
from tiergate.ui.forms import address_of, check_form, own_path, read_form
from tiergate.ui.session import form_token

HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


async def read(body: bytes, headers=HEADERS):
    return await read_form(Proto([body]), dict(headers), Access())


async def refusal(body: bytes, headers=HEADERS) -> int:
    with pytest.raises(Refused) as caught:
        await read(body, headers)
    return caught.value.status


async def test_fields_are_read_without_blanks_around_them():
    assert await read(b"a=1+2&b=%C3%A4%26&c=&a=+3+") == {"a": "3", "b": "ä&", "c": ""}


async def test_what_is_no_form_is_refused():
    assert await refusal(b"{}", {"content-type": "application/json"}) == 415
    assert await refusal(b"a=1", {}) == 415
    assert await refusal(b"a=%FF") == 400
    assert await refusal(b"&".join(b"a%d=1" % n for n in range(101))) == 400
    assert await refusal(b"a=" + b"x" * 65_536) == 413


def check(token: str, cookie: str = "c", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        check_form({"token": token}, {"host": "gw:4000", **named}, cookie)
    except Refused as refused:
        return refused.status
    return 200


def test_the_token_decides():
    assert check(form_token("c")) == 200
    assert check(form_token("d")) == 403
    assert check(form_token(""), cookie="") == 403


def test_what_the_browser_says_of_the_origin_is_looked_at_too():
    good = form_token("c")
    assert check(good, origin="https://gw:4000", sec_fetch_site="same-origin") == 200
    assert check(good, origin="https://gw:4001") == 403
    assert check(good, origin="null") == 403
    assert check(good, sec_fetch_site="cross-site") == 403


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/ui/keys", "/ui/keys"),
        ("/ui", "/ui"),
        ("/uikeys", "/ui"),
        ("https://x", "/ui"),
        ("/ui/\n", "/ui"),
        ("/ui/ä", "/ui"),
    ],
)
def test_one_is_led_to_pages_of_ours_only(wanted, path):
    assert own_path(wanted) == path


def test_an_address_is_the_peers_and_what_the_proxy_adds():
    scope = Scope("POST", "/ui/login")
    assert address_of(scope, {}) == "127.0.0.1"
    assert address_of(scope, {"x-forwarded-for": "6.6.6.6, 10.0.0.1"}) == "127.0.0.1 for 10.0.0.1"

"""Templates write what they are given, and nothing that somebody else has made up becomes HTML."""

from __future__ import annotations

from datetime import UTC

import pytest
from jinja2 import UndefinedError

from support.ui_world import HOSTILE, RENDERER
from tiergate.ui.rendering import Frame, Moment, Page

MOMENT = Moment(1_790_000_000.0, UTC)
FRAME = Frame(moment=MOMENT, token="t0k3n", signed_in=True)


def page(**given) -> Page:
    values = {"template": "error.html", "title": "T", "place": "", "data": {"message": "m"}}
    return Page(**{**values, **given})


def html(shown: Page, frame: Frame = FRAME) -> str:
    return RENDERER.html(shown, frame).decode()


def test_what_others_have_named_stays_text():
    made = html(page(title=HOSTILE, data={"message": HOSTILE}))
    assert HOSTILE not in made
    assert made.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&#39;&amp;") == 3


def test_half_a_surrogate_pair_does_not_break_a_page():
    assert "m?m" in html(page(data={"message": "m\ud800m"}))


def test_a_page_that_misses_a_value_is_an_error_and_not_a_gap():
    with pytest.raises(UndefinedError):
        html(page(data={}))


def test_the_menu_says_where_one_is():
    made = html(page(place="/ui/costs"))
    assert '<a href="/ui/costs" aria-current="page">Costs</a>' in made
    assert made.count("aria-current") == 1


def test_who_has_not_signed_in_cannot_sign_out():
    assert "Sign out" in html(page())
    assert "Sign out" not in html(page(), Frame(moment=MOMENT, token="", signed_in=False))


def test_charts_are_loaded_where_there_are_some():
    assert "uplot.js" not in html(page())
    assert "uplot.js" in html(page(charts=True))


def test_a_file_has_the_mark_of_its_content():
    file = RENDERER.files["ui.css"]
    assert file.content_type == "text/css; charset=utf-8"
    assert f"/ui/static/ui.css?{file.mark}" in html(page())


def test_the_chart_library_is_there_with_its_licence():
    assert b"MIT License" in RENDERER.files["uplot.LICENSE.txt"].body
    first = RENDERER.files["uplot.js"].body[:60].decode()
    version = RENDERER.files["uplot.LICENSE.txt"].body.split()[1].decode()
    assert f"v{version.strip(',')}" in first


def test_a_moment_writes_times_in_its_zone():
    assert MOMENT.exact(MOMENT.now) == "2026-09-21 14:13:20 UTC"
    assert MOMENT.relative(MOMENT.now - 61) == "1 min ago"
    assert MOMENT.machine(MOMENT.now) == "2026-09-21T14:13:20.000+00:00"

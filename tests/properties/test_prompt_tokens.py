"""Token counts that are made without a tokenizer, held against a real one (`o200k_base`)."""

from __future__ import annotations

import importlib
import json
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.attempts import deployment
from support.texts import SENTENCES, latin, machine_made
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.ports import Inbound
from tiergate.pricing import count_messages, estimate_prompt
from tiergate.pricing.prompt import count_prompt, count_texts
from tiergate.wire.members import Members

TEXTS = {**SENTENCES, **latin(), **machine_made()}
LATIN = tuple(latin())
GPT = deployment("cheap", "gpt", model="gpt-5")
CLAUDE = deployment("cheap", "claude", model="claude-sonnet-5-5")
with warnings.catch_warnings():
    # The package reads its tables by a function of the standard library that is going out.
    warnings.simplefilter("ignore", DeprecationWarning)
    ENCODING = importlib.import_module("bpe_openai").get_encoding("o200k_base")


def tokens(text):
    return len(ENCODING.encode_ordinary(text))


def estimated(messages, at=GPT, *, ascii_only=False, indent=None):
    return estimate_prompt(asked(messages, ascii_only=ascii_only, indent=indent), at)


def asked(messages, *, ascii_only=False, indent=None):
    body = {"model": "cheap", "messages": messages}
    return Inbound(
        call_id="call-1",
        received=0.0,
        wall=0.0,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(json.dumps(body, ensure_ascii=ascii_only, indent=indent).encode()),
    )


def said(text):
    return [{"role": "user", "content": text}]


@st.composite
def conversations(draw):
    """Messages whose texts are stretches of real ones."""
    pieces = []
    for _ in range(draw(st.integers(1, 6))):
        text = TEXTS[draw(st.sampled_from(sorted(TEXTS)))]
        start = draw(st.integers(0, max(0, len(text) - 40)))
        pieces.append(text[start : start + draw(st.integers(40, 2000))])
    return pieces


@given(conversations(), st.booleans(), st.sampled_from([None, 2]))
@settings(max_examples=150, deadline=None)
def test_a_hold_s_estimate_is_never_below_the_count(pieces, ascii_only, indent):
    messages = [{"role": "user", "content": piece} for piece in pieces]

    assert estimated(messages, ascii_only=ascii_only, indent=indent) >= sum(map(tokens, pieces))


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_a_hold_s_estimate_of_a_whole_page_is_never_below_the_count(kind):
    page = (TEXTS[kind] * 20)[:20_000]

    assert estimated(said(page)) >= tokens(page)


@pytest.mark.parametrize("kind", [kind for kind in LATIN if kind != "capitals"])
def test_a_hold_s_estimate_of_prose_and_code_is_below_twice_the_count(kind):
    page = (TEXTS[kind] * 20)[:20_000]

    assert estimated(said(page)) < 2 * tokens(page)


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_a_hold_s_estimate_of_any_page_is_below_six_times_the_count(kind):
    page = (TEXTS[kind] * 20)[:20_000]

    assert estimated(said(page)) < 6 * tokens(page)
    assert estimated(said(page), ascii_only=True) < 6 * tokens(page)


@pytest.mark.parametrize("kind", ["prose", "python", "german"])
def test_a_hold_s_estimate_for_claude_leaves_room_for_its_tokenizer(kind):
    page = (TEXTS[kind] * 20)[:20_000]

    assert estimated(said(page), CLAUDE) >= 1.58 * tokens(page)


@pytest.mark.parametrize("kind", LATIN)
def test_a_count_of_prose_and_code_errs_upward_and_little(kind):
    page = (TEXTS[kind] * 20)[:20_000]
    counted = count_messages({"model": "gpt-5", "messages": said(page)})

    assert 0.88 < counted / tokens(page) < 1.3


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_a_count_of_any_page_is_near(kind):
    page = (TEXTS[kind] * 20)[:20_000]
    counted = count_messages({"model": "gpt-5", "messages": said(page)})

    assert 0.88 < counted / tokens(page) < 1.65


@pytest.mark.parametrize("kind", LATIN)
def test_what_is_charged_without_a_usage_is_not_below_the_count_and_near_it(kind):
    page = (TEXTS[kind] * 20)[:12_000]

    assert 1 <= count_texts([page], "gpt-5") / tokens(page) < 1.45


@pytest.mark.parametrize("kind", LATIN)
def test_what_is_charged_for_a_long_prompt_is_near_the_count(kind):
    page = (TEXTS[kind] * 100)[:60_000]

    assert 0.97 < count_prompt(asked(said(page)), GPT) / tokens(page) < 1.45

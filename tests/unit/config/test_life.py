"""How the gateway stops, and what it is not ready without."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import MODELS, Bench, Loaded, said
from tiergate.core.life import Life, Need

KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}


def load(folder: Path, rest: str = "") -> Loaded:
    return Bench(folder).load(MODELS + rest, environ=KEYS)


def life(loaded: Loaded) -> Life:
    assert loaded.settings is not None, loaded.findings
    return loaded.settings.life


def test_without_a_word_calls_have_half_a_minute_and_nothing_makes_it_unready(
    tmp_path: Path,
) -> None:
    assert life(load(tmp_path)) == Life(drain_timeout=30.0, drain_delay=0.0)


def test_lengths_of_time_are_read_in_every_form(tmp_path: Path) -> None:
    rest = "general_settings: {drain_timeout: 2min, drain_delay: 7.5}\n"
    found = life(load(tmp_path, rest))
    assert (found.drain_timeout, found.drain_delay) == (120.0, 7.5)


@pytest.mark.parametrize(
    ("written", "needs"),
    [
        ("[]", set()),
        ("stores", {Need.STORES}),
        ("[providers, stores]", {Need.PROVIDERS, Need.STORES}),
    ],
)
def test_what_it_is_not_ready_without(tmp_path: Path, written: str, needs: set[Need]) -> None:
    rest = f"general_settings: {{unready_when: {written}}}\n"
    assert life(load(tmp_path, rest)).unready_when == needs


@pytest.mark.parametrize(
    ("rest", "code", "word"),
    [
        ("unready_when: [redis]", "unknown-value", "`redis`"),
        ("unready_when: {stores: true}", "wrong-type", "stores"),
        ("drain_timeout: soon", "bad-duration", "soon"),
        ("drain_delay: -1", "wrong-type", "drain_delay"),
    ],
)
def test_what_cannot_be_meant_is_an_error(tmp_path: Path, rest: str, code: str, word: str) -> None:
    loaded = load(tmp_path, f"general_settings: {{{rest}}}\n")
    assert loaded.settings is None
    (finding,) = said(loaded, code)
    assert word in str(finding)


def test_the_report_shows_what_acts(tmp_path: Path) -> None:
    rest = "general_settings: {drain_delay: 5s, unready_when: [stores]}\n"
    shown = {row.path: row.value for row in load(tmp_path, rest).report}
    assert shown["general_settings.drain_timeout"] == "30 s"
    assert shown["general_settings.drain_delay"] == "5 s"
    assert shown["general_settings.unready_when"] == "stores"

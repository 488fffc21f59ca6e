"""Log lines: one event a line, readable by people and programs, keys masked."""

from __future__ import annotations

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.telemetry.logs import JsonLines, Lines, configure_logging, masked

KEYS = [
    "sk-ant-api03-R2D2c3poR2D2c3po",
    "sk-proj-abcdefghijkl",
    "gsk_abcdefghijkl",
    "xai-abcdefghijkl",
    "AIzaSyAbcdefghijkl",
]


def record(event: str = "call", **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("tiergate.x", logging.WARNING, "file.py", 1, event, (), None)
    made.created = 1_790_000_000.25
    made.__dict__.update(fields)
    return made


@pytest.fixture
def untouched():
    logger = logging.getLogger("tiergate")
    kept = (logger.handlers, logger.level, logger.propagate)
    yield logger
    logger.handlers, logger.level, logger.propagate = kept


def test_a_line_is_time_level_event_and_fields():
    line = Lines().format(record(alias="cheap", seconds="1.5", why="", path="a b"))

    assert line == '2026-09-21T14:13:20.250Z warning call alias=cheap seconds=1.5 path="a b"'


@pytest.mark.parametrize("value", ["two words", 'a"quote', "a=b", "line\nbreak", "tab\tbed"])
def test_a_value_that_could_be_misread_is_quoted(value):
    line = Lines().format(record(x=value))

    assert "\n" not in line
    assert json.loads(line.partition("x=")[2]) == value


def test_a_json_line_is_an_object_of_texts():
    line = JsonLines().format(record(alias="cheap", number=5, empty=""))

    assert json.loads(line) == {
        "time": "2026-09-21T14:13:20.250Z",
        "level": "warning",
        "event": "call",
        "alias": "cheap",
        "number": "5",
    }


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "text",
    ["{}", "Bearer {}", "a {} b", "x-api-key: {}", "api_key='{}'", '{{"key": "{}"}}', "k={};"],
)
def test_what_looks_like_a_key_is_masked_everywhere(key, text):
    said = text.format(key)
    for shown in (
        masked(said),
        Lines().format(record(said)),
        Lines().format(record(x=said)),
        JsonLines().format(record(said)),
        JsonLines().format(record(x=said)),
    ):
        assert key not in shown
        assert key[8:] not in shown
        assert "***" in shown


@pytest.mark.parametrize("text", ["Bearer abcdefghijklmnop", "x-api-key: abcdefghijklmnop"])
def test_a_key_of_any_form_is_masked_where_it_is_named(text):
    assert "ijklmnop" not in masked(text)


def test_ordinary_words_are_not_masked():
    text = "cheap/dep-a 503 upstream > wait 0.30s > balanced/dep-b ok; task-force; keyboard"
    assert masked(text) == text


def test_a_traceback_is_shown_and_masked():
    try:
        raise ValueError("sk-proj-abcdefghijkl")
    except ValueError as error:
        made = record()
        made.exc_info = (ValueError, error, error.__traceback__)

    text, data = Lines().format(made), json.loads(JsonLines().format(made))

    for shown in (text, data["trace"]):
        assert "Traceback" in shown
        assert "abcdefghijkl" not in shown


@given(st.dictionaries(st.sampled_from(["why", "alias", "x"]), st.text()), st.text())
def test_every_json_line_can_be_read_back(fields, event):
    line = JsonLines().format(record(event.replace("%", ""), **fields))

    assert "\n" not in line
    assert set(json.loads(line)) <= {"time", "level", "event", "why", "alias", "x"}


def test_a_key_before_a_quote_does_not_break_the_line():
    line = JsonLines().format(record(x='sk-abcdefghijkl"rest'))
    assert json.loads(line)["x"].endswith('"rest')


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, logging.INFO),
        ({"TIERGATE_LOG": "debug"}, logging.DEBUG),
        ({"LITELLM_LOG": "ERROR"}, logging.ERROR),
        ({"LOG_LEVEL": "warning", "TIERGATE_LOG": ""}, logging.WARNING),
        ({"TIERGATE_LOG": "error", "LITELLM_LOG": "DEBUG"}, logging.ERROR),
        ({"TIERGATE_LOG": "nonsense"}, logging.INFO),
    ],
)
def test_the_level_comes_from_the_environment(untouched, environ, level):
    configure_logging(environ, io.StringIO())
    assert untouched.level == level


def test_setting_up_twice_writes_each_line_once(untouched):
    out = io.StringIO()
    configure_logging({}, io.StringIO())
    configure_logging({"TIERGATE_LOG_FORMAT": "json"}, out)

    logging.getLogger("tiergate.calls").warning("cooling", extra={"alias": "cheap"})

    assert json.loads(out.getvalue())["alias"] == "cheap"
    assert untouched.propagate is False

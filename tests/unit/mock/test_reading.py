"""Script files and rules sent by HTTP are read alike, and mistakes are told with their place."""

from __future__ import annotations

import msgspec
import pytest

from tiergate.mock.reading import (
    MAX_RULES,
    ScriptError,
    read_json_rules,
    read_yaml_rules,
    rules_as_json,
)
from tiergate.mock.rules import (
    Cut,
    Endpoint,
    Fail,
    Finish,
    Hang,
    Overflow,
    Refuse,
    Reply,
    Rule,
    Slow,
    StreamFail,
    ToolCall,
    Usage,
)

EVERY_STEP = """
rules:
  - model: gpt-*
    endpoint: chat
    steps:
      - {do: reply, text: hi, finish: length, usage: {input: 3, cache_read: 2}}
      - do: reply
        thinking: hm
        tool_calls:
          - {name: look, arguments: {city: Oslo}}
          - {name: broken, arguments: '{"city": '}
      - {do: fail, status: 429, type: t, message: m, code: c, headers: {retry-after: "3"}}
      - {do: overflow}
      - {do: refuse}
      - {do: hang, seconds: 2, after_events: 1}
      - {do: cut, after_events: 2}
      - {do: stream_fail, after_events: 4, error: {status: 503}, reply: {text: long}}
      - {do: slow, first_seconds: 0.5, per_event_seconds: 0.1, reply: {text: s}}
  - steps: [429, overflow, hang=3, ok]
"""

EVERY_RULE = (
    Rule(
        (
            Reply(text="hi", finish=Finish.LENGTH, usage=Usage(input=3, cache_read=2)),
            Reply(
                thinking="hm",
                tool_calls=(ToolCall("look", {"city": "Oslo"}), ToolCall("broken", '{"city": ')),
            ),
            Fail(429, "t", "m", "c", {"retry-after": "3"}),
            Overflow(),
            Refuse(),
            Hang(2.0, 1),
            Cut(2),
            StreamFail(4, Fail(503), Reply(text="long")),
            Slow(0.5, 0.1, Reply(text="s")),
        ),
        "gpt-*",
        Endpoint.CHAT,
    ),
    Rule((Fail(429), Overflow(), Hang(3.0), Reply())),
)


def test_every_step_can_be_written_in_yaml() -> None:
    assert read_yaml_rules(EVERY_STEP.encode()) == EVERY_RULE


def test_rules_shown_as_json_read_back_the_same() -> None:
    shown = msgspec.json.encode(rules_as_json(EVERY_RULE))
    assert read_json_rules(shown) == EVERY_RULE


def test_a_bare_list_is_a_script_too() -> None:
    assert read_json_rules(b'[{"steps": ["cut"]}]') == (Rule((Cut(),)),)
    assert read_yaml_rules(b"- steps: [cut]") == (Rule((Cut(),)),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"rules": [', "not valid JSON"),
        ('{"rules": 5}', r"Expected `array`, got `int` - at `\$.rules`"),
        ('{"rule": []}', "unknown field `rule`"),
        ('[{"steps": []}]', r"1 to 1,000 steps, not 0 - at `\$.rules\[0\]"),
        ('[{"steps": ["cut"]}, {"steps": ["cutt"]}]', r"'cutt' is not a step - at `\$.rules\[1\]"),
        ('[{"steps": [200]}]', r"200 is not a step .* 400 ... 599"),
        ('[{"steps": [{"do": "stop"}]}]', "one of: reply, fail, overflow, refuse, hang"),
        ('[{"steps": [{"do": "fail", "statsu": 500}]}]', "unknown field `statsu`"),
        ('[{"steps": [{"do": "fail", "status": 200}]}]', "from 400 to 599, not 200"),
        ('[{"steps": ["cut"], "endpoint": "chats"}]', r"'chats' - at `\$.rules\[0\].endpoint`"),
        ("null", "Expected `object`, got `null`"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ScriptError, match=told):
        read_json_rules(text.encode())


def test_broken_yaml_is_told_as_that() -> None:
    with pytest.raises(ScriptError, match="not valid YAML"):
        read_yaml_rules(b"rules: [")


def test_a_script_of_endless_length_is_refused() -> None:
    rules = [{"steps": ["cut"]}] * (MAX_RULES + 1)
    with pytest.raises(ScriptError, match="may hold 1,000 rules, not 1,001"):
        read_json_rules(msgspec.json.encode(rules))

"""Reads rules from a script file or from the control route, and says what is wrong and where."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tiergate.base.jsontypes import Json
from tiergate.mock.magic import WORDS, step_named
from tiergate.mock.rules import Endpoint, Rule, Step

MAX_RULES = 1_000
MAX_STEPS = 1_000


class ScriptError(ValueError):
    """A script cannot be read; the text says where and what was expected."""


class _RuleForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule as written: a step may be a short word (`overflow`, `ok`) or a status (429)."""

    steps: tuple[Step | str | int, ...]
    model: str = "*"
    endpoint: Endpoint | None = None


class _ScriptForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[_RuleForm, ...]


def read_json_rules(data: bytes) -> tuple[Rule, ...]:
    """Read `{"rules": [...]}` or a bare list of rules.

    Raises:
        ScriptError: not JSON, or not rules.
    """
    try:
        return _rules(msgspec.json.decode(data))
    except msgspec.DecodeError as error:
        raise ScriptError(f"This is not valid JSON: {error}.") from None


def read_yaml_rules(data: bytes) -> tuple[Rule, ...]:
    """Read `rules: [...]` or a bare list of rules; JSON is YAML too, so this reads both.

    Raises:
        ScriptError: not YAML, or not rules.
    """
    try:
        return _rules(msgspec.yaml.decode(data))
    except msgspec.DecodeError as error:
        raise ScriptError(f"This is not valid YAML: {error}.") from None


def rules_as_json(rules: tuple[Rule, ...]) -> Mapping[str, object]:
    """The form that `read_json_rules` reads."""
    return {"rules": msgspec.to_builtins(rules)}


def _rules(value: Json) -> tuple[Rule, ...]:
    whole: Json = {"rules": value} if isinstance(value, list) else value
    try:
        forms = msgspec.convert(whole, _ScriptForm).rules
    except msgspec.ValidationError as error:
        raise ScriptError(f"The script is not right: {error}.{_advice(str(error))}") from None
    if len(forms) > MAX_RULES:
        raise ScriptError(f"A script may hold {MAX_RULES:,} rules, not {len(forms):,}.")
    return tuple(_rule(form, index) for index, form in enumerate(forms))


def _rule(form: _RuleForm, index: int) -> Rule:
    if not 0 < len(form.steps) <= MAX_STEPS:
        raise ScriptError(
            f"The script is not right: a rule needs 1 to {MAX_STEPS:,} steps, "
            f"not {len(form.steps):,} - at `$.rules[{index}].steps`."
        )
    steps = tuple(
        _step(step, f"$.rules[{index}].steps[{place}]") for place, step in enumerate(form.steps)
    )
    return Rule(steps, form.model, form.endpoint)


def _step(step: Step | str | int, where: str) -> Step:
    if not isinstance(step, str | int):
        return step
    found = step_named(str(step))
    if found is None:
        raise ScriptError(
            f"The script is not right: {step!r} is not a step - at `{where}`. "
            f"Short words are: {', '.join(WORDS)}."
        )
    return found


def _advice(error: str) -> str:
    if not error.endswith(".do`"):
        return ""
    words = "reply, fail, overflow, refuse, hang, cut, stream_fail, slow"
    return f" The word `do` of a step is one of: {words}."

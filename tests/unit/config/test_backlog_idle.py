"""What the toolkit's file asks for and the gateway does not do is said, each once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench
from tiergate.config.backlog_idle import ACTING, IDLE, Fate, Form
from tiergate.config.findings import Finding

VALUES = {
    Form.FLAG: True,
    Form.WHOLE: 3,
    Form.NUMBER: 0.5,
    Form.TEXT: "text",
    Form.ANY: ["x"],
    Form.MAP: {},
}


def found(folder: Path, ops: object, **more) -> list[Finding]:
    text = json.dumps({"llmOps": ops}, indent=2)
    loaded = Bench(folder).load(MODELS + KEY, files={"backlog.config.json": text}, **more)
    return [each for each in loaded.findings if each.path.startswith("llmOps")]


def nested(path: tuple[str, ...], value: object) -> object:
    for part in reversed(path):
        value = {part: value}
    return value


@pytest.mark.parametrize("path", [p for p, idle in IDLE.items() if idle.form is not Form.MAP])
def test_no_key_is_passed_over_in_silence(tmp_path, path):
    (finding,) = found(tmp_path, nested(path, VALUES[IDLE[path].form]))
    assert finding.code in ("not-acting-yet", "no-effect")
    assert finding.path.startswith(f"llmOps.{path[0]}")
    later = finding.code == "not-acting-yet"
    assert finding.severity.value == ("warning" if later else "notice")
    if later:
        assert "is not acting yet" in finding.message


@pytest.mark.parametrize("path", [p for p, idle in IDLE.items() if idle.form is not Form.ANY])
def test_values_are_checked_all_the_same(tmp_path, path):
    findings = found(tmp_path, nested(path, ["wrong"]))
    (finding,) = (each for each in findings if each.code == "wrong-type")
    assert finding.severity.value == "error"
    assert finding.path == ".".join(("llmOps", *path))


def test_what_is_switched_off_asks_for_nothing(tmp_path):
    ops = {
        "cachePolicy": {
            "providerPromptCaching": False,
            "responseCache": {"enabled": False, "ttlSeconds": 60},
            "semanticCache": {"enabled": False, "backend": "qdrant"},
        },
        "batchPolicy": {"enabled": False, "eligiblePhases": ["draft"]},
    }
    assert found(tmp_path, ops) == []


def test_one_sentence_tells_of_a_whole_part(tmp_path):
    batches = {"enabled": True, "eligiblePhases": ["draft"], "maxConcurrentBatchJobs": 2}
    (finding,) = found(tmp_path, {"batchPolicy": batches})
    assert finding.path == "llmOps.batchPolicy"
    assert Fate.LATER_BATCH.value in finding.message


def test_strict_refuses_what_does_not_act_yet_and_leaves_the_toolkits_own(tmp_path):
    ops = {"batchPolicy": {"enabled": True}, "ragPolicy": {"k": 1}}
    by_path = {each.path: each.severity.value for each in found(tmp_path, ops, strict=True)}
    assert by_path == {"llmOps.batchPolicy": "error", "llmOps.ragPolicy": "notice"}


@pytest.mark.parametrize(("value", "told"), [(True, False), (False, True)])
def test_strict_mode_is_the_only_mode(tmp_path, value, told):
    hits = found(tmp_path, {"registry": {"strictMode": value}})
    assert bool(hits) == told
    assert all("aliases only" in each.message for each in hits)


def test_no_key_both_acts_and_does_not():
    acting = {(section, key) for section, keys in ACTING.items() for key in keys}
    assert not acting & set(IDLE)

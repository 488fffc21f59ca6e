"""The toolkit's file: found, read, and turned into what phases and escalations mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench, codes, lines, said, small_world
from tiergate.config.backlog import backlog_place, find_backlog
from tiergate.config.backlog_check import Toolkit
from tiergate.config.load import Loaded, load
from tiergate.core.phases import EscalationPolicy, TooLong, WorkPolicy

FILE = "backlog.config.json"


def loaded(folder: Path, ops: object, rest: str = "", **more) -> Loaded:
    """Two aliases with the toolkit's file beside them; `ops` may be the text of the file."""
    text = ops if isinstance(ops, str) else json.dumps({"llmOps": ops}, indent=2)
    return Bench(folder).load(MODELS + KEY + rest, files={FILE: text}, **more)


def work(folder: Path, ops: object, rest: str = "") -> WorkPolicy:
    found = loaded(folder, ops, rest)
    assert found.settings is not None, lines(found.findings, folder)
    assert found.settings.work is not None
    return found.settings.work


FULL = {
    "routing": {
        "entryModel": "balanced",
        "entryModelDraft": "cheap",
        "entryModelBulkRefine": "balanced",
        "escalationModel": "balanced",
        "maxEscalationsPerTicket": 2,
    },
    "gateway": {"requireEscalationReason": True, "baseURL": "http://localhost:4000"},
    "tokenPolicy": {
        "maxInputByPhase": {"bulk_refine": 8000},
        "maxOutputByPhase": {"bulk-refine": 900, "review": 50},
        "contextWindowStrategy": "truncate-oldest",
    },
    "registry": {"strictMode": True},
}


# ------------------------------------------------------------------ finding the file


def test_the_file_beside_the_first_configuration_is_found(tmp_path):
    config = str(tmp_path / "c.yaml")
    assert find_backlog((config,), None) is None
    (tmp_path / FILE).write_text("{}")
    assert find_backlog((config, "/elsewhere/d.yaml"), None) == tmp_path / FILE
    assert find_backlog(("/elsewhere/d.yaml", config), None) is None


def test_the_named_file_wins_and_need_not_be_there(tmp_path):
    (tmp_path / FILE).write_text("{}")
    other = tmp_path / "other.json"
    assert find_backlog((str(tmp_path / "c.yaml"),), other) == other


def test_where_it_would_be_is_known_before_it_is_there(tmp_path):
    assert backlog_place((tmp_path / "c.yaml",), None) == tmp_path / FILE
    assert backlog_place((), None) is None
    assert backlog_place((), tmp_path) == tmp_path


def test_without_the_file_nothing_is_said_and_nothing_holds(tmp_path):
    found = Bench(tmp_path).load(MODELS + KEY)
    assert found.settings is not None
    assert found.settings.work is None


def test_a_named_file_that_is_not_there_is_an_error(tmp_path):
    (tmp_path / "a.yaml").write_text(MODELS + KEY)
    missing = tmp_path / "missing.json"
    found = load(
        [tmp_path / "a.yaml"],
        {"ANTHROPIC_API_KEY": "k-anthropic", "OPENAI_API_KEY": "k-openai"},
        known=small_world(),
        toolkit=Toolkit(missing),
    )
    assert found.settings is None
    assert "missing.json" in str(found.findings[0])


def test_the_file_is_among_those_that_were_read(tmp_path):
    assert loaded(tmp_path, {}).files[-1] == str(tmp_path / FILE)


# ------------------------------------------------------------------ what it means


def test_every_acting_key_of_a_full_file_acts(tmp_path):
    found = work(tmp_path, FULL)
    assert (found.auto, found.entry, found.too_long) == (
        True,
        "balanced",
        TooLong.TRUNCATE_OLDEST,
    )
    assert found.escalation == EscalationPolicy(alias="balanced", limit=2, reason_required=True)
    refine = found.phase("bulk-refine")
    assert refine is not None
    assert (refine.name, refine.alias) == ("bulk-refine", "balanced")
    assert (refine.max_input, refine.max_output) == (8000, 900)
    assert [phase.name for phase in found.entered] == ["draft", "bulk-refine"]
    review = found.phase("review")
    assert review is not None
    assert (review.alias, review.max_output) == (None, 50)


def test_what_acts_is_in_the_report_with_its_place(tmp_path):
    rows = {row.path: row for row in loaded(tmp_path, FULL).report}
    assert rows["llmOps.routing.maxEscalationsPerTicket"].value == "2"
    assert rows["llmOps.routing.entryModel"].value == "balanced"
    assert rows["llmOps.routing.entryModelDraft"].value == "cheap"
    assert rows["llmOps.tokenPolicy.maxInputByPhase.bulk_refine"].value == "8000"
    assert rows["llmOps.routing.escalationModel"].origin == f"{tmp_path / FILE}:7"


def test_without_an_entry_model_there_is_no_auto(tmp_path):
    found = work(tmp_path, {"tokenPolicy": {"maxOutputByPhase": {"review": 5}}})
    assert not found.auto
    assert found.limits_tokens


def test_another_name_for_an_alias_is_resolved(tmp_path):
    rest = "router_settings: {model_group_alias: {best: balanced}}\n"
    found = work(tmp_path, {"routing": {"escalationModel": "best"}}, rest)
    assert found.escalation == EscalationPolicy(alias="balanced")


def test_an_escalation_alias_without_a_limit_says_that_nothing_is_counted(tmp_path):
    rows = loaded(tmp_path, {"routing": {"escalationModel": "balanced"}}).report
    (row,) = (row for row in rows if row.path.endswith("maxEscalationsPerTicket"))
    assert "not counted" in row.value


@pytest.mark.parametrize(
    ("limit", "warned"), [({"maxEscalationsPerTicket": 1}, True), ({}, False)]
)
def test_a_limit_that_a_restart_forgets_is_a_warning(tmp_path, limit, warned):
    rest = KEY.replace("}", ", state_dir: ':memory:'}")
    ops = {"routing": {"escalationModel": "balanced", **limit}}
    text = json.dumps({"llmOps": ops})
    found = Bench(tmp_path).load(MODELS + rest, files={FILE: text})
    assert found.settings is not None
    assert bool(said(found, "escalations-in-memory")) == warned


def test_that_a_reason_is_required_is_never_lost_by_a_slip(tmp_path):
    ops = {"routing": {"escalationModel": "cheap"}, "gateway": {"requireEscalationReason": 1}}
    assert loaded(tmp_path, ops, lenient=True).settings is None


def test_an_alias_named_auto_wins_and_both_are_named(tmp_path):
    extra = MODELS.replace("model_name: cheap", "model_name: auto") + KEY
    text = json.dumps({"llmOps": {"routing": {"entryModel": "balanced"}}})
    found = Bench(tmp_path).load(extra, files={FILE: text})
    assert found.settings is not None
    assert found.settings.work is not None
    assert not found.settings.work.auto
    assert said(found, "conflicting-files")


def test_other_parts_of_the_file_are_the_toolkits_own(tmp_path):
    found = loaded(tmp_path, json.dumps({"board": {"anything": [1]}, "llmOps": FULL}))
    assert found.settings is not None
    assert not [each for each in found.findings if "board" in each.path]


def test_a_file_without_the_section_is_said_to_have_none(tmp_path):
    found = loaded(tmp_path, '{"llmops": {}}')
    assert found.settings is not None
    assert found.settings.work is None
    (notice,) = (each for each in found.findings if each.code == "no-llm-ops")
    assert "llmops" in notice.advice


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("ops", "code", "path"),
    [
        ({"routing": {"escalationModel": "fronteer"}}, "unknown-alias", "routing.escalationModel"),
        ({"routing": {"entryModelDraft": "chea"}}, "unknown-alias", "routing.entryModelDraft"),
        ({"routing": {"entryModelDraft": 5}}, "wrong-type", "routing.entryModelDraft"),
        (
            {"routing": {"entryModelBulkX": "cheap", "entryModelBulk_X": "cheap"}},
            "repeated-key",
            "routing.entryModelBulk_X",
        ),
        ({"routing": {"maxEscalationsPerTicket": 1}}, "no-escalation-model", "routing.max"),
        ({"gateway": {"requireEscalationReason": True}}, "no-escalation-model", "gateway.req"),
        (
            {"routing": {"escalationModel": "cheap", "maxEscalationsPerTicket": -1}},
            "wrong-type",
            "routing.maxEscalationsPerTicket",
        ),
        (
            {"routing": {"escalationModel": "cheap", "maxEscalationsPerTicket": 1.5}},
            "wrong-type",
            "routing.maxEscalationsPerTicket",
        ),
        (
            {"tokenPolicy": {"maxInputByPhase": {"draft": 0}}},
            "wrong-type",
            "tokenPolicy.maxInputByPhase.draft",
        ),
        (
            {"tokenPolicy": {"maxInputByPhase": {"a-b": 5, "A_B": 5}}},
            "repeated-key",
            "tokenPolicy.maxInputByPhase.A_B",
        ),
        (
            {"tokenPolicy": {"contextWindowStrategy": "truncate"}},
            "unknown-value",
            "tokenPolicy.contextWindowStrategy",
        ),
        ({"gateway": {"baseURL": "nonsense"}}, "wrong-type", "gateway.baseURL"),
        ({"routing": 5}, "wrong-type", "routing"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path, ops, code, path):
    found = loaded(tmp_path, ops)
    assert found.settings is None
    hits = [each for each in found.findings if each.path.startswith(f"llmOps.{path}")]
    assert [each.code for each in hits] == [code], lines(found.findings, tmp_path)
    assert hits[0].position.file == str(tmp_path / FILE)
    assert hits[0].position.line > 1


@pytest.mark.parametrize(
    ("ops", "path", "nearest"),
    [
        ({"routing": {"escalationModle": "cheap"}}, "routing.escalationModle", "escalationModel"),
        ({"routng": {}}, "routng", "routing"),
        ({"gateway": {"baseUrl": "x"}}, "gateway.baseUrl", "baseURL"),
        ({"tokenPolicy": {"maxOutputByPhases": {}}}, "tokenPolicy.max", "maxOutputByPhase"),
        ({"cachePolicy": {"responseCach": {}}}, "cachePolicy.responseCach", "responseCache"),
        ({"cachePolicy": {"responseCache": {"ttl": 1}}}, "cachePolicy.resp", "ttlSeconds"),
        ({"batchPolicy": {"enable": True}}, "batchPolicy.enable", "enabled"),
        ({"registry": {"strictmode": True}}, "registry.strictmode", "strictMode"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_one(tmp_path, ops, path, nearest):
    found = loaded(tmp_path, ops)
    assert found.settings is None
    (hit,) = (each for each in found.findings if each.code == "unknown-key")
    assert hit.path.startswith(f"llmOps.{path}")
    assert hit.position.line == 3 + (len(path.split(".")) > 1) + (
        "resp" in path and "ttl" in str(ops)
    )
    assert nearest in hit.advice


def test_lenient_makes_it_a_warning(tmp_path):
    found = loaded(tmp_path, {"routing": {"entryModle": "cheap"}}, lenient=True)
    assert found.settings is not None
    assert "unknown-key" in codes(found)


@pytest.mark.parametrize("word", ["summarize", "rag-augment"])
def test_a_strategy_that_the_toolkit_follows_itself_refuses_here(tmp_path, word):
    found = loaded(tmp_path, {"tokenPolicy": {"contextWindowStrategy": word}})
    assert found.settings is not None
    assert found.settings.work is not None
    assert found.settings.work.too_long is TooLong.REFUSE
    assert [row for row in said(found, "no-effect") if word in row]


def test_the_text_of_the_file_must_be_an_object(tmp_path):
    found = loaded(tmp_path, "[1]")
    assert found.settings is None
    assert "wrong-type" in codes(found)

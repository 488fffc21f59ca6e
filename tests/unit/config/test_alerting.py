"""Alerts are read in LiteLLM's form: who, of what, and where to."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import MODELS, Bench, Loaded, said
from tiergate.core.alarms import AlarmKind
from tiergate.core.sink_plan import AlertPlan

ENVIRON = {
    "ANTHROPIC_API_KEY": "k",
    "OPENAI_API_KEY": "k",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/secret",
}
CHAT = ENVIRON["SLACK_WEBHOOK_URL"]


def load(folder: Path, rest: str, environ: dict[str, str] = ENVIRON, **how: bool) -> Loaded:
    general = f"general_settings: {{master_key: 7f3kQ9xV2mZp8LwR4tYb, {rest}}}\n"
    return Bench(folder).load(MODELS + general, environ=environ, **how)


def plan(loaded: Loaded) -> AlertPlan:
    assert loaded.settings is not None, loaded.findings
    assert loaded.settings.sinks.alerts is not None
    return loaded.settings.sinks.alerts


def test_slack_is_told_of_everything(tmp_path: Path) -> None:
    loaded = load(tmp_path, "alerting: [slack], alerting_threshold: 120")
    found = plan(loaded)
    assert found.chats == dict.fromkeys(AlarmKind, (CHAT,))
    assert found.slow_seconds == 120
    assert found.address is None
    assert loaded.findings == ()
    assert "secret" not in repr(loaded.settings)
    assert "secret" not in str(loaded.report)


def test_the_variable_may_be_the_neutral_one(tmp_path: Path) -> None:
    environ = {**ENVIRON, "SLACK_WEBHOOK_URL": "", "ALERTING_WEBHOOK_URL": "http://chat/x"}
    found = plan(load(tmp_path, "alerting: [slack]", environ))
    assert found.chats[AlarmKind.BUDGET] == ("http://chat/x",)
    assert found.slow_seconds == 300


def test_the_variable_may_stand_in_the_file(tmp_path: Path) -> None:
    environ = {**ENVIRON, "SLACK_WEBHOOK_URL": ""}
    text = (
        MODELS + "general_settings: {master_key: 7f3kQ9xV2mZp8LwR4tYb, alerting: [slack]}\n"
        "environment_variables: {SLACK_WEBHOOK_URL: 'http://chat/of-the-file'}\n"
    )
    found = plan(Bench(tmp_path).load(text, environ=environ))
    assert found.chats[AlarmKind.OUTAGE] == ("http://chat/of-the-file",)


def test_kinds_can_be_chosen_and_have_addresses_of_their_own(tmp_path: Path) -> None:
    found = plan(
        load(
            tmp_path,
            "alerting: [slack], alert_types: [budget_alerts, outage_alerts],"
            " alert_to_webhook_url: {budget_alerts: ['http://a/', 'http://b/']}",
        )
    )
    assert found.chats == {
        AlarmKind.BUDGET: ("http://a/", "http://b/"),
        AlarmKind.OUTAGE: (CHAT,),
    }


def test_the_variable_is_not_needed_where_every_kind_has_its_own(tmp_path: Path) -> None:
    environ = {**ENVIRON, "SLACK_WEBHOOK_URL": ""}
    rest = "alerting: [slack], alert_types: [budget_alerts]"
    own = ", alert_to_webhook_url: {budget_alerts: 'http://a/'}"
    assert plan(load(tmp_path, rest + own, environ)).chats == {AlarmKind.BUDGET: ("http://a/",)}

    loaded = load(tmp_path, rest, environ)
    assert loaded.settings is None
    assert "SLACK_WEBHOOK_URL" in str(loaded.findings[0])
    assert load(tmp_path, rest, environ, env=False).settings is not None


def test_an_address_can_get_json(tmp_path: Path) -> None:
    found = plan(load(tmp_path, "alerting: [webhook]", {**ENVIRON, "WEBHOOK_URL": "http://j/"}))
    assert found.address == "http://j/"
    assert found.chats == {}
    assert load(tmp_path, "alerting: [webhook]").settings is None


def test_types_of_litellm_that_are_not_sent_are_named(tmp_path: Path) -> None:
    loaded = load(tmp_path, "alerting: [slack], alert_types: [llm_exceptions, budget_alerts]")
    assert plan(loaded).chats.keys() == {AlarmKind.BUDGET}
    assert len(said(loaded, "alert-without-effect")) == 1


def test_a_misspelt_type_is_an_error(tmp_path: Path) -> None:
    loaded = load(tmp_path, "alerting: [slack], alert_types: [budget_alert]")
    assert loaded.settings is None
    assert loaded.findings[0].advice == "Did you mean `budget_alerts`?"


def test_alerts_by_mail_are_named_and_others_refused(tmp_path: Path) -> None:
    loaded = load(tmp_path, "alerting: [email]")
    assert loaded.settings is not None
    assert loaded.settings.sinks.alerts is None
    assert len(said(loaded, "alerting-without-effect")) == 1
    assert load(tmp_path, "alerting: [pigeon]").settings is None


@pytest.mark.parametrize("address", ["chat", "ftp://chat"])
def test_a_bad_address_is_an_error(tmp_path: Path, address: str) -> None:
    assert (
        load(tmp_path, "alerting: [slack]", {**ENVIRON, "SLACK_WEBHOOK_URL": address}).settings
        is None
    )
    own = f"alerting: [slack], alert_to_webhook_url: {{budget_alerts: '{address}'}}"
    assert load(tmp_path, own).settings is None


def test_without_alerting_nobody_is_told(tmp_path: Path) -> None:
    loaded = load(tmp_path, "alerting_threshold: 5")
    assert loaded.settings is not None
    assert loaded.settings.sinks.alerts is None

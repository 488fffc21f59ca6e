"""Callbacks are read from LiteLLM's keys: who is told, of which calls, and whether of words."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench, Loaded, said
from tiergate.core.sink_plan import (
    BucketPlace,
    CustomPlace,
    FilePlace,
    OtlpPlace,
    SinkPlan,
    WebhookPlace,
)

KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
WITH_SINK = {
    **KEYS,
    "GENERIC_LOGGER_ENDPOINT": "http://sink:9/events",
    "LANGFUSE_PUBLIC_KEY": "pk-1",
    "LANGFUSE_SECRET_KEY": "sk-1",
}
BUCKET = ", s3_callback_params: {s3_bucket_name: logs}"


def load(
    folder: Path, rest: str, environ: dict[str, str] = WITH_SINK, top: str = "", **how: bool
) -> Loaded:
    text = MODELS + KEY + f"litellm_settings: {{{rest}}}\n" + top
    return Bench(folder).load(text, environ=environ, **how)


def sinks(loaded: Loaded) -> tuple[SinkPlan, ...]:
    assert loaded.settings is not None, loaded.findings
    return loaded.settings.sinks.sinks


@pytest.mark.parametrize("name", ["generic_api", "webhook", "generic"])
def test_a_webhook_is_told_of_all_calls(tmp_path: Path, name: str) -> None:
    loaded = load(tmp_path, f"callbacks: [prometheus, {name}]")

    place = WebhookPlace(url="http://sink:9/events")
    assert sinks(loaded) == (SinkPlan(name=name, place=place),)
    assert loaded.findings == ()


def test_success_and_failure_have_keys_of_their_own(tmp_path: Path) -> None:
    good = sinks(load(tmp_path, "success_callback: [generic_api]"))
    bad = sinks(load(tmp_path, "failure_callback: generic_api"))
    both = sinks(load(tmp_path, "success_callback: [webhook], failure_callback: [webhook]"))

    assert (good[0].on_success, good[0].on_failure) == (True, False)
    assert (bad[0].on_success, bad[0].on_failure) == (False, True)
    assert (both[0].on_success, both[0].on_failure) == (True, True)


def test_two_names_of_one_sink_are_told_once(tmp_path: Path) -> None:
    found = sinks(
        load(
            tmp_path,
            "callbacks: [generic, langfuse_otel, s3], success_callback: [webhook, langfuse, s3_v2]"
            + BUCKET,
        )
    )
    assert [plan.name for plan in found] == ["generic", "langfuse_otel", "s3"]


def test_several_callbacks_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = sinks(
        load(tmp_path, "callbacks: [langfuse, otel, s3_v2, file, my.mod.instance]" + BUCKET)
    )

    assert [plan.name for plan in found] == [
        "langfuse",
        "otel",
        "s3_v2",
        "file",
        "my.mod.instance",
    ]
    kinds = [type(plan.place) for plan in found]
    assert kinds == [OtlpPlace, OtlpPlace, BucketPlace, FilePlace, CustomPlace]


def test_words_go_to_langfuse_and_to_classes_and_elsewhere_when_asked_for(tmp_path: Path) -> None:
    names = "callbacks: [langfuse, otel, file, generic_api, mine.logger]"
    usual = sinks(load(tmp_path, names))
    assert [plan.words for plan in usual] == [True, False, False, False, True]

    top = (
        "callback_settings: {langfuse: {message_logging: false}, otel: {message_logging: true},"
        " file: {message_logging: true}, mine.logger: {turn_off_message_logging: true}}\n"
    )
    asked = load(tmp_path, names, top=top)
    assert [plan.words for plan in sinks(asked)] == [False, True, True, False, False]
    assert asked.findings == ()


def test_the_file_can_forbid_words_altogether(tmp_path: Path) -> None:
    top = "callback_settings: {file: {message_logging: true}}\n"
    found = sinks(
        load(tmp_path, "callbacks: [langfuse, file], turn_off_message_logging: true", top=top)
    )
    assert [plan.words for plan in found] == [False, False]


def test_names_can_be_left_out_and_switching_off_forbidden(tmp_path: Path) -> None:
    usual = load(tmp_path, "callbacks: [file]").settings
    strict = load(
        tmp_path,
        "callbacks: [file], redact_user_api_key_info: true,"
        " allow_dynamic_callback_disabling: false",
    ).settings
    assert usual is not None
    assert strict is not None
    assert (usual.sinks.sinks[0].nameless, usual.sinks.may_disable) == (False, True)
    assert (strict.sinks.sinks[0].nameless, strict.sinks.may_disable) == (True, False)


def test_a_class_is_looked_for_beside_the_file(tmp_path: Path) -> None:
    (plan,) = sinks(load(tmp_path, "callbacks: my_logger.proxy_handler_instance"))
    assert plan.place == CustomPlace(name="my_logger.proxy_handler_instance", folder=str(tmp_path))


def test_names_of_ones_own_are_webhooks(tmp_path: Path) -> None:
    top = (
        "callback_settings:\n"
        "  audit: {callback_type: generic_api, endpoint: 'https://a/x',"
        " headers: {Authorization: Bearer s}, event_types: [llm_api_failure]}\n"
        "  bill: {callback_type: generic_api, endpoint: 'https://b/y', log_format: ndjson}\n"
    )
    loaded = load(tmp_path, "callbacks: [audit, bill]", KEYS, top=top)

    audit, bill = sinks(loaded)
    assert audit.place == WebhookPlace(url="https://a/x", headers=(("Authorization", "Bearer s"),))
    assert (audit.on_success, audit.on_failure) == (False, True)
    assert bill.place == WebhookPlace(url="https://b/y", lines=True)
    assert loaded.findings == ()
    assert "Bearer" not in repr(loaded.settings)


def test_headers_can_stand_in_the_file(tmp_path: Path) -> None:
    found = sinks(load(tmp_path, "callbacks: [webhook], generic_logger_headers: {x-a: b}"))
    assert isinstance(found[0].place, WebhookPlace)
    assert found[0].place.headers == (("x-a", "b"),)


def test_options_of_a_callback_that_nobody_asked_for_are_said(tmp_path: Path) -> None:
    top = "callback_settings: {otel: {message_logging: true}}\n"
    loaded = load(tmp_path, "callbacks: [file]", top=top)
    assert len(said(loaded, "no-such-callback")) == 1


def test_an_option_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    top = "callback_settings: {file: {max_byte: 10}}\n"
    loaded = load(tmp_path, "callbacks: [file]", top=top)
    assert loaded.settings is None
    assert "unknown-key" in [finding.code for finding in loaded.findings]


def test_a_callback_of_litellm_alone_is_named(tmp_path: Path) -> None:
    loaded = load(tmp_path, "callbacks: [datadog, slack]", KEYS)

    assert len(said(loaded, "callback-without-effect")) == 2
    assert any("alerting" in finding.advice for finding in loaded.findings)
    assert load(tmp_path, "callbacks: [datadog]", KEYS, strict=True).settings is None


def test_an_unknown_callback_stops_the_start_with_the_nearest_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, "callbacks: [langfus, 3, {}, a-b.c]", KEYS)

    assert loaded.settings is None
    assert loaded.findings[0].advice == "Did you mean `langfuse`?"
    assert len(said(loaded, "wrong-type")) == 2


def test_what_is_not_a_list_is_said(tmp_path: Path) -> None:
    assert load(tmp_path, "callbacks: {a: b}", KEYS).settings is None


def test_without_callbacks_there_are_none(tmp_path: Path) -> None:
    loaded = load(tmp_path, "num_retries: 1", KEYS)
    assert sinks(loaded) == ()


def test_the_report_says_who_is_told_of_what(tmp_path: Path) -> None:
    loaded = load(tmp_path, "success_callback: [langfuse], failure_callback: [webhook]")
    rows = [row.value for row in loaded.report if row.path == "litellm_settings.callbacks"]
    assert rows == [
        "langfuse, good calls, with prompts and answers",
        "webhook, failed calls, without prompts and answers",
    ]

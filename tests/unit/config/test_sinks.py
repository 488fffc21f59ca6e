from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench, Loaded, said
from tiergate.core.catalog import WebhookSink

KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
WITH_SINK = {**KEYS, "GENERIC_LOGGER_ENDPOINT": "http://sink:9/events"}


def load(folder: Path, rest: str, environ: dict[str, str], **how: bool) -> Loaded:
    return Bench(folder).load(
        MODELS + KEY + f"litellm_settings: {{{rest}}}\n", environ=environ, **how
    )


def sinks(loaded: Loaded) -> tuple[WebhookSink, ...]:
    assert loaded.settings is not None, loaded.findings
    return loaded.settings.webhooks


@pytest.mark.parametrize("name", ["generic_api", "webhook", "generic"])
def test_a_webhook_is_told_of_all_calls(tmp_path: Path, name: str) -> None:
    loaded = load(tmp_path, f"callbacks: [prometheus, {name}]", WITH_SINK)

    assert sinks(loaded) == (WebhookSink(url="http://sink:9/events"),)
    assert loaded.findings == ()


def test_success_and_failure_have_keys_of_their_own(tmp_path: Path) -> None:
    good = sinks(load(tmp_path, "success_callback: [generic_api]", WITH_SINK))
    bad = sinks(load(tmp_path, "failure_callback: generic_api", WITH_SINK))
    both = sinks(
        load(tmp_path, "success_callback: [webhook], failure_callback: [webhook]", WITH_SINK)
    )

    assert (good[0].on_success, good[0].on_failure) == (True, False)
    assert (bad[0].on_success, bad[0].on_failure) == (False, True)
    assert (both[0].on_success, both[0].on_failure) == (True, True)


def test_headers_come_from_their_variable(tmp_path: Path) -> None:
    environ = {**WITH_SINK, "GENERIC_LOGGER_HEADERS": "Authorization=Bearer a=b, X-Team = blue,"}

    loaded = load(tmp_path, "callbacks: [generic_api]", environ)

    assert sinks(loaded)[0].headers == (("Authorization", "Bearer a=b"), ("X-Team", "blue"))
    assert "Bearer" not in repr(loaded.settings)


def test_a_header_that_is_none_is_an_error_that_does_not_quote_it(tmp_path: Path) -> None:
    environ = {**WITH_SINK, "GENERIC_LOGGER_HEADERS": "X-A=1,s3cr3t"}

    loaded = load(tmp_path, "callbacks: [generic_api]", environ)

    assert loaded.settings is None
    assert "part 2" in str(loaded.findings[0])
    assert "s3cr3t" not in str(loaded.findings)


def test_a_webhook_without_an_address_is_an_error(tmp_path: Path) -> None:
    loaded = load(tmp_path, "callbacks: [generic_api]", KEYS)

    assert loaded.settings is None
    assert "GENERIC_LOGGER_ENDPOINT" in str(loaded.findings[0])


def test_without_variables_at_hand_a_missing_address_is_fine(tmp_path: Path) -> None:
    assert load(tmp_path, "callbacks: [generic_api]", KEYS, env=False).settings is not None


@pytest.mark.parametrize(
    "address", ["sink", "ftp://sink", "http://", "http://[", "http://h:99999"]
)
def test_a_bad_address_is_an_error(tmp_path: Path, address: str) -> None:
    environ = {**KEYS, "GENERIC_LOGGER_ENDPOINT": address}

    assert load(tmp_path, "callbacks: [generic_api]", environ).settings is None


@pytest.mark.parametrize("name", ["langfuse", "otel", "s3", "my_module.instance"])
def test_what_is_to_come_is_named_and_stops_nothing(tmp_path: Path, name: str) -> None:
    loaded = load(tmp_path, f"callbacks: [{name}]", KEYS)

    assert len(said(loaded, "callback-not-acting-yet")) == 1
    assert sinks(loaded) == ()


def test_a_callback_of_litellm_alone_is_named(tmp_path: Path) -> None:
    loaded = load(tmp_path, "callbacks: [datadog]", KEYS)

    assert len(said(loaded, "callback-without-effect")) == 1
    assert load(tmp_path, "callbacks: [datadog]", KEYS, strict=True).settings is None


def test_an_unknown_callback_stops_the_start_with_the_nearest_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, "callbacks: [langfus, 3, {}, a-b.c]", KEYS)

    assert loaded.settings is None
    assert loaded.findings[0].advice == "Did you mean `langfuse`?"
    assert len(said(loaded, "wrong-type")) == 2

"""Addresses and logins of sinks come from LiteLLM's variables; what is missing is said by name."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from support.config_world import KEY, MODELS, Bench, Loaded
from tiergate.config.stores import EXTRAS
from tiergate.core.sink_plan import BucketPlace, FilePlace, OtlpPlace, Place, WebhookPlace

KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
LANGFUSE = {**KEYS, "LANGFUSE_PUBLIC_KEY": "pk-1", "LANGFUSE_SECRET_KEY": "sk-1"}
HOOK = {**KEYS, "GENERIC_LOGGER_ENDPOINT": "http://sink:9/events"}


def load(
    folder: Path,
    rest: str,
    environ: dict[str, str],
    top: str = "",
    extras: frozenset[str] = EXTRAS,
    **how: bool,
) -> Loaded:
    text = MODELS + KEY + f"litellm_settings: {{{rest}}}\n" + top
    return Bench(folder, extras).load(text, environ=environ, **how)


def place(loaded: Loaded) -> Place:
    assert loaded.settings is not None, loaded.findings
    return loaded.settings.sinks.sinks[0].place


def otlp(folder: Path, name: str, environ: dict[str, str]) -> OtlpPlace:
    found = place(load(folder, f"callbacks: [{name}]", environ))
    assert isinstance(found, OtlpPlace)
    return found


# ------------------------------------------------------------------ webhooks


def test_headers_come_from_their_variable(tmp_path: Path) -> None:
    environ = {**HOOK, "GENERIC_LOGGER_HEADERS": "Authorization=Bearer a=b, X-Team = blue,"}

    loaded = load(tmp_path, "callbacks: [generic_api]", environ)

    found = place(loaded)
    assert isinstance(found, WebhookPlace)
    assert found.headers == (("Authorization", "Bearer a=b"), ("X-Team", "blue"))
    assert "Bearer" not in repr(loaded.settings)


def test_a_header_that_is_none_is_an_error_that_does_not_quote_it(tmp_path: Path) -> None:
    environ = {**HOOK, "GENERIC_LOGGER_HEADERS": "X-A=1,s3cr3t"}

    loaded = load(tmp_path, "callbacks: [generic_api]", environ)

    assert loaded.settings is None
    assert "part 2" in str(loaded.findings[0])
    assert "s3cr3t" not in str(loaded.findings)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("generic_api", "GENERIC_LOGGER_ENDPOINT"), ("langfuse", "LANGFUSE_PUBLIC_KEY")],
)
def test_a_missing_variable_is_an_error_that_names_it(
    tmp_path: Path, name: str, variable: str
) -> None:
    loaded = load(tmp_path, f"callbacks: [{name}]", KEYS)

    assert loaded.settings is None
    assert variable in str(loaded.findings[0])
    assert load(tmp_path, f"callbacks: [{name}]", KEYS, env=False).settings is not None


@pytest.mark.parametrize(
    "address", ["sink", "ftp://sink", "http://", "http://[", "http://h:99999"]
)
def test_a_bad_address_is_an_error(tmp_path: Path, address: str) -> None:
    hook = {**KEYS, "GENERIC_LOGGER_ENDPOINT": address}
    assert load(tmp_path, "callbacks: [generic_api]", hook).settings is None
    assert (
        load(tmp_path, "callbacks: [langfuse]", {**LANGFUSE, "LANGFUSE_HOST": address}).settings
        is None
    )
    collector = {**KEYS, "OTEL_EXPORTER_OTLP_ENDPOINT": address}
    assert load(tmp_path, "callbacks: [otel]", collector).settings is None
    top = f"callback_settings: {{generic_api: {{endpoint: '{address}'}}}}\n"
    assert load(tmp_path, "callbacks: [generic_api]", HOOK, top).settings is None
    bucket = (
        f"callbacks: [s3], s3_callback_params: {{s3_bucket_name: b, s3_endpoint_url: '{address}'}}"
    )
    assert load(tmp_path, bucket, KEYS).settings is None


def test_unknown_event_types_and_formats_are_errors(tmp_path: Path) -> None:
    for option in ("event_types: [llm]", "log_format: single", "callback_type: other"):
        top = f"callback_settings: {{generic_api: {{{option}}}}}\n"
        assert load(tmp_path, "callbacks: [generic_api]", HOOK, top).settings is None, option


# ------------------------------------------------------------------ traces


def test_langfuse_is_asked_at_its_otlp_door_with_its_login(tmp_path: Path) -> None:
    found = otlp(tmp_path, "langfuse", {**LANGFUSE, "LANGFUSE_HOST": "https://lf.example/"})

    assert found.url == "https://lf.example/api/public/otel/v1/traces"
    login = base64.b64encode(b"pk-1:sk-1").decode()
    assert found.headers == (("authorization", f"Basic {login}"),)
    assert found.langfuse
    assert "sk-1" not in repr(found)
    assert login not in repr(found)


@pytest.mark.parametrize(
    ("name", "environ", "host"),
    [
        ("langfuse", {}, "https://cloud.langfuse.com"),
        ("langfuse_otel", {}, "https://us.cloud.langfuse.com"),
        ("langfuse", {"LANGFUSE_BASE_URL": "http://l:3000"}, "http://l:3000"),
        (
            "langfuse_otel",
            {"LANGFUSE_OTEL_HOST": "http://o", "LANGFUSE_HOST": "http://h"},
            "http://o",
        ),
        ("langfuse", {"LANGFUSE_OTEL_HOST": "http://o/api/public/otel"}, "http://o"),
    ],
)
def test_where_langfuse_is(tmp_path: Path, name: str, environ: dict[str, str], host: str) -> None:
    found = otlp(tmp_path, name, {**LANGFUSE, **environ})
    assert found.url == f"{host}/api/public/otel/v1/traces"


def test_langfuse_is_told_environment_and_release(tmp_path: Path) -> None:
    environ = {**LANGFUSE, "LANGFUSE_TRACING_ENVIRONMENT": "prod", "LANGFUSE_RELEASE": "r1"}
    assert otlp(tmp_path, "langfuse", environ).resource == {
        "service.name": "tiergate",
        "langfuse.environment": "prod",
        "langfuse.release": "r1",
    }


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://localhost:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c/x/"}, "http://c/x/v1/traces"),
        ({"OTEL_ENDPOINT": "https://c/v1/traces"}, "https://c/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c/own"}, "https://c/own"),
    ],
)
def test_where_traces_go(tmp_path: Path, environ: dict[str, str], url: str) -> None:
    found = otlp(tmp_path, "otel", {**KEYS, **environ})
    assert found.url == url
    assert not found.langfuse


def test_headers_of_the_standard_are_percent_encoded_and_litellms_are_not(tmp_path: Path) -> None:
    standard = {**KEYS, "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20a"}
    assert otlp(tmp_path, "otel", standard).headers == (("authorization", "Basic a"),)
    litellm = {**KEYS, "OTEL_HEADERS": "x-key=a%20b"}
    assert otlp(tmp_path, "otel", litellm).headers == (("x-key", "a%20b"),)


def test_the_resource_comes_from_the_environment(tmp_path: Path) -> None:
    environ = {
        **KEYS,
        "OTEL_RESOURCE_ATTRIBUTES": "team=a%20b,service.name=x,nonsense",
        "OTEL_SERVICE_NAME": "gate",
        "OTEL_ENVIRONMENT_NAME": "prod",
    }
    assert otlp(tmp_path, "otel", environ).resource == {
        "service.name": "gate",
        "team": "a b",
        "deployment.environment": "prod",
    }


@pytest.mark.parametrize("word", ["otlp_http", "http/protobuf", "http/json", "OTLP_HTTP"])
def test_every_word_for_http_will_do(tmp_path: Path, word: str) -> None:
    otlp(tmp_path, "otel", {**KEYS, "OTEL_EXPORTER": word})


@pytest.mark.parametrize("name", ["OTEL_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL"])
@pytest.mark.parametrize("word", ["grpc", "otlp_grpc", "console"])
def test_other_ways_are_refused_with_what_to_write(tmp_path: Path, name: str, word: str) -> None:
    loaded = load(tmp_path, "callbacks: [otel]", {**KEYS, name: word})
    assert loaded.settings is None
    assert "otlp_http" in loaded.findings[0].advice


# ------------------------------------------------------------------ bucket and file


def test_a_bucket_has_litellms_parameters(tmp_path: Path) -> None:
    params = (
        "callbacks: [s3], s3_callback_params: {s3_bucket_name: logs, s3_path: /a/b/,"
        " s3_region_name: eu-west-1, s3_endpoint_url: 'http://minio:9000',"
        " s3_aws_access_key_id: AK, s3_aws_secret_access_key: SK, s3_aws_session_token: ST,"
        " s3_use_team_prefix: true}"
    )
    loaded = load(tmp_path, params, KEYS)
    found = place(loaded)
    assert isinstance(found, BucketPlace)
    bucket = found.bucket
    assert (bucket.name, bucket.path, bucket.region) == ("logs", "a/b", "eu-west-1")
    assert (bucket.endpoint, bucket.key_id) == ("http://minio:9000", "AK")
    assert found.by_team
    assert bucket.secret is not None
    assert bucket.secret.value == "SK"


def test_options_of_litellms_sending_are_named(tmp_path: Path) -> None:
    params = "callbacks: [s3], s3_callback_params: {s3_bucket_name: logs, s3_flush_interval: 5}"
    loaded = load(tmp_path, params, KEYS)
    assert place(loaded)
    assert "no-effect" in [finding.code for finding in loaded.findings]


def test_a_bucket_without_a_name_is_an_error(tmp_path: Path) -> None:
    loaded = load(tmp_path, "callbacks: [s3]", KEYS)
    assert loaded.settings is None
    assert "s3_bucket_name" in loaded.findings[0].advice


def test_a_bucket_needs_its_library(tmp_path: Path) -> None:
    params = "callbacks: [s3], s3_callback_params: {s3_bucket_name: logs}"
    loaded = load(tmp_path, params, KEYS, extras=frozenset())
    assert loaded.settings is None
    assert "tiergate[s3]" in loaded.findings[0].advice


def test_a_file_is_in_the_state_directory_where_nobody_says_more(tmp_path: Path) -> None:
    assert place(load(tmp_path, "callbacks: [file]", KEYS)) == FilePlace()


def test_a_file_has_its_place_and_its_size(tmp_path: Path) -> None:
    top = "callback_settings: {file: {path: logs/calls.jsonl, max_bytes: 2048, keep: 0}}\n"
    assert place(load(tmp_path, "callbacks: [file]", KEYS, top)) == FilePlace(
        path=str(tmp_path / "logs/calls.jsonl"), most_bytes=2048, keep=0
    )
    absolute = "callback_settings: {file: {path: /var/log/calls.jsonl}}\n"
    found = place(load(tmp_path, "callbacks: [file]", KEYS, absolute))
    assert found == FilePlace(path="/var/log/calls.jsonl")

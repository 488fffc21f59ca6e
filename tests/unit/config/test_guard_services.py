"""Options of guards that ask a service."""

from __future__ import annotations

import pytest

from support.guarded import Options
from tiergate.base.values import Secret
from tiergate.core.guard_options import ModerationOptions, Reaction, RemoteOptions

OPENAI = "https://api.openai.com/v1/moderations"


def read(tmp_path, text: str, environ=None) -> tuple[object, Options]:
    options = Options(tmp_path, environ=environ)
    return options.read(text), options


def test_moderation_asks_openai_with_the_key_of_the_environment(tmp_path):
    found, options = read(tmp_path, "{guardrail: openai_moderation}", {"OPENAI_API_KEY": "k"})
    assert found == ModerationOptions(address=OPENAI, key=Secret("k"))
    assert options.said() == []


def test_moderation_can_ask_elsewhere_and_only_log(tmp_path):
    found, options = read(
        tmp_path,
        "{guardrail: openai_moderation, api_base: 'http://localhost:1/v1/', "
        "model: text-moderation-latest, action: LOG}",
    )
    assert found == ModerationOptions(
        address="http://localhost:1/v1/moderations",
        model="text-moderation-latest",
        reaction=Reaction.LOG,
    )
    assert options.said() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "error : asks OpenAI's moderation endpoint, and there is no key for it"),
        (
            ", api_key: k, api_base: localhost",
            "error api_base: is not an address that begins with http:// or https://",
        ),
        (", api_key: k, action: MASK", 'error action: "MASK" is no action here'),
    ],
)
def test_moderation_that_cannot_work_is_an_error(text, said, tmp_path):
    assert read(tmp_path, f"{{guardrail: openai_moderation{text}}}")[1].said() == [said]


def test_a_service_of_your_own_has_an_address_a_key_and_headers(tmp_path):
    found, options = read(
        tmp_path,
        "{guardrail: generic_guardrail_api, api_base: 'https://guard.example/', api_key: k, "
        "headers: {X-Tenant: acme}, extra_headers: [X-Request-Id], "
        "additional_provider_specific_params: {threshold: 0.8}}",
    )
    assert options.said() == []
    assert found == RemoteOptions(
        address="https://guard.example/beta/litellm_basic_guardrail_api",
        key=Secret("k"),
        headers=(("x-tenant", Secret("acme")),),
        forwarded=("x-request-id",),
        params={"threshold": 0.8},
    )


def test_the_environment_may_say_where_it_is(tmp_path):
    environ = {
        "GENERIC_GUARDRAIL_API_BASE": "http://g:1/beta/litellm_basic_guardrail_api",
        "GENERIC_GUARDRAIL_API_KEY": "k",
    }
    found, options = read(tmp_path, "{guardrail: generic_guardrail_api}", environ)
    assert options.said() == []
    assert found == RemoteOptions(
        address="http://g:1/beta/litellm_basic_guardrail_api", key=Secret("k")
    )


def test_headers_may_be_a_list_of_pairs(tmp_path):
    found, _ = read(tmp_path, "{guardrail: http, api_base: 'http://g', headers: [{a: b}, {c: d}]}")
    assert isinstance(found, RemoteOptions)
    assert [name for name, _ in found.headers] == ["a", "c"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "error : asks a guardrail service, and does not say where it is"),
        (
            ", api_base: ftp://x",
            "error api_base: is not an address that begins with http:// or https://",
        ),
        (
            ", api_base: 'http://x', headers: {'a b': c}",
            "error headers: the header a b cannot be sent",
        ),
        (
            ", api_base: 'http://x', headers: {a: \"b\\nc\"}",
            "error headers: the header a cannot be sent",
        ),
    ],
)
def test_a_service_that_cannot_be_asked_is_an_error(text, said, tmp_path):
    assert read(tmp_path, f"{{guardrail: generic_guardrail_api{text}}}")[1].said() == [said]


def test_secrets_are_not_shown(tmp_path):
    found, _ = read(
        tmp_path, "{guardrail: http, api_base: 'http://g', api_key: sk-7f3k, headers: {a: sk-9x}}"
    )
    assert "sk-" not in repr(found)

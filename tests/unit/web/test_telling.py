"""A request says where its trace begins, and which callbacks are not told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.caller import LOCAL
from tiergate.ports import Inbound
from tiergate.web.telling import TellingRules
from tiergate.wire.members import Members


def inbound(body: bytes = b'{"model":"cheap"}', **metadata: object) -> Inbound:
    return Inbound(
        call_id="call-1",
        received=1.0,
        wall=2.0,
        dialect=Dialect.OPENAI,
        operation=Operation.CHAT,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(body),
        caller=replace(LOCAL, metadata=metadata),
    )


def telling(headers: dict[str, str] | None = None, *, may: bool = True, of: Inbound | None = None):
    return TellingRules(may_disable=may).of(of or inbound(), headers or {})


def test_most_requests_say_nothing():
    found = telling()
    assert (found.parent, found.trace, found.agent) == ("", "", "")
    assert found.without == frozenset()
    assert not found.wordless
    assert found.request is None, "words are taken later, where a sink wants them"


def test_headers_name_trace_and_client():
    found = telling(
        {"traceparent": "00-a-b-01", "x-litellm-trace-id": "run 7", "user-agent": "curl/8"}
    )
    assert (found.parent, found.trace, found.agent) == ("00-a-b-01", "run 7", "curl/8")


def test_headers_that_are_long_or_not_printable_do_no_harm():
    found = telling({"user-agent": "x" * 9999, "x-litellm-trace-id": "a\tb"})
    assert len(found.agent) == 256
    assert found.trace == ""


def test_callbacks_are_switched_off_by_header_and_by_key():
    of = inbound(litellm_disabled_callbacks=["S3", 7])
    found = telling({"x-litellm-disable-callbacks": "Langfuse, otel"}, of=of)
    assert found.without == {"s3", "langfuse", "otel"}


def test_the_file_can_forbid_it():
    of = inbound(b'{"no-log":true}', litellm_disabled_callbacks=["s3"])
    found = telling({"x-litellm-disable-callbacks": "langfuse"}, may=False, of=of)
    assert found.without == frozenset()


@pytest.mark.parametrize(
    ("body", "without"),
    [(b'{"no-log":true}', {"*"}), (b'{"no-log":false}', set()), (b'{"no-log":null}', set())],
)
def test_no_log_switches_all_of_them_off(body, without):
    assert telling(of=inbound(body)).without == without


@pytest.mark.parametrize("body", [b'{"no-log":"yes"}', b'{"no-log":1}'])
def test_no_log_is_true_or_false(body):
    with pytest.raises(Refused) as caught:
        telling(of=inbound(body))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("header", "value", "hidden"),
    [
        ("x-litellm-enable-message-redaction", "true", True),
        ("litellm-enable-message-redaction", "True", True),
        ("x-litellm-enable-message-redaction", "false", False),
        ("litellm-disable-message-redaction", "true", False),
    ],
)
def test_words_can_be_hidden_and_never_unhidden(header, value, hidden):
    assert telling({header: value}).wordless is hidden


def test_a_key_whose_list_is_none_says_nothing():
    assert telling(of=inbound(litellm_disabled_callbacks="s3")).without == frozenset()

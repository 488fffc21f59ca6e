"""Request heads: what is sent to whom, key included; nothing of it is shown by a repr."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.attempts import deployment
from support.engine import served_by
from tiergate.base.values import AliasName, Dialect, Operation, Secret
from tiergate.ports import Inbound
from tiergate.providers.heads import DEFAULT_VERSION, HeadTemplate
from tiergate.wire.members import Members

KEY = "sk-secret-0123456789"


def inbound(*forward: tuple[str, str], query: str = "") -> Inbound:
    return Inbound(
        call_id="id",
        received=0.0,
        wall=0.0,
        dialect=Dialect.ANTHROPIC,
        operation=Operation.CHAT,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(b"{}"),
        forward=forward,
        query=query,
    )


def of(dialect=Dialect.ANTHROPIC, operation=Operation.CHAT, **more) -> HeadTemplate:
    more = {"api_key": Secret(KEY), "api_base": "https://api.example/v1", **more}
    one = served_by("cheap", "a", dialect)
    for name, value in more.items():
        object.__setattr__(one, name, value)
    return HeadTemplate.of(one, operation)


def parts(head: bytes) -> tuple[str, dict[str, str]]:
    """The request line and the headers; each header once, the end where it must be."""
    lines = head.decode("latin-1").split("\r\n")
    assert lines[-2:] == ["", ""]
    named = [line.split(": ", 1) for line in lines[1:-2]]
    assert len({name for name, _ in named}) == len(named)
    return lines[0], dict(named)


def test_a_messages_call():
    line, headers = parts(of().same(inbound(), 12))

    assert line == "POST /v1/messages HTTP/1.1"
    assert headers == {
        "host": "api.example",
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "tiergate",
        "x-api-key": KEY,
        "anthropic-version": DEFAULT_VERSION,
        "content-length": "12",
    }


def test_a_chat_call():
    template = of(Dialect.OPENAI, organization="org-1")
    line, headers = parts(template.same(inbound(("anthropic-beta", "x"), query="a=b"), 12))

    assert line == "POST /v1/chat/completions HTTP/1.1"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["openai-organization"] == "org-1"
    assert "anthropic-version" not in headers
    assert "anthropic-beta" not in headers
    assert template.other((), 12) == template.same(inbound(), 12)


@pytest.mark.parametrize(
    ("operation", "path"),
    [(Operation.EMBEDDING, "/v1/embeddings"), (Operation.COMPLETION, "/v1/completions")],
)
def test_each_operation_has_its_own_path(operation, path):
    assert parts(of(Dialect.OPENAI, operation).same(inbound(), 1))[0] == f"POST {path} HTTP/1.1"


def test_the_callers_version_and_query_go_on():
    head = of().same(inbound(("anthropic-version", "2024-01-01"), query="beta=true"), 1)
    line, headers = parts(head)

    assert line == "POST /v1/messages?beta=true HTTP/1.1"
    assert headers["anthropic-version"] == "2024-01-01"


def test_a_query_of_the_address_is_kept_before_the_callers():
    template = of(api_base="https://api.example/v1?tenant=x")
    assert parts(template.same(inbound(query="beta=true"), 1))[0] == (
        "POST /v1/messages?tenant=x&beta=true HTTP/1.1"
    )


def test_beta_flags_of_file_and_caller_are_joined_once_each_without_dropped_ones():
    template = of(extra_headers=(("Anthropic-Beta", "own-1, both"),), drop_betas=("unwanted",))

    caller = inbound(("anthropic-beta", "both,  hers ,unwanted,"))
    assert parts(template.same(caller, 1))[1]["anthropic-beta"] == "own-1,both,hers"
    assert parts(template.other([("anthropic-beta", "codec")], 1))[1]["anthropic-beta"] == (
        "own-1,both,codec"
    )
    only = of(drop_betas=("x",)).same(inbound(("anthropic-beta", "x")), 1)
    assert "anthropic-beta" not in parts(only)[1]


def test_a_translated_call_takes_nothing_from_the_caller():
    line, headers = parts(of().other((), 5))
    assert line == "POST /v1/messages HTTP/1.1"
    assert headers["anthropic-version"] == DEFAULT_VERSION


def test_the_files_headers_win_whatever_their_case():
    template = of(extra_headers=(("User-Agent", "mine"), ("X-Team", "a")))
    _, headers = parts(template.same(inbound(), 1))
    assert (headers["user-agent"], headers["x-team"]) == ("mine", "a")


def test_without_a_key_none_is_sent():
    _, headers = parts(of(Dialect.OPENAI, api_key=None).same(inbound(), 1))
    assert "authorization" not in headers


def test_user_information_in_the_address_is_not_sent_as_host():
    template = of(api_base="https://user:pw@api.example:8443/v1")
    assert parts(template.same(inbound(), 1))[1]["host"] == "api.example:8443"


def test_no_repr_shows_the_key():
    assert KEY not in repr(of())
    assert KEY not in repr(of(Dialect.OPENAI))


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb"])
def test_a_line_break_in_a_header_of_the_file_is_an_error(value):
    with pytest.raises(ValueError, match="line break"):
        of(extra_headers=(("x-a", value),))


def test_a_dialect_without_the_operation_has_no_head():
    with pytest.raises(ValueError, match="embedding"):
        HeadTemplate.of(deployment("cheap", "a"), Operation.EMBEDDING)


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))


@given(st.lists(PRINTABLE, max_size=3), PRINTABLE, st.integers(0, 10**9))
def test_whatever_the_callers_headers_hold_the_head_stays_one_head(flags, version, length):
    forward = (("anthropic-beta", ",".join(flags)), ("anthropic-version", version))
    head = of().same(inbound(*forward), length)

    assert head.count(b"\r\n\r\n") == 1
    assert head.endswith(b"content-length: %d\r\n\r\n" % length)


def test_the_files_version_is_sent_for_callers_that_name_none():
    template = of(api_version="2024-01-01")

    for head in (template.same(inbound(), 2), template.other((), 2)):
        assert parts(head)[1]["anthropic-version"] == "2024-01-01"
    own = template.same(inbound(("anthropic-version", "2023-06-01")), 2)
    assert parts(own)[1]["anthropic-version"] == "2023-06-01"


def test_chat_hosts_get_the_files_version_in_the_query():
    line, headers = parts(of(Dialect.OPENAI, api_version="2024-10-21").same(inbound(), 2))

    assert line == "POST /v1/chat/completions?api-version=2024-10-21 HTTP/1.1"
    assert "anthropic-version" not in headers
    kept = of(Dialect.OPENAI, api_version="x y", api_base="https://api.example/v1?a=1")
    assert "?a=1&api-version=x%20y " in parts(kept.same(inbound(), 2))[0]

"""From a body to what is asked: aliases, controls, tags, limits, drills."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.attempts import deployments, settings
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.catalog import Catalog, ChainKind, RouterPolicy
from tiergate.core.metrics_plan import MetadataLabel, MetricsPlan, TagLabel
from tiergate.web.aliases import RequestRules, visible_names
from tiergate.web.labels import LabelReader
from tiergate.web.requests import (
    CONTROL,
    FORBIDDEN,
    GATEWAY_METADATA,
    Arrival,
    read_request,
)

POLICY = RouterPolicy(
    alias_of={"gpt-4": AliasName("cheap"), "secret-name": AliasName("balanced")},
    hidden_aliases=frozenset({"secret-name"}),
)
SETTINGS = settings(
    deployments(cheap="a", balanced="b"), POLICY, environment_names=frozenset({"critical"})
)
RULES = RequestRules.of(Catalog.of(SETTINGS), SETTINGS.router, SETTINGS.environment_names)
CHAT = {"model": "cheap", "messages": [{"role": "user", "content": "hi"}]}


def read(
    body=None,
    *,
    dialect=Dialect.OPENAI,
    operation=Operation.CHAT,
    headers=None,
    rules=RULES,
    raw=None,
    **more,
):
    data = raw if raw is not None else json.dumps({**(CHAT if body is None else body), **more})
    arrival = Arrival(dialect, operation, headers or {}, "beta=true", "id", 1.0, 2.0)
    return read_request(data if isinstance(data, bytes) else data.encode(), arrival, rules)


def wish(**more):
    return read(**more)[1]


def refusal(*args, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        read(*args, **more)
    return caught.value


# ------------------------------------------------------------------ labels of metrics


LABELLED = replace(
    RULES,
    labels=LabelReader.of(
        MetricsPlan(
            metadata=(MetadataLabel("metadata_squad", ("squad",)),),
            tags=(TagLabel("tag_prod", "prod"),),
        )
    ),
)


def test_labels_are_read_and_what_they_stand_in_does_not_go_to_the_provider():
    metadata = {"squad": "blue", "user_id": "u", "tags": ["prod"]}
    inbound, _ = read(metadata=metadata, rules=LABELLED)
    assert inbound.labels == (("metadata_squad", "blue"), ("tag_prod", "true"))
    assert inbound.metadata == b'{"user_id":"u"}'


def test_a_request_without_any_of_them_has_labels_all_the_same():
    inbound, _ = read(rules=LABELLED)
    assert inbound.labels == (("metadata_squad", ""), ("tag_prod", "false"))


def test_without_such_labels_metadata_goes_on_as_it_is():
    inbound, _ = read(metadata={"squad": "blue"})
    assert (inbound.labels, inbound.metadata) == ((), None)


# ------------------------------------------------------------------ what is asked


def test_a_plain_request_asks_nothing_of_the_attempt_machine():
    inbound, wanted = read()

    assert (inbound.asked, inbound.alias, inbound.stream) == ("cheap", "cheap", False)
    assert (inbound.control, inbound.metadata, inbound.forward) == ((), None, ())
    assert (wanted.alias, wanted.fallbacks, wanted.num_retries) == ("cheap", None, None)
    assert (wanted.timeout, wanted.drill, wanted.disable_fallbacks) == (None, None, False)


def test_another_name_for_an_alias_means_it_and_is_shown_again():
    inbound, wanted = read(model="gpt-4")

    assert (inbound.asked, inbound.alias, wanted.alias) == ("gpt-4", "cheap", "cheap")


def test_only_aliases_are_known_and_the_known_ones_are_named():
    for dialect in Dialect:
        refused = refusal(model="claude-3-opus", dialect=dialect)

        assert (refused.status, refused.code) == (400, "model_not_found")
        assert refused.anthropic_type == "not_found_error"
        assert "cheap, balanced, gpt-4" in refused.message
        assert "secret-name" not in refused.message


def test_a_hidden_name_is_usable_and_not_listed():
    assert read(model="secret-name")[0].alias == "balanced"
    assert visible_names(RULES) == ["cheap", "balanced", "gpt-4"]


def test_a_count_of_an_unknown_model_is_a_404_as_at_the_provider():
    refused = refusal(model="x", dialect=Dialect.ANTHROPIC, operation=Operation.COUNT_TOKENS)
    assert refused.status == 404


@pytest.mark.parametrize("model", [None, ""])
def test_the_model_is_required(model):
    assert refusal(model=model).message == "`model` is required: the name of an alias."


def test_a_very_long_model_name_is_cut_in_the_message():
    assert len(refusal(model="x" * 10_000).message) < 400


@pytest.mark.parametrize(
    ("operation", "streams"),
    [
        (Operation.CHAT, True),
        (Operation.COMPLETION, True),
        (Operation.EMBEDDING, False),
        (Operation.COUNT_TOKENS, False),
    ],
)
def test_only_what_has_streams_is_streamed(operation, streams):
    inbound, wanted = read({**CHAT, "prompt": "x", "input": "x"}, operation=operation, stream=True)

    assert inbound.stream is wanted.stream is streams


# ------------------------------------------------------------------ what must not be


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_a_request_cannot_choose_where_it_goes(name):
    refused = refusal(**{name: "https://evil.example"})

    assert (refused.status, refused.code, refused.param) == (400, "forbidden_parameter", name)
    assert "evil" not in refused.message


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"model":"cheap"', b'{"a":1,"a":2}'],
)
def test_what_is_no_json_object_is_a_400(raw):
    refused = refusal(raw=raw)
    assert (refused.status, refused.code) == (400, "invalid_json")


@pytest.mark.parametrize(
    "more",
    [
        {"guardrails": ["pii"]},
        {"metadata": {"guardrails": ["pii"]}},
        {"guardrails": [], "metadata": {"guardrails": ["pii"]}},
    ],
)
def test_a_request_that_counts_on_a_guardrail_that_is_not_there_is_refused(more):
    refused = refusal(**more)
    assert (refused.status, refused.code) == (400, "unknown_guardrail")


@pytest.mark.parametrize("value", [None, []])
def test_no_guardrails_asked_is_fine(value):
    assert read(guardrails=value)[0].control == ("guardrails",)


# ------------------------------------------------------------------ what goes on


def test_fields_for_the_gateway_are_marked_to_be_taken_out():
    given = dict.fromkeys(CONTROL)
    assert set(read(**given)[0].control) == CONTROL


@pytest.mark.parametrize("name", sorted(GATEWAY_METADATA - {"tags", "guardrails"}))
def test_metadata_for_the_gateway_is_taken_out_and_the_rest_goes_on(name):
    only, _ = read(metadata={name: "x"})
    both, _ = read(metadata={name: "x", "user_id": "u"})

    assert only.metadata == b""
    assert both.metadata == b'{"user_id":"u"}'


def test_metadata_without_anything_for_the_gateway_stays_as_it_came():
    assert read(metadata={"user_id": "u"})[0].metadata is None
    assert read(metadata={})[0].metadata is None
    assert read(metadata=None)[0].metadata is None


def test_an_anthropic_callers_api_headers_go_on():
    headers = {"anthropic-beta": "b1,b2", "anthropic-version": "v", "x-other": "no"}

    assert read(headers=headers, dialect=Dialect.ANTHROPIC)[0].forward == (
        ("anthropic-beta", "b1,b2"),
        ("anthropic-version", "v"),
    )
    assert read(headers=headers)[0].forward == ()


# ------------------------------------------------------------------ tags


@pytest.mark.parametrize(
    "more",
    [
        {"metadata": {"tags": ["critical", "x"]}},
        {"tags": ["critical", "x"]},
        {"litellm_metadata": {"tags": ["critical", "x"]}},
        {"headers": {"x-litellm-tags": "critical, x"}},
        {"metadata": {"tags": ["critical"]}, "tags": ["x", "critical"]},
    ],
)
def test_tags_come_from_each_of_their_places(more):
    tags = wish(**more).tags

    assert (tags.environments, tags.tags) == (("critical",), ("x",))


def test_the_bodys_tags_win_over_the_headers():
    tags = wish(tags=["x"], headers={"x-litellm-tags": "y"}).tags
    assert tags.tags == ("x",)


@pytest.mark.parametrize("value", ["x", [1], [""], {"a": 1}, [["x"]]])
def test_malformed_tags_are_a_400_that_names_the_place(value):
    for place, more in (
        ("tags", {"tags": value}),
        ("metadata.tags", {"metadata": {"tags": value}}),
        ("litellm_metadata.tags", {"litellm_metadata": {"tags": value}}),
    ):
        refused = refusal(**more)
        assert refused.status == 400
        assert place in refused.message


# ------------------------------------------------------------------ attempts


def test_a_requests_own_fallbacks():
    assert wish(fallbacks=["balanced"]).fallbacks == ("balanced",)
    assert wish(fallbacks=["gpt-4", {"model": "balanced"}]).fallbacks == ("cheap", "balanced")
    assert wish(fallbacks=[]).fallbacks == ()
    assert wish(fallbacks=None).fallbacks is None


@pytest.mark.parametrize("value", ["balanced", ["nobody"], [1], [{}], {"a": 1}, 5])
def test_fallbacks_must_be_known_aliases(value):
    refused = refusal(fallbacks=value)
    assert (refused.status, refused.param) == (400, "fallbacks")
    assert "balanced" in refused.message


def test_the_number_of_retries_the_header_wins():
    assert wish(num_retries=0).num_retries == 0
    assert wish(num_retries=1, headers={"x-litellm-num-retries": "3"}).num_retries == 3


@pytest.mark.parametrize("value", [-1, 21, 1.5, "2", True, [1]])
def test_a_number_of_retries_is_a_small_whole_number(value):
    assert refusal(num_retries=value).param == "num_retries"


@pytest.mark.parametrize("text", ["", "many", "-1", "1.5", "9" * 5000])
def test_a_retries_header_that_is_no_small_number_is_a_400(text):
    assert refusal(headers={"x-litellm-num-retries": text}).status == 400


def test_the_shortest_time_limit_counts():
    assert wish(timeout=9).timeout == 9.0
    assert wish(timeout=9, request_timeout=4.5).timeout == 4.5
    assert wish(timeout=9, headers={"x-litellm-timeout": "2.5"}).timeout == 2.5
    assert wish(timeout=None).timeout is None


@pytest.mark.parametrize("value", [0, -1, "9", True, 1e12])
def test_a_time_limit_is_a_number_of_seconds(value):
    assert refusal(timeout=value).param == "timeout"


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "0", "9" * 5000])
def test_a_timeout_header_that_is_no_number_is_a_400(text):
    assert refusal(headers={"x-litellm-timeout": text}).status == 400


def test_fallbacks_can_be_switched_off():
    assert wish(disable_fallbacks=True).disable_fallbacks
    assert not wish(disable_fallbacks=False).disable_fallbacks
    assert not wish(disable_fallbacks=None).disable_fallbacks
    assert refusal(disable_fallbacks="true").param == "disable_fallbacks"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mock_testing_fallbacks", ChainKind.GENERAL),
        ("mock_testing_context_fallbacks", ChainKind.CONTEXT_WINDOW),
        ("mock_testing_content_policy_fallbacks", ChainKind.CONTENT_POLICY),
    ],
)
def test_drills(name, kind):
    off = settings(deployments(cheap="a"), RouterPolicy(mock_testing=False))
    closed = RequestRules.of(Catalog.of(off), off.router, frozenset())

    assert wish(**{name: True}).drill is kind
    assert wish(**{name: False}).drill is None
    assert refusal(**{name: 1}).param == name
    assert refusal(**{name: True}, rules=closed).param == name


# ------------------------------------------------------------------ anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def refused_or_none(*args, **more) -> Refused | None:
    try:
        read(*args, **more)
    except Refused as refused:
        return refused
    return None


@given(st.dictionaries(st.sampled_from([*sorted(CONTROL), *CHAT, "metadata", "stream"]), JSON))
def test_any_body_is_read_or_refused_with_a_sentence(body):
    for dialect in Dialect:
        told = refused_or_none({**CHAT, **body}, dialect=dialect)
        assert told is None or (told.status == 400 and told.message)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    assert refusal(raw=raw).status == 400


@given(st.dictionaries(st.sampled_from(["x-litellm-tags", "x-litellm-timeout"]), st.text()))
def test_any_header_is_read_or_refused(headers):
    told = refused_or_none(headers=headers)
    assert told is None or told.status == 400

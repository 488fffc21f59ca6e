"""What a phase does to a request: its alias, the length of its answer and of its prompt."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.attempts import deployment, settings
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName, Dialect, Operation
from tiergate.core.auto import Auto
from tiergate.core.caller import Caller
from tiergate.core.catalog import Catalog
from tiergate.core.phases import PhasePolicy, TooLong, WorkPolicy
from tiergate.core.routing import Routes
from tiergate.pipeline.output import output_limit
from tiergate.pricing import count_messages
from tiergate.web.aliases import RequestRules, visible_names
from tiergate.web.phases import OutputLimit, Work
from tiergate.web.requests import Arrival, read_request

SETTINGS = settings(
    (
        deployment("cheap", "a", environments=("offline",)),
        deployment("balanced", "b"),
        deployment("frontier", "c"),
    ),
    environment_names=frozenset({"offline"}),
)
OPENAI, ANTHROPIC = Dialect.OPENAI, Dialect.ANTHROPIC
BOTH = pytest.mark.parametrize("dialect", Dialect)


def rules(
    *phases: PhasePolicy,
    too_long: TooLong = TooLong.REFUSE,
    limits: dict[str, OutputLimit] | None = None,
    auto: bool = True,
) -> RequestRules:
    catalog = Catalog.of(SETTINGS)
    given = (PhasePolicy(name="design", alias=AliasName("balanced")), *phases)
    policy = WorkPolicy(
        phases={phase.name: phase for phase in given}, auto=auto, too_long=too_long
    )
    work = Work(
        policy=policy,
        auto=Auto(policy, Routes(SETTINGS.router, catalog)) if auto else None,
        count=count_messages,
        limits={AliasName(k): v for k, v in (limits or {}).items()},
        models={AliasName("cheap"): "claude-sonnet-4-5"},
    )
    return RequestRules.of(catalog, SETTINGS.router, SETTINGS.environment_names, work)


def phase(**limits) -> PhasePolicy:
    return PhasePolicy(name="draft", alias=AliasName("cheap"), **limits)


def read(
    ruled: RequestRules,
    name: str = "draft",
    dialect: Dialect = OPENAI,
    operation: Operation = Operation.CHAT,
    caller: Caller | None = None,
    headers: dict[str, str] | None = None,
    **more,
):
    body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], **more}
    if name:
        body["metadata"] = {"phase": name}
    if operation is Operation.EMBEDDING:
        body.pop("messages")
    arrival = Arrival(dialect, operation, headers or {}, "", "id", 1.0, 2.0)
    if caller is not None:
        arrival.caller = caller
    inbound, wish = read_request(json.dumps(body).encode(), arrival, ruled)
    sent = {each: inbound.members.get(each) for each in inbound.members.names()}
    return inbound, wish, sent


def refusal(*args, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        read(*args, **more)
    return caught.value


def why(wish) -> str:
    return "; ".join(note.text for note in wish.notes)


# ------------------------------------------------------------------ the alias


@BOTH
def test_auto_becomes_the_alias_of_its_phase_and_is_shown_as_it_was_asked(dialect):
    inbound, wish, sent = read(rules(phase()), dialect=dialect)
    assert (inbound.asked, inbound.alias, wish.alias) == ("auto", "cheap", "cheap")
    assert why(wish) == "auto: phase draft -> cheap"
    assert sent["model"] == "auto"  # the codec writes the deployment's model


def test_an_alias_that_is_named_is_kept_whatever_the_phase():
    inbound, wish, _ = read(rules(phase()), model="frontier")
    assert (inbound.alias, why(wish)) == ("frontier", "")
    inbound, _, _ = read(rules(phase()), "cooking", model="frontier")
    assert inbound.alias == "frontier"


def test_the_phase_may_stand_in_a_header_and_the_body_wins():
    header = {"x-tiergate-phase": "design"}
    assert read(rules(phase()), "", headers=header)[0].alias == "balanced"
    assert read(rules(phase()), "draft", headers=header)[0].alias == "cheap"


def test_tags_choose_where_there_is_no_phase():
    assert read(rules(), "", tags=["offline"])[0].alias == "cheap"


def test_without_auto_it_is_no_model():
    assert refusal(rules(phase(), auto=False)).code == "model_not_found"
    assert "auto" not in visible_names(rules(auto=False))
    assert "auto" in visible_names(rules())


def test_a_key_needs_the_alias_that_auto_means():
    both = frozenset({AliasName("cheap"), AliasName("frontier")})
    holder = Caller(name="build", aliases=both)
    assert read(rules(phase()), caller=holder)[0].alias == "cheap"
    refused = refusal(rules(phase()), "design", caller=holder)
    assert (refused.status, refused.code) == (403, "key_model_access_denied")
    assert "balanced" in refused.message


def test_a_key_may_ask_for_auto_where_tags_lead_to_one_of_its_aliases():
    holder = Caller(name="build", aliases=frozenset({AliasName("cheap")}))
    assert read(rules(), "", caller=holder, tags=["offline"])[0].alias == "cheap"
    nobody = Caller(name="other", aliases=frozenset({AliasName("frontier")}))
    assert refusal(rules(), "", caller=nobody, tags=["offline"]).status == 403


# ------------------------------------------------------------------ the answer


@BOTH
@pytest.mark.parametrize(("given_most", "sent_most"), [(500, 70), (70, 70), (10, 10)])
def test_a_limit_is_lowered_and_never_raised(dialect, given_most, sent_most):
    _, wish, sent = read(rules(phase(max_output=70)), dialect=dialect, max_tokens=given_most)
    assert sent["max_tokens"] == sent_most
    assert ("max_tokens 500 -> 70" in why(wish)) == (given_most == 500)


@pytest.mark.parametrize("more", [{"max_tokens": 500}, {}])
def test_what_is_held_for_a_call_is_what_is_sent(more):
    inbound, _, sent = read(rules(phase(max_output=70)), **more)
    assert sent["max_tokens"] == 70
    assert output_limit(inbound, SETTINGS.deployments[0], 9999) == 70


def test_each_of_two_names_is_lowered():
    _, _, sent = read(rules(phase(max_output=7)), max_tokens=9, max_completion_tokens=8)
    assert (sent["max_tokens"], sent["max_completion_tokens"]) == (7, 7)


@pytest.mark.parametrize(
    ("limit", "dialect", "name", "most"),
    [
        (None, OPENAI, "max_tokens", 70),
        (OutputLimit("max_completion_tokens"), OPENAI, "max_completion_tokens", 70),
        (OutputLimit("max_completion_tokens"), ANTHROPIC, "max_tokens", 70),
        (OutputLimit(most=40), OPENAI, "max_tokens", 40),
        (OutputLimit(most=400), OPENAI, "max_tokens", 70),
    ],
)
def test_a_request_without_a_limit_gets_one_under_the_name_its_alias_takes(
    limit, dialect, name, most
):
    limits = {"cheap": limit} if limit is not None else None
    _, wish, sent = read(rules(phase(max_output=70), limits=limits), dialect=dialect)
    assert {n: v for n, v in sent.items() if n.startswith("max_")} == {name: most}
    assert f"{name} {most}" in why(wish)


def test_an_empty_limit_is_no_limit():
    _, _, sent = read(rules(phase(max_output=70)), max_tokens=None)
    assert sent["max_tokens"] == 70
    _, _, sent = read(rules(phase(max_output=70)), max_tokens=None, max_completion_tokens=900)
    assert sent["max_completion_tokens"] == 70
    assert "max_tokens" not in sent


def test_embeddings_have_no_answer_to_limit():
    _, wish, sent = read(rules(phase(max_output=7)), operation=Operation.EMBEDDING, input="x")
    assert not [name for name in sent if name.startswith("max")]
    assert why(wish) == "auto: phase draft -> cheap"


def test_thinking_is_made_to_fit():
    thinking = {"type": "enabled", "budget_tokens": 8000}
    _, wish, sent = read(
        rules(phase(max_output=4000)), dialect=ANTHROPIC, max_tokens=9000, thinking=thinking
    )
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert "less thinking" in why(wish)


@pytest.mark.parametrize(
    "thinking", [{"type": "adaptive"}, {"type": "enabled", "budget_tokens": 1024}]
)
def test_thinking_that_fits_is_left(thinking):
    _, _, sent = read(
        rules(phase(max_output=4000)), dialect=ANTHROPIC, max_tokens=9000, thinking=thinking
    )
    assert sent["thinking"] == thinking


def test_thinking_that_cannot_fit_is_refused():
    refused = refusal(
        rules(phase(max_output=1000)),
        dialect=ANTHROPIC,
        max_tokens=9000,
        thinking={"type": "enabled", "budget_tokens": 8000},
    )
    assert (refused.status, refused.param) == (400, "thinking.budget_tokens")


@BOTH
def test_a_phase_limits_the_answer_of_an_alias_that_was_named_too(dialect):
    _, _, sent = read(rules(phase(max_output=7)), dialect=dialect, model="frontier", max_tokens=9)
    assert sent["max_tokens"] == 7


# ------------------------------------------------------------------ the prompt

LONG = "word " * 500


@BOTH
def test_a_prompt_over_the_limit_is_refused_with_both_counts(dialect):
    refused = refusal(
        rules(phase(max_input=100)), dialect=dialect, messages=[{"role": "user", "content": LONG}]
    )
    details = dict(refused.details)
    assert (refused.status, refused.code) == (400, "context_length_exceeded")
    assert details["max_prompt_tokens"] == 100
    assert details["phase"] == "draft"
    assert int(str(details["prompt_tokens"])) > 500
    assert f"{details['prompt_tokens']} tokens > 100 maximum" in refused.message


@pytest.mark.parametrize("name", ["input", "prompt"])
def test_texts_are_counted_and_never_cut(name):
    operation = Operation.EMBEDDING if name == "input" else Operation.COMPLETION
    ruled = rules(phase(max_input=100), too_long=TooLong.TRUNCATE_OLDEST)
    assert refusal(ruled, operation=operation, **{name: LONG}).code == "context_length_exceeded"


def test_counting_tokens_is_not_limited():
    read(
        rules(phase(max_input=10)),
        dialect=ANTHROPIC,
        operation=Operation.COUNT_TOKENS,
        messages=[{"role": "user", "content": LONG}],
    )


CUTTING = rules(phase(max_input=1200), too_long=TooLong.TRUNCATE_OLDEST)


@BOTH
def test_the_oldest_turns_go_and_what_stays_stays_byte_for_byte(dialect):
    old = [{"role": "user", "content": LONG}, {"role": "assistant", "content": LONG}]
    new = [{"role": "user", "content": "käse ☃"}, {"role": "assistant", "content": "x"}]
    last = {"role": "user", "content": "now"}
    inbound, wish, sent = read(CUTTING, dialect=dialect, messages=[*old, *new, last])
    assert sent["messages"] == [*new, last]
    raw = inbound.members.raw("messages")
    assert raw is not None
    assert raw.startswith(b'[{"role": "user", "content": "k\\u00e4se')
    assert "2 oldest messages cut" in why(wish)


def test_instructions_stay_wherever_they_stand():
    rule = {"role": "system", "content": "rules"}
    later = {"role": "developer", "content": "more rules"}
    turns = [{"role": "user", "content": LONG}, {"role": "assistant", "content": LONG}]
    last = {"role": "user", "content": "now"}
    _, _, sent = read(CUTTING, messages=[rule, *turns, later, last])
    assert sent["messages"] == [rule, later, last]


def test_what_cannot_be_cut_enough_is_refused():
    refused = refusal(
        CUTTING,
        messages=[
            {"role": "user", "content": "old"},
            {"role": "assistant", "content": "x"},
            {"role": "user", "content": 5 * LONG},
        ],
    )
    assert refused.code == "context_length_exceeded"
    assert "after 2 of the oldest messages were left out" in refused.message


def test_a_prompt_that_fits_is_not_touched():
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    _, wish, _ = read(CUTTING, messages=[*messages, {"role": "user", "content": "c"}])
    assert "cut" not in why(wish)


WORDS = st.sampled_from(["hi", "word " * 40, "word " * 200])
KINDS = st.lists(st.tuples(st.sampled_from(["ask", "tool", "say"]), WORDS), max_size=14)


@given(KINDS, WORDS, st.sampled_from(Dialect))
def test_calls_and_results_are_never_torn_apart_in_either_dialect(kinds, last, dialect):
    messages: list[dict] = [{"role": "user", "content": "begin"}]
    for number, (kind, text) in enumerate(kinds):
        name = f"call_{number}"
        if kind == "ask":
            messages.append({"role": "user", "content": text})
        elif kind == "say":
            messages.append({"role": "assistant", "content": text})
        elif dialect is OPENAI:
            call = {"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": name, "content": text})
        else:
            use = {"type": "tool_use", "id": name, "name": "f", "input": {}}
            result = {"type": "tool_result", "tool_use_id": name, "content": text}
            messages.append({"role": "assistant", "content": [use]})
            messages.append({"role": "user", "content": [result]})
    messages.append({"role": "user", "content": last})
    ruled = rules(phase(max_input=300), too_long=TooLong.TRUNCATE_OLDEST)
    _, _, sent = read(ruled, dialect=dialect, messages=messages)
    kept = sent["messages"]
    text = json.dumps(kept)
    for number in range(len(kinds)):
        assert text.count(f'"call_{number}"') in (0, 2)
    assert kept[-1] == messages[-1]
    rest = iter(messages)
    assert all(each in rest for each in kept), "what stays keeps its order"

"""The script decides which step a call gets, and what that puts on the wire."""

from __future__ import annotations

import json

import pytest

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.call import Call, Dialect
from tiergate.mock.rules import (
    Cut,
    Endpoint,
    Fail,
    Hang,
    Overflow,
    Refuse,
    Reply,
    Rule,
    Slow,
    StreamFail,
)
from tiergate.mock.script import (
    Action,
    Drop,
    Open,
    Pause,
    Respond,
    Send,
    failure,
    play,
    rule_for,
    step_for,
)


def ask(
    *,
    stream: bool = False,
    endpoint: Endpoint = Endpoint.CHAT,
    model: str = "gpt-x",
    question: str = "hello",
) -> Call:
    body: JsonObject = {"stream": stream, "messages": [{"role": "user", "content": question}]}
    if endpoint is Endpoint.COMPLETIONS:
        body = {"stream": stream, "prompt": question}
    if endpoint is Endpoint.EMBEDDINGS:
        body = {"stream": stream, "input": question}
    of_anthropic = endpoint in (Endpoint.MESSAGES, Endpoint.COUNT_TOKENS)
    dialect = Dialect.ANTHROPIC if of_anthropic else Dialect.OPENAI
    return Call(1, 0, endpoint, dialect, model, body)


def only(actions: tuple[Action, ...]) -> Respond:
    (action,) = actions
    assert isinstance(action, Respond)
    return action


def body_of(actions: tuple[Action, ...]) -> JsonObject:
    value: Json = json.loads(only(actions).body)
    assert isinstance(value, dict)
    return value


def sent(actions: tuple[Action, ...]) -> list[bytes]:
    return [action.data for action in actions if isinstance(action, Send)]


def test_the_first_rule_that_matches_is_played() -> None:
    rules = (Rule((Cut(),), "claude-*"), Rule((Cut(),), "gpt-?"), Rule((Cut(),)))
    assert rule_for(ask(model="claude-9"), rules) == 0
    assert rule_for(ask(model="gpt-x"), rules) == 1
    assert rule_for(ask(model="gpt-xy"), rules) == 2
    assert rule_for(ask(model="gpt-xy"), rules[:2]) is None


def test_a_rule_may_be_for_one_route_only() -> None:
    rules = (Rule((Cut(),), endpoint=Endpoint.COUNT_TOKENS),)
    assert rule_for(ask(endpoint=Endpoint.COUNT_TOKENS), rules) == 0
    assert rule_for(ask(endpoint=Endpoint.MESSAGES), rules) is None


@pytest.mark.parametrize("endpoint", [Endpoint.COUNT_TOKENS, Endpoint.MODELS])
def test_a_rule_without_a_route_is_for_prompts(endpoint: Endpoint) -> None:
    """Else a script of two steps would lose one to a client that counts tokens first."""
    assert rule_for(ask(endpoint=endpoint), (Rule((Cut(),)),)) is None


def test_steps_follow_each_other_and_the_last_repeats() -> None:
    rule = Rule((Fail(500), Fail(429), Reply()))
    steps = [step_for(ask(), rule, played) for played in range(5)]
    assert steps == [Fail(500), Fail(429), Reply(), Reply(), Reply()]


def test_a_rule_wins_over_short_words() -> None:
    call = ask(question="mock:500")
    assert step_for(call, Rule((Cut(),)), 0) == Cut()
    assert step_for(call, None, 0) == Fail(500)
    assert step_for(ask(), None, 0) == Reply()


def test_short_words_leave_the_list_of_models_alone() -> None:
    assert step_for(ask(endpoint=Endpoint.MODELS, model="mock:500"), None, 0) == Reply()


@pytest.mark.parametrize(
    ("endpoint", "field", "value"),
    [
        (Endpoint.MESSAGES, "type", "message"),
        (Endpoint.COUNT_TOKENS, "input_tokens", 9),
        (Endpoint.CHAT, "object", "chat.completion"),
        (Endpoint.COMPLETIONS, "object", "text_completion"),
        (Endpoint.EMBEDDINGS, "object", "list"),
    ],
)
def test_each_route_is_answered_in_its_shape(endpoint: Endpoint, field: str, value: Json) -> None:
    actions = play(ask(endpoint=endpoint), Reply())
    assert body_of(actions)[field] == value
    assert only(actions).headers["content-type"] == "application/json"


def test_the_models_route_lists_or_shows_one() -> None:
    listed = body_of(play(ask(endpoint=Endpoint.MODELS, model=""), Reply(), models=("a", "b")))
    assert len(listed["data"] if isinstance(listed["data"], list) else []) == 2
    assert body_of(play(ask(endpoint=Endpoint.MODELS, model="a"), Reply()))["id"] == "a"


@pytest.mark.parametrize("endpoint", [Endpoint.MESSAGES, Endpoint.CHAT, Endpoint.COMPLETIONS])
def test_a_stream_is_opened_and_sent_event_by_event(endpoint: Endpoint) -> None:
    actions = play(ask(endpoint=endpoint, stream=True), Reply())
    opened = actions[0]
    assert isinstance(opened, Open)
    assert opened.headers["content-type"].startswith("text/event-stream")
    assert len(sent(actions)) == len(actions) - 1
    assert all(data.count(b"\n\n") == 1 for data in sent(actions))


def test_embeddings_are_never_streamed() -> None:
    only(play(ask(endpoint=Endpoint.EMBEDDINGS, stream=True), Reply()))


def test_scripted_headers_replace_the_usual_ones() -> None:
    reply = Reply(headers={"X-Request-Id": "mine", "x-new": "1"})
    headers = only(play(ask(), reply)).headers
    assert (headers["x-request-id"], headers["x-new"]) == ("mine", "1")


def test_a_failure_is_one_answer_even_to_a_stream() -> None:
    answer = only(play(ask(stream=True), Fail(503)))
    assert answer.status == 503


def test_only_a_rate_limit_says_when_to_come_back() -> None:
    limited = only(play(ask(), Fail(429))).headers
    assert (limited["retry-after"], limited["x-ratelimit-remaining-requests"]) == ("1", "0")
    assert "retry-after" not in only(play(ask(), Fail(500))).headers
    assert only(play(ask(), Fail(429, headers={"Retry-After": "9"}))).headers["retry-after"] == "9"


@pytest.mark.parametrize("endpoint", [Endpoint.MESSAGES, Endpoint.CHAT])
def test_overflow_and_refusal_are_bad_requests(endpoint: Endpoint) -> None:
    assert only(play(ask(endpoint=endpoint), Overflow())).status == 400
    assert only(play(ask(endpoint=endpoint), Refuse())).status == 400


def test_a_plain_call_hangs_or_is_cut_before_anything_is_sent() -> None:
    assert play(ask(), Hang(2.0, after_events=3)) == (Pause(2.0), Drop())
    assert play(ask(), Cut(after_events=3)) == (Drop(),)
    assert play(ask(stream=True), Cut()) == (Drop(),)


@pytest.mark.parametrize("endpoint", [Endpoint.MESSAGES, Endpoint.CHAT, Endpoint.COMPLETIONS])
def test_a_stream_breaks_after_the_events_asked_for(endpoint: Endpoint) -> None:
    call = ask(endpoint=endpoint, stream=True)
    whole = sent(play(call, Reply()))
    cut = play(call, Cut(after_events=3))
    assert sent(cut) == whole[:3]
    assert cut[-1] == Drop()
    hung = play(call, Hang(1.0, after_events=2))
    assert sent(hung) == whole[:2]
    assert hung[-2:] == (Pause(1.0), Drop())


def test_a_stream_never_ends_well_before_it_breaks() -> None:
    broken = sent(play(ask(stream=True), Cut(after_events=1_000)))
    assert b"[DONE]" not in broken[-1]


def test_a_stream_fails_with_an_error_event_and_no_end() -> None:
    chat = sent(play(ask(stream=True), StreamFail(2)))
    assert len(chat) == 3
    assert json.loads(chat[-1].removeprefix(b"data: "))["error"]["type"] == "server_error"
    messages = sent(play(ask(stream=True, endpoint=Endpoint.MESSAGES), StreamFail(0)))
    assert len(messages) == 1
    assert messages[0].startswith(b"event: error\n")
    assert b"overloaded_error" in messages[0]


def test_a_stream_failure_of_a_plain_call_is_a_plain_error() -> None:
    assert only(play(ask(), StreamFail(2))).status == 500
    assert only(play(ask(endpoint=Endpoint.MESSAGES), StreamFail(2))).status == 529
    assert only(play(ask(), StreamFail(2, Fail(503)))).status == 503


def test_a_slow_answer_waits_first_and_between_events() -> None:
    plain = play(ask(), Slow(0.5, 0.1))
    assert plain[0] == Pause(0.5)
    assert isinstance(plain[1], Respond)
    stream = play(ask(stream=True), Slow(0.5, 0.1, Reply(text="one two")))
    kinds = [type(action) for action in stream]
    assert kinds[:5] == [Open, Pause, Send, Pause, Send]
    assert stream[1] == Pause(0.5)
    assert stream[3] == Pause(0.1)
    assert Pause not in [type(action) for action in play(ask(stream=True), Slow())]


def test_an_error_can_be_told_without_a_call() -> None:
    answer = failure(Dialect.ANTHROPIC, "req_9", 0, Fail(404))
    assert answer.headers["request-id"] == "req_9"
    assert json.loads(answer.body)["request_id"] == "req_9"

"""The hot routes from bytes to bytes: headers, errors, streams, callers who leave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence

import pytest

from support import anthropic_wire
from support.attempts import general
from support.engine import (
    CHAT,
    STREAM,
    Checkpoint,
    Hang,
    Pause,
    Stage,
    Turn,
    budget,
    error,
    hangs,
    json_turn,
    plain,
    served_by,
    stream,
)
from support.jumping import play
from support.rsgi import Proto, Scope
from tiergate.base.values import Dialect, Secret
from tiergate.core.catalog import Access, RouterPolicy, Settings
from tiergate.core.record import Outcome
from tiergate.pipeline.counting import Counting
from tiergate.ports import Fault, Inbound
from tiergate.web.access import Gate
from tiergate.web.data_plane import ROUTES, header_map
from tiergate.web.inference import Inference, Serving

KEY = "sk-master-0123456789"
AUTH = {"authorization": f"Bearer {KEY}"}
TIERS = (served_by("cheap", "a"), served_by("balanced", "b", Dialect.OPENAI))
POLICY = RouterPolicy(num_retries=0, chains=general(cheap="balanced"), request_timeout=30.0)


class House:
    """A stage with its front door."""

    def __init__(self, turns: Sequence[Turn], point: Checkpoint | None = None, **more) -> None:
        deployments = more.pop("deployments", TIERS)
        self.stage = Stage(
            deployments, turns, policy=more.pop("policy", POLICY), point=point, **more
        )
        stage = self.stage
        settings = Settings(deployments=stage.settings.deployments)
        serving = Serving(
            gate=Gate(Secret(KEY)),
            access=Access(),
            rules=stage.rules,
            engine=stage.engine,
            counting=Counting(
                stage.routes,
                stage.codec,
                stage.upstreams,
                stage.view,
                lambda body: 77,
                stage.clock,
            ),
            settings=settings,
            metrics_guarded=True,
        )
        self.calls: dict[int, Inbound] = {}
        self.inference = Inference(
            lambda: serving, stage.clock, lambda: 0.0, lambda: "made-1", self.calls
        )

    async def post(
        self,
        body: object,
        path: str = "/v1/messages",
        headers: Mapping[str, str] = AUTH,
        proto: Proto | None = None,
        query: str = "",
    ) -> Proto:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        proto = proto or Proto([data])
        scope = Scope("POST", path, headers, query)
        named = header_map(scope.headers.items())
        await self.inference.handle(scope, proto, named, ROUTES[path])
        return proto


def at(turns: Sequence[Turn], work: Callable[[House], Coroutine[object, object, None]], **more):
    async def whole() -> None:
        house = House(turns, **more)
        await work(house)
        house.stage.check_nothing_is_left()
        assert house.calls == {}, "no call is under way"

    play(whole())


# ------------------------------------------------------------------ answers


def test_a_plain_answer_and_the_headers_that_tell_the_truth():
    async def work(house: House) -> None:
        proto = await house.post(CHAT)

        assert proto.status == 200
        assert proto.json["model"] == "cheap"
        told = {
            "content-type": "application/json",
            "x-litellm-call-id": "made-1",
            "x-litellm-model-id": "a",
            "x-litellm-model-group": "cheap",
            "x-litellm-model-api-base": "http://upstream.invalid",
            "x-litellm-attempted-retries": "0",
            "x-litellm-attempted-fallbacks": "0",
            "x-litellm-response-cost": "0.000035",
            "x-tiergate-served": "cheap/anthropic/m-a",
            "x-tiergate-why": "cheap/a ok",
            "request-id": "req_1",
            "anthropic-ratelimit-requests-remaining": "5",
        }
        assert {name: proto.header(name) for name in told} == told
        assert proto.header("x-secret") is None
        assert float(proto.header("x-litellm-response-duration-ms")) >= 0
        assert float(proto.header("x-litellm-overhead-duration-ms")) >= 0
        assert "sk-" not in str(proto.headers)

    told = {
        "request-id": "req_1",
        "anthropic-ratelimit-requests-remaining": "5",
        "x-secret": "no",
        "set-cookie": "no",
    }
    at([Turn(plain().pieces, headers=told)], work)


def test_a_fallback_shows_in_the_headers():
    async def work(house: House) -> None:
        proto = await house.post(CHAT)

        assert proto.header("x-litellm-model-group") == "balanced"
        assert proto.header("x-litellm-attempted-fallbacks") == "1"
        assert proto.header("x-tiergate-why").startswith("cheap/a 503 upstream > general chain")

    at([error(503), plain(Dialect.OPENAI)], work)


def test_durations_are_told_in_milliseconds():
    async def work(house: House) -> None:
        proto = await house.post(CHAT)

        assert proto.header("x-litellm-response-duration-ms") == "2000.000"
        assert proto.header("x-litellm-overhead-duration-ms") == "0.000"

    at([Turn(plain().pieces, before=(Pause(2.0),))], work)


def test_what_could_not_be_carried_over_is_named():
    async def work(house: House) -> None:
        proto = await house.post({**CHAT, "logit_bias": {"5": 1}}, "/v1/chat/completions")
        assert "logit_bias" in proto.header("x-tiergate-dropped")

    at([plain()], work)


def test_names_that_do_not_fit_a_header_are_percent_encoded():
    async def work(house: House) -> None:
        proto = await house.post({**CHAT, "model": "günstig"})
        assert proto.header("x-litellm-model-group") == "g%C3%BCnstig"
        assert proto.json["model"] == "günstig"

    at([plain()], work, deployments=(served_by("günstig", "a"),))


@pytest.mark.parametrize(
    ("own", "shown"),
    [
        ("mine-1", "mine-1"),
        ("x" * 128, "x" * 128),
        ("x" * 129, "made-1"),
        ("", "made-1"),
        ("ü", "made-1"),
        ("a\tb", "made-1"),
    ],
)
def test_the_callers_call_id_is_kept_when_it_is_one(own, shown):
    async def work(house: House) -> None:
        proto = await house.post(CHAT, headers={**AUTH, "x-litellm-call-id": own})
        assert proto.header("x-litellm-call-id") == shown

    at([plain()], work)


@pytest.mark.parametrize(
    ("query", "sent"),
    [("beta=true", b"?beta=true "), ("api_KEY=x", b" "), ("", b" "), ("a=ü", b" ")],
)
def test_a_query_goes_on_unless_it_may_hold_a_key(query, sent):
    async def work(house: House) -> None:
        heads: list[bytes] = []
        send = house.stage.upstreams.send

        async def spy(deployment, head, body):
            heads.append(head)
            return await send(deployment, head, body)

        house.stage.upstreams.send = spy
        await house.post(CHAT, query=query)
        assert heads[0].split(b"\r\n")[0] == b"POST /v1/messages" + sent + b"HTTP/1.1"

    at([plain()], work)


# ------------------------------------------------------------------ streams


def test_a_stream_begins_with_its_first_content_and_ends_with_its_books():
    async def work(house: House) -> None:
        proto = await house.post(STREAM)

        assert proto.streamed
        assert proto.header("content-type") == "text/event-stream; charset=utf-8"
        assert proto.header("cache-control") == "no-cache"
        assert proto.header("x-litellm-response-cost") is None, "not known yet"
        assert proto.data.endswith(b'data: {"type": "message_stop"}\n\n')
        assert house.stage.witness.records[0].cost == 35_000

    at([stream()], work)


def test_a_break_after_content_ends_in_the_error_frame():
    async def work(house: House) -> None:
        proto = await house.post(STREAM)

        assert proto.status == 200
        assert b"event: error" in proto.data
        assert b"message_stop" not in proto.data

    pieces = anthropic_wire.text_events("hello")[:4]
    at([Turn((*pieces, Fault.RESET))], work)


def test_a_caller_whose_connection_breaks_while_it_is_written_to_costs_what_was_used():
    async def work(house: House) -> None:
        def gone(data: bytes) -> None:
            raise ConnectionError

        proto = Proto([json.dumps(STREAM).encode()], write=gone)
        await house.post(STREAM, proto=proto)
        (record,) = house.stage.witness.records
        assert record.outcome is Outcome.CANCELLED
        assert record.cost > 0

    at([stream()], work)


# ------------------------------------------------------------------ errors


def test_when_all_fail_the_first_error_comes_with_what_was_tried():
    async def work(house: House) -> None:
        proto = await house.post(CHAT)

        assert proto.status == 529
        assert proto.json["type"] == "error"
        assert proto.json["error"]["type"] == "overloaded_error"
        assert proto.json["error"]["message"] == "busy"
        assert proto.header("x-litellm-attempted-fallbacks") == "1"
        assert "balanced/b 500" in proto.header("x-tiergate-why")

    at(
        [error(529, "busy", "overloaded_error"), json_turn({"error": {"message": "no"}}, 500)],
        work,
    )


def test_a_providers_retry_after_is_passed_on_in_whole_seconds():
    async def work(house: House) -> None:
        proto = await house.post({**CHAT, "disable_fallbacks": True})
        assert (proto.status, proto.header("retry-after")) == (429, "100")

    at([error(429, "slow", "rate_limit_error", retry_after="99.2")], work)


def test_a_used_up_budget_is_a_429_that_says_do_not_retry():
    async def work(house: House) -> None:
        for path in ("/v1/messages", "/v1/chat/completions"):
            proto = await house.post(CHAT, path)

            assert proto.status == 429
            assert proto.json["error"]["type"] == "budget_exceeded"
            assert proto.json["error"]["scope"] == "gateway"
            assert proto.header("x-should-retry") == "false"

    at([], work, budgets=[budget(1)])


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", AUTH, 400),
        ({**CHAT, "model": "nobody"}, AUTH, 400),
        ({**CHAT, "stream": "yes"}, AUTH, 400),
        (CHAT, {}, 401),
        (CHAT, {"authorization": "Bearer wrong"}, 401),
        (CHAT, {**AUTH, "content-length": "99999999999"}, 413),
        (CHAT, {**AUTH, "x": "y" * 70_000}, 431),
    ],
)
def test_what_is_refused_early_is_told_in_the_callers_shape_and_counted(
    path, body, headers, status
):
    async def work(house: House) -> None:
        proto = await house.post(body, path, headers)

        assert proto.status == status
        assert proto.json["error"]["message"]
        assert ("type" in proto.json) is (path == "/v1/messages")
        assert proto.header("x-litellm-call-id") == "made-1"
        assert house.stage.witness.refusals == [status]
        assert house.stage.upstreams.sent == []

    at([], work)


def test_a_refusal_in_translation_is_recorded_once():
    async def work(house: House) -> None:
        bad = {**CHAT, "model": "balanced", "messages": [{"role": "alien"}]}
        proto = await house.post(bad)

        assert proto.status == 400
        assert house.stage.witness.refusals == []
        assert len(house.stage.witness.records) == 1

    at([], work)


# ------------------------------------------------------------------ counting


def test_a_count_comes_from_the_provider_where_it_can():
    async def work(house: House) -> None:
        proto = await house.post(CHAT, "/v1/messages/count_tokens")

        assert (proto.status, proto.json) == (200, {"input_tokens": 12})
        assert house.stage.witness.records == []

    at([json_turn({"input_tokens": 12})], work)


# ------------------------------------------------------------------ callers who leave


def leaving(body, turns, number: int | None) -> tuple[int, Proto, House]:
    """The caller leaves at the await of that number."""
    proto = Proto([json.dumps(body).encode()])
    point = Checkpoint(number, proto.leave)

    async def whole() -> tuple[int, Proto, House]:
        house = House(turns, point=point)
        await house.post(body, proto=proto)
        house.stage.check_nothing_is_left()
        assert house.calls == {}, "no call is under way"
        assert proto.watched == 1
        assert proto.watcher is None, "nobody is told of this request any more"
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0, "the server may go on with the connection"
        return point.count, proto, house

    return play(whole())


@pytest.mark.parametrize(
    ("body", "turns"),
    [
        (CHAT, [plain()]),
        (CHAT, [error(500), plain(Dialect.OPENAI)]),
        (STREAM, [stream()]),
        (STREAM, [Turn((*anthropic_wire.text_events("hello")[:4], Pause(5.0), Fault.RESET))]),
    ],
    ids=["plain", "fallback", "stream", "break"],
)
def test_a_caller_may_leave_at_any_await(body, turns):
    awaits, _, _ = leaving(body, turns, None)

    for number in range(1, awaits + 1):
        _, proto, house = leaving(body, turns, number)
        (record,) = house.stage.witness.records
        assert record.outcome is Outcome.CANCELLED
        assert proto.answers == 1
        assert proto.status == (200 if proto.streamed else 499)


def test_a_call_under_way_is_known_for_as_long_as_it_lasts():
    async def work(house: House) -> None:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, lambda: seen.extend(c.call_id for c in house.calls.values()))
        proto = Proto([json.dumps(CHAT).encode()])
        loop.call_later(2.0, proto.leave)
        await house.post(CHAT, proto=proto)
        assert seen == ["made-1"]

    at([hangs()], work)


def test_a_caller_who_leaves_ends_the_upstream_call_at_once():
    async def work(house: House) -> None:
        proto = Proto([json.dumps(CHAT).encode()])
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, proto.leave)
        began = loop.time()
        await house.post(CHAT, proto=proto)
        assert loop.time() - began == pytest.approx(1.0)

    at([hangs()], work)


def test_a_caller_who_leaves_a_silent_stream_ends_it_at_once_and_pays_what_it_used():
    async def work(house: House) -> None:
        proto = Proto([json.dumps(STREAM).encode()])
        asyncio.get_running_loop().call_later(1.0, proto.leave)
        await house.post(STREAM, proto=proto)
        record = house.stage.witness.records[0]
        assert record.outcome is Outcome.CANCELLED
        assert record.cost == 10 * 1000 + 5000
        assert house.stage.cooldowns.marks == {}

    at([Turn((*anthropic_wire.text_events("hello")[:4], Hang()))], work)


def test_a_gateway_that_stops_cancels_and_that_goes_on():
    async def work(house: House) -> None:
        task = asyncio.ensure_future(house.post(CHAT))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    at([hangs()], work)


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
def test_a_stream_that_the_gateway_cannot_carry_to_its_end_says_so_and_pays_what_it_used(path):
    async def work(house: House) -> None:
        proto = Proto([json.dumps(STREAM).encode()])
        task = asyncio.ensure_future(house.post(STREAM, path, proto=proto))
        await asyncio.sleep(1.0)
        task.cancel()
        await task
        assert task.cancelling() == 0, "the server may end the answer properly"
        last = proto.data.strip().split(b"\n\n")[-1]
        assert b"The gateway is stopping" in last
        assert last.startswith(b"event: error" if path == "/v1/messages" else b'data: {"error"')
        record = house.stage.witness.records[0]
        assert record.outcome is Outcome.CANCELLED
        assert record.cost == 10 * 1000 + 5000
        assert house.stage.cooldowns.marks == {}, "it is no failure of the provider"
        house.stage.check_nothing_is_left()

    at([Turn((*anthropic_wire.text_events("hello")[:4], Hang()))], work)


def test_a_caller_who_leaves_while_the_gateway_says_so_is_not_waited_for():
    async def work(house: House) -> None:
        def write(data: bytes) -> None:
            if b"is stopping" in data:
                raise ConnectionError

        proto = Proto([json.dumps(STREAM).encode()], write=write)
        task = asyncio.ensure_future(house.post(STREAM, proto=proto))
        await asyncio.sleep(1.0)
        task.cancel()
        await task
        assert b"is stopping" not in proto.data
        assert house.stage.witness.records[0].outcome is Outcome.CANCELLED

    at([Turn((*anthropic_wire.text_events("hello")[:4], Hang()))], work)

"""Each failure raises the official SDKs' own exception, whichever dialect serves the alias."""

from __future__ import annotations

import time

import anthropic
import openai
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from support.clients import Front, async_anthropic, async_openai
from support.stage import ALIASES
from tiergate.mock.rules import Cut, Fail, Hang, Overflow, Refuse, Reply, Step, StreamFail

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

both = pytest.mark.parametrize("alias", ALIASES)


async def ask_openai(client: AsyncOpenAI, alias: str, *, headers: dict[str, str] | None = None):
    return await client.chat.completions.create(
        model=alias, messages=[{"role": "user", "content": "hi"}], extra_headers=headers
    )


async def ask_anthropic(
    client: AsyncAnthropic, alias: str, *, headers: dict[str, str] | None = None
):
    return await client.messages.create(
        model=alias,
        max_tokens=100,
        messages=[{"role": "user", "content": "hi"}],
        extra_headers=headers,
    )


async def stream_openai(client: AsyncOpenAI, alias: str) -> str:
    text = ""
    stream = await client.chat.completions.create(
        model=alias, messages=[{"role": "user", "content": "hi"}], stream=True
    )
    async with stream:
        async for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    return text


async def stream_anthropic(client: AsyncAnthropic, alias: str) -> str:
    async with client.messages.stream(
        model=alias, max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        return await stream.get_final_text()


def shown(value: object) -> str:
    """The words of a case in the test's name."""
    if isinstance(value, Fail):
        return "failing"
    return value.__name__ if isinstance(value, type) else str(value).partition("(")[0].lower()


OPENAI_ERRORS: list[tuple[Step, type[openai.APIStatusError], int]] = [
    (Fail(400), openai.BadRequestError, 400),
    (Fail(401), openai.AuthenticationError, 401),
    (Fail(403), openai.PermissionDeniedError, 403),
    (Fail(404), openai.NotFoundError, 404),
    (Fail(409), openai.ConflictError, 409),
    (Fail(422), openai.UnprocessableEntityError, 422),
    (Fail(429), openai.RateLimitError, 429),
    (Fail(500), openai.InternalServerError, 500),
    (Fail(503), openai.InternalServerError, 503),
    (Overflow(), openai.BadRequestError, 400),
    (Refuse(), openai.BadRequestError, 400),
    (Cut(), openai.InternalServerError, 502),
]
ANTHROPIC_ERRORS: list[tuple[Step, type[anthropic.APIStatusError], int]] = [
    (Fail(400), anthropic.BadRequestError, 400),
    (Fail(401), anthropic.AuthenticationError, 401),
    (Fail(403), anthropic.PermissionDeniedError, 403),
    (Fail(404), anthropic.NotFoundError, 404),
    (Fail(409), anthropic.ConflictError, 409),
    (Fail(413), anthropic.APIStatusError, 413),
    (Fail(422), anthropic.UnprocessableEntityError, 422),
    (Fail(429), anthropic.RateLimitError, 429),
    (Fail(500), anthropic.InternalServerError, 500),
    (Fail(529), anthropic.APIStatusError, 529),
    (Overflow(), anthropic.BadRequestError, 400),
    (Refuse(), anthropic.BadRequestError, 400),
    (Cut(), anthropic.InternalServerError, 502),
]


@both
@pytest.mark.parametrize(("step", "kind", "status"), OPENAI_ERRORS, ids=shown)
async def test_openais_client_raises_its_class_for_each_failure(
    front: Front,
    openai_client: AsyncOpenAI,
    alias: str,
    step: Step,
    kind: type[openai.APIStatusError],
    status: int,
) -> None:
    front.play(step)
    for call in (ask_openai, stream_openai):
        with pytest.raises(kind) as caught:
            await call(openai_client, alias)
        assert caught.value.status_code == status
        assert caught.value.type


@both
@pytest.mark.parametrize(("step", "kind", "status"), ANTHROPIC_ERRORS, ids=shown)
async def test_anthropics_client_raises_its_class_for_each_failure(
    front: Front,
    anthropic_client: AsyncAnthropic,
    alias: str,
    step: Step,
    kind: type[anthropic.APIStatusError],
    status: int,
) -> None:
    front.play(step)
    for call in (ask_anthropic, stream_anthropic):
        with pytest.raises(kind) as caught:
            await call(anthropic_client, alias)
        assert caught.value.status_code == status
        assert isinstance(caught.value.body, dict)
        assert caught.value.body["type"] == "error"
        assert caught.value.body["error"]["type"]


@both
async def test_an_overflow_is_told_as_agents_expect(
    front: Front, openai_client: AsyncOpenAI, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Overflow())
    with pytest.raises(openai.BadRequestError) as caught:
        await ask_openai(openai_client, alias)
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(anthropic.BadRequestError) as told:
        await ask_anthropic(anthropic_client, alias)
    assert isinstance(told.value.body, dict)
    assert told.value.body["error"]["type"] == "invalid_request_error"


@both
async def test_retry_after_reaches_the_caller(
    front: Front, openai_client: AsyncOpenAI, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Fail(429, headers={"retry-after": "7"}))
    with pytest.raises(openai.RateLimitError) as caught:
        await ask_openai(openai_client, alias)
    assert caught.value.response.headers["retry-after"] == "7"
    with pytest.raises(anthropic.RateLimitError) as told:
        await ask_anthropic(anthropic_client, alias)
    assert told.value.response.headers["retry-after"] == "7"


@both
async def test_the_sdks_own_retries_come_through(front: Front, alias: str) -> None:
    front.play(Fail(429, headers={"retry-after-ms": "10"}), Reply(text="at last"))
    async with async_openai(front.gateway) as client:
        answer = await ask_openai(client.with_options(max_retries=1), alias)
    assert answer.choices[0].message.content == "at last"


@both
async def test_a_time_limit_of_the_caller_at_the_gateway_is_a_408(
    front: Front, openai_client: AsyncOpenAI, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Hang(30.0))
    limit = {"x-litellm-timeout": "0.2"}
    begun = time.monotonic()
    with pytest.raises(openai.APIStatusError) as caught:
        await ask_openai(openai_client, alias, headers=limit)
    assert (caught.value.status_code, caught.value.type) == (408, "timeout_error")
    with pytest.raises(anthropic.APIStatusError) as told:
        await ask_anthropic(anthropic_client, alias, headers=limit)
    assert told.value.status_code == 408
    assert isinstance(told.value.body, dict)
    assert told.value.body["error"]["type"] == "timeout_error"
    assert time.monotonic() - begun < 5


@both
async def test_a_time_limit_in_the_client_is_its_own_timeout(
    front: Front, openai_client: AsyncOpenAI, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Hang(30.0))
    with pytest.raises(openai.APITimeoutError):
        await ask_openai(openai_client.with_options(timeout=0.2), alias)
    with pytest.raises(anthropic.APITimeoutError):
        await ask_anthropic(anthropic_client.with_options(timeout=0.2), alias)


@both
async def test_a_stream_that_fails_raises_in_the_middle(
    front: Front, openai_client: AsyncOpenAI, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    long = Reply(text="one two three four five six seven eight")
    front.play(StreamFail(5, Fail(503, message="gone for now"), long))
    with pytest.raises(openai.APIError, match="gone for now"):
        await stream_openai(openai_client, alias)
    with pytest.raises(anthropic.APIStatusError, match="gone for now"):
        await stream_anthropic(anthropic_client, alias)


@both
async def test_a_stream_that_is_cut_raises_in_the_middle(
    front: Front, openai_client: AsyncOpenAI, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Cut(after_events=5))
    with pytest.raises(openai.APIError):
        await stream_openai(openai_client, alias)
    with pytest.raises(anthropic.APIError):
        await stream_anthropic(anthropic_client, alias)


async def test_a_wrong_key_is_an_authentication_error_and_costs_nothing(front: Front) -> None:
    async with async_openai(front.gateway, "sk-of-somebody-else") as client:
        with pytest.raises(openai.AuthenticationError, match="does not know this key"):
            await ask_openai(client, "cheap")
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
    async with async_anthropic(front.gateway, "sk-of-somebody-else") as other:
        with pytest.raises(anthropic.AuthenticationError, match="does not know this key"):
            await ask_anthropic(other, "cheap")
    assert front.mock.calls == ()


async def test_a_name_that_is_no_alias_lists_those_that_are(
    front: Front, openai_client: AsyncOpenAI, anthropic_client: AsyncAnthropic
) -> None:
    with pytest.raises(openai.BadRequestError, match="cheap, balanced") as caught:
        await ask_openai(openai_client, "gpt-4o")
    assert caught.value.code == "model_not_found"
    with pytest.raises(anthropic.APIStatusError, match="cheap, balanced") as told:
        await ask_anthropic(anthropic_client, "claude-of-tomorrow")
    assert isinstance(told.value.body, dict)
    assert told.value.body["error"]["type"] == "not_found_error"
    assert front.mock.calls == ()

"""The official SDKs, pointed at a gateway; and a gateway in front of the mock server."""

from __future__ import annotations

from collections.abc import Sequence

import anthropic
import openai
from pydantic import BaseModel

from support.gateway import KEY, Gateway
from support.stage import (
    ANTHROPIC_ALIAS,
    ANTHROPIC_MODEL,
    EMBEDDING_ALIAS,
    OPENAI_ALIAS,
    OPENAI_MODEL,
    entry,
)
from tiergate.base.jsontypes import JsonObject
from tiergate.mock.records import Received
from tiergate.mock.rules import Rule, Step
from tiergate.mock.server import MockServer

SECONDS = 10.0
"""What a client of the tests waits for an answer."""

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
"""A picture of one pixel: PNG, base64."""


class Point(BaseModel):
    """What structured output is parsed into."""

    x: int
    label: str


class Front:
    """A running gateway and the mock server that plays both of its providers.

    Attributes:
        gateway: the process.
        mock: what it calls.
    """

    def __init__(self, gateway: Gateway, mock: MockServer) -> None:
        self.gateway = gateway
        self.mock = mock

    @property
    def last(self) -> Received:
        """The newest call that reached a provider."""
        return self.mock.calls[-1]

    @property
    def sent(self) -> JsonObject:
        """The body of the newest call that reached a provider."""
        body = self.last.body
        assert isinstance(body, dict)
        return body

    def play(self, *steps: Step) -> None:
        """Answer the next calls of either dialect so; the last step repeats."""
        self.mock.use([Rule(tuple(steps))])

    def reset(self) -> None:
        """Forget rules and calls."""
        self.mock.use([])
        self.mock.forget_calls()


def both_dialects(mock: MockServer) -> JsonObject:
    """A configuration whose aliases are all served by the mock server, in both dialects."""
    v1 = f"{mock.url}/v1"
    models: Sequence[JsonObject] = (
        entry(ANTHROPIC_ALIAS, f"anthropic/{ANTHROPIC_MODEL}", mock.url),
        entry(OPENAI_ALIAS, f"openai/{OPENAI_MODEL}", v1),
        entry(EMBEDDING_ALIAS, "openai/text-embedding-3-small", v1),
    )
    return {
        "model_list": [*models],
        "general_settings": {"master_key": KEY},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }


def async_openai(gateway: Gateway, key: str = KEY) -> openai.AsyncOpenAI:
    """A client that never tries again by itself."""
    # Loading certificates for each client would take longer than the tests.
    http = openai.DefaultAsyncHttpxClient(verify=False)
    return openai.AsyncOpenAI(
        base_url=f"{gateway.url}/v1",
        api_key=key,
        max_retries=0,
        timeout=SECONDS,
        http_client=http,
    )


def sync_openai(gateway: Gateway) -> openai.OpenAI:
    """The same without async."""
    return openai.OpenAI(
        base_url=f"{gateway.url}/v1",
        api_key=KEY,
        max_retries=0,
        timeout=SECONDS,
        http_client=openai.DefaultHttpxClient(verify=False),
    )


def async_anthropic(gateway: Gateway, key: str = KEY) -> anthropic.AsyncAnthropic:
    """A client that never tries again by itself."""
    http = anthropic.DefaultAsyncHttpxClient(verify=False)
    return anthropic.AsyncAnthropic(
        base_url=gateway.url, api_key=key, max_retries=0, timeout=SECONDS, http_client=http
    )


def sync_anthropic(gateway: Gateway) -> anthropic.Anthropic:
    """The same without async."""
    return anthropic.Anthropic(
        base_url=gateway.url,
        api_key=KEY,
        max_retries=0,
        timeout=SECONDS,
        http_client=anthropic.DefaultHttpxClient(verify=False),
    )

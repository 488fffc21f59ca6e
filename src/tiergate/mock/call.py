"""Reads one request into a `Call`: route, dialect, question, tools. It decides no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.rules import Endpoint

CHARACTERS_PER_TOKEN = 4


class Dialect(StrEnum):
    """The wire format in which a call is answered."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"


class MalformedError(ValueError):
    """A request body that a real provider would refuse; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the request offers.

    Attributes:
        name: what it is called by.
        schema: JSON Schema of its arguments; empty if none was given.
    """

    name: str
    schema: JsonObject


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as far as a scripted answer depends on it.

    Attributes:
        number: 1 for the first request of this server, 2 for the next.
        now: arrival, whole seconds since 1970 (UTC).
        dialect: in which the answer must be written.
        model: as asked; on the models route the id in the path, empty for the whole list.
        body: the decoded body; empty where the request had none.
    """

    number: int
    now: int
    endpoint: Endpoint
    dialect: Dialect
    model: str
    body: JsonObject

    @property
    def stream(self) -> bool:
        """Does the caller want events?"""
        return self.body.get("stream") is True

    @property
    def input_tokens(self) -> int:
        """Size of the prompt in tokens: JSON of its parts, four characters for one token."""
        parts = ("system", "tools", "messages", "prompt", "input")
        return tokens_of("".join(text_of(self.body[part]) for part in parts if part in self.body))

    @property
    def max_tokens(self) -> int | None:
        """The caller's limit for the answer, in tokens."""
        for name in ("max_completion_tokens", "max_tokens"):
            limit = self.body.get(name)
            if isinstance(limit, int) and not isinstance(limit, bool):
                return limit
        return None

    @property
    def question(self) -> str:
        """The last text the user wrote; empty if there is none."""
        if self.endpoint in (Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS):
            texts = list(_texts(self.body.get("prompt", self.body.get("input"))))
            return texts[-1] if texts else ""
        for message in reversed(objects(self.body.get("messages"))):
            texts = list(_texts(message.get("content")))
            if message.get("role") == "user" and texts:
                return texts[-1]
        return ""

    @property
    def brings_tool_result(self) -> bool:
        """Does the conversation end with the result of a tool?"""
        messages = objects(self.body.get("messages"))
        if not messages:
            return False
        kinds = [part.get("type") for part in objects(messages[-1].get("content"))]
        return messages[-1].get("role") == "tool" or "tool_result" in kinds

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools that the caller would run itself, in the order given."""
        found: list[Tool] = []
        for entry in objects(self.body.get("tools")):
            wrapped = entry.get("function")
            inner = wrapped if isinstance(wrapped, dict) else entry
            name = inner.get("name")
            schema = inner.get("parameters", inner.get("input_schema"))
            if isinstance(name, str):
                found.append(Tool(name, schema if isinstance(schema, dict) else {}))
        return tuple(found)

    @property
    def answer_schema(self) -> JsonObject | None:
        """JSON Schema of the answer, if structured output is asked for; `{}`: any object."""
        wanted = self.body.get("response_format")
        if self.dialect is Dialect.ANTHROPIC:
            output = self.body.get("output_config")
            wanted = output.get("format") if isinstance(output, dict) else None
        if not isinstance(wanted, dict) or wanted.get("type") not in (
            "json_schema",
            "json_object",
        ):
            return None
        named = wanted.get("json_schema")
        schema = (named if isinstance(named, dict) else wanted).get("schema")
        return schema if isinstance(schema, dict) else {}


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path leads.

    Attributes:
        endpoint: the route.
        model: the id in `/models/ID`; empty elsewhere.
        method: the HTTP method it answers to.
    """

    endpoint: Endpoint
    model: str = ""
    method: str = "POST"


def route_of(path: str) -> Route | None:
    """Find the route of a path, with or without `/v1`; `None` if there is none."""
    bare = path.removeprefix("/v1").rstrip("/")
    if bare == "/models":
        return Route(Endpoint.MODELS, method="GET")
    if bare.startswith("/models/"):
        return Route(Endpoint.MODELS, bare.removeprefix("/models/"), method="GET")
    routes = {
        "/messages": Endpoint.MESSAGES,
        "/messages/count_tokens": Endpoint.COUNT_TOKENS,
        "/chat/completions": Endpoint.CHAT,
        "/completions": Endpoint.COMPLETIONS,
        "/embeddings": Endpoint.EMBEDDINGS,
    }
    return Route(routes[bare]) if bare in routes else None


def dialect_of(path: str, headers: Mapping[str, str]) -> Dialect:
    """The dialect of a request; `/models` exists in both, and there the headers tell.

    Args:
        path: of the request.
        headers: names in small letters.
    """
    if "/messages" in path or "anthropic-version" in headers:
        return Dialect.ANTHROPIC
    return Dialect.OPENAI


def read_body(endpoint: Endpoint, data: bytes) -> JsonObject:
    """Decode a body and check the fields that the real providers insist on.

    Raises:
        MalformedError: not JSON, not an object, or a needed field is missing.
    """
    try:
        body: Json = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedError("The request body is not valid JSON.") from None
    except RecursionError:
        raise MalformedError("The request body is nested too deeply.") from None
    if not isinstance(body, dict):
        raise MalformedError("The request body must be a JSON object.")
    for name in _needed(endpoint):
        if not body.get(name):
            raise MalformedError(f"{name}: Field required")
    if not isinstance(body["model"], str):
        raise MalformedError("model: Input should be a valid string")
    return body


def _needed(endpoint: Endpoint) -> tuple[str, ...]:
    needed: Mapping[Endpoint, tuple[str, ...]] = {
        Endpoint.MESSAGES: ("model", "max_tokens", "messages"),
        Endpoint.COUNT_TOKENS: ("model", "messages"),
        Endpoint.CHAT: ("model", "messages"),
        Endpoint.COMPLETIONS: ("model", "prompt"),
        Endpoint.EMBEDDINGS: ("model", "input"),
    }
    return needed.get(endpoint, ())


def objects(value: Json | None) -> list[JsonObject]:
    """The objects in a JSON list; anything else is passed over."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(value: object) -> str:
    """Compact JSON text of a value; a string stays as it is."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def tokens_of(text: str) -> int:
    """About how many tokens a text has: a quarter of its characters, at least 1."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def _texts(content: Json | None) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for item in content if isinstance(content, list) else []:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict) and item.get("type") in ("text", "input_text"):
            text = item.get("text")
            if isinstance(text, str):
                yield text

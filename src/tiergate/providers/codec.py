"""One door to all providers: makes upstream requests, reads answers, errors and streams.

Same dialect: the caller's bytes with the model spliced in. Other dialect: through the canonical
form. Which deployment is called, and what follows from a failure, is decided in core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

import msgspec

from tiergate.base.chat import Answer, Ask, Stop, ToolUse
from tiergate.base.errors import Failure, FailureClass, Untranslatable
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import DeploymentId, Dialect, Operation, Secret
from tiergate.core.catalog import Deployment
from tiergate.ports import Answered, Inbound, Prepared, StreamReader
from tiergate.providers import anthropic, openai
from tiergate.providers.answers import read_same
from tiergate.providers.anthropic.breakpoints import breakpoint_edits
from tiergate.providers.facts import ModelFacts, facts_for
from tiergate.providers.failures import UnreadableAnswerError, classify, classify_event
from tiergate.providers.heads import HeadTemplate
from tiergate.providers.hosts import Quirk, find_host
from tiergate.providers.passthrough import no_stream
from tiergate.providers.replay import Replayed, events_of
from tiergate.providers.target import NO_RENAMES, EncodedAsk, EncodeTarget
from tiergate.providers.translated import StreamEncoder, TranslatedStream
from tiergate.wire.members import BodyError, Members, decode, encode

_EXCERPT = 200

HeadKey: TypeAlias = tuple[DeploymentId, Operation]


@dataclass(slots=True)
class _Translation:
    """What is kept between the attempts of one translated call."""

    ask: Ask
    renames: Mapping[str, str] = field(default_factory=lambda: NO_RENAMES)


class _Finish(msgspec.Struct):
    finish_reason: str | None = None


_FINISHES = msgspec.json.Decoder(list[_Finish])


class ProviderCodec:
    """Implements `ports.Codec` for every provider in the host table.

    Args:
        wall: Gives the Unix time in seconds (stamps translated answers).
        new_id: Gives a fresh id with a prefix (`chatcmpl-`, `msg_`).
    """

    def __init__(self, wall: Callable[[], float], new_id: Callable[[str], str]) -> None:
        self._wall = wall
        self._new_id = new_id
        self._heads: dict[HeadKey, HeadTemplate] = {}
        self._facts: dict[DeploymentId, ModelFacts] = {}

    def learn(self, deployments: Iterable[Deployment]) -> None:
        """Make what the calls of these deployments need, before the first one comes.

        Raises:
            ValueError: A deployment's address or headers cannot be written into a request.
        """
        for deployment in deployments:
            self._head(deployment, Operation.CHAT)
            self._facts_of(deployment)

    # ------------------------------------------------------------------ requests

    def prepare(self, inbound: Inbound, deployment: Deployment) -> Prepared:
        """Make the upstream request; see `ports.Codec.prepare`."""
        if inbound.dialect is deployment.dialect and not _is_mixed(inbound):
            body = self._spliced(inbound, deployment)
            head = self._head(deployment, inbound.operation)
            return Prepared(head.same(inbound, len(body)), body)
        if inbound.operation is not Operation.CHAT:
            raise Untranslatable(
                f"`{inbound.asked}` is served by {deployment.provider}, which has no "
                f"{inbound.operation.value} endpoint; use a chat endpoint with this alias."
            )
        encoded = self._translated(inbound, deployment)
        body = encoded.body
        marks = deployment.breakpoints
        if deployment.defaults or deployment.additional_drop_params or marks is not None:
            members = Members.read(body)
            body = members.edit(
                {} if marks is None else breakpoint_edits(members, marks),
                remove=deployment.additional_drop_params,
                append=[(name, encode(value)) for name, value in deployment.defaults.items()],
            )
        head = self._head(deployment, inbound.operation)
        return Prepared(head.other(encoded.headers, len(body)), body, encoded.losses)

    def _head(self, deployment: Deployment, operation: Operation) -> HeadTemplate:
        key = (deployment.id, operation)
        head = self._heads.get(key)
        if head is None:
            head = self._heads[key] = HeadTemplate.of(deployment, operation)
        return head

    def _facts_of(self, deployment: Deployment) -> ModelFacts:
        facts = self._facts.get(deployment.id)
        if facts is None:
            facts = self._facts[deployment.id] = facts_for(deployment.provider, deployment.model)
        return facts

    def _spliced(self, inbound: Inbound, deployment: Deployment) -> bytes:
        """The caller's body with the model put in, and what the file adds or takes away."""
        members = inbound.members
        changed = {"model": encode(deployment.model)}
        remove: tuple[str, ...] = inbound.control
        if inbound.metadata is not None:
            if inbound.metadata:
                changed["metadata"] = inbound.metadata
            else:
                remove = (*remove, "metadata")
        if deployment.breakpoints is not None and inbound.operation is Operation.CHAT:
            changed |= breakpoint_edits(members, deployment.breakpoints)
        if deployment.additional_drop_params:
            remove = (*remove, *deployment.additional_drop_params)
        if (
            inbound.stream
            and not inbound.include_usage
            and deployment.dialect is Dialect.OPENAI
            and Quirk.NO_STREAM_OPTIONS not in _quirks(deployment)
        ):
            options = members.get("stream_options")
            asked = dict(options) if isinstance(options, dict) else {}
            changed["stream_options"] = encode({**asked, "include_usage": True})
        # A count takes only what the caller's own call would: no output limits, no sampling.
        if deployment.defaults and inbound.operation is not Operation.COUNT_TOKENS:
            append = [(name, encode(value)) for name, value in deployment.defaults.items()]
            return members.edit(changed, remove, append)
        return members.edit(changed, remove)

    def _translated(self, inbound: Inbound, deployment: Deployment) -> EncodedAsk:
        kept = inbound.note
        if not isinstance(kept, _Translation):
            ask = _decode_ask(inbound)
            kept = inbound.note = _Translation(ask)
        target = EncodeTarget(
            model=deployment.model,
            facts=self._facts_of(deployment),
            default_max_tokens=deployment.default_max_tokens,
            drop_params=deployment.drop_params,
            stream=inbound.stream,
            quirks=_quirks(deployment),
        )
        if deployment.dialect is Dialect.ANTHROPIC:
            encoded = anthropic.encode_ask(kept.ask, target)
        else:
            encoded = openai.encode_ask(kept.ask, target)
        kept.renames = encoded.renames
        return encoded

    # ------------------------------------------------------------------ answers

    def answer(self, inbound: Inbound, deployment: Deployment, body: bytes) -> Answered | Failure:
        """Read a 200 answer; see `ports.Codec.answer`."""
        try:
            if inbound.dialect is deployment.dialect:
                quick = read_same(body, inbound, deployment.dialect)
                if quick is not None:
                    return quick
            members = Members.read(body)
            if failure := _error_inside(members, deployment.dialect):
                return failure
            if inbound.dialect is deployment.dialect:
                return _same(members, inbound, deployment)
            return self._other(members, inbound, deployment)
        except UnreadableAnswerError as exc:
            return exc.failure
        except BodyError as exc:
            return _unreadable(str(exc).replace("The request body", "it"))
        except msgspec.MsgspecError as exc:
            return _unreadable(str(exc)[:_EXCERPT])
        except RecursionError:
            return _unreadable("it is nested too deeply")

    def _other(
        self, members: Members, inbound: Inbound, deployment: Deployment
    ) -> Answered | Failure:
        decoded = cast("JsonObject", msgspec.json.decode(members.body))
        created = int(self._wall())
        if deployment.dialect is Dialect.ANTHROPIC:
            found = anthropic.decode_answer(decoded)
            answer = _renamed(found, inbound)
            out = openai.encode_answer(answer, model=inbound.asked, created=created)
        else:
            found = openai.decode_answer(decoded)
            answer = _renamed(found, inbound)
            out = anthropic.encode_answer(answer, model=inbound.asked, created=created)
        usage = None if answer.usage.estimated else answer.usage  # a host that told none
        return Answered(out, usage, answer.stop is Stop.REFUSED)

    # ------------------------------------------------------------------ streams

    def stream(self, inbound: Inbound, deployment: Deployment) -> StreamReader:
        """Begin to read a streamed answer; see `ports.Codec.stream`."""
        writer = self._writer(inbound)
        if inbound.dialect is not deployment.dialect:
            decoder = (
                anthropic.StreamDecoder()
                if deployment.dialect is Dialect.ANTHROPIC
                else openai.StreamDecoder()
            )
            return TranslatedStream(decoder, writer, _renames(inbound))
        if inbound.dialect is Dialect.ANTHROPIC:
            return anthropic.AnthropicPassthrough(inbound.asked, error_frame=writer.error)
        return openai.OpenAIPassthrough(
            inbound.asked, include_usage=inbound.include_usage, error_frame=writer.error
        )

    def replay(
        self, inbound: Inbound, deployment: Deployment, body: bytes
    ) -> tuple[StreamReader, bytes] | Failure:
        """Turn a whole answer into a stream; see `ports.Codec.replay`."""
        if inbound.operation is not Operation.CHAT:
            return no_stream()
        checked = self.answer(inbound, deployment, body)
        if isinstance(checked, Failure):
            return checked
        # `checked` is in the caller's dialect, whatever the deployment speaks.
        decoded = cast("JsonObject", msgspec.json.decode(checked.body))
        if inbound.dialect is Dialect.ANTHROPIC:
            answer = anthropic.decode_answer(decoded)
        else:
            answer = openai.decode_answer(decoded)
        writer = self._writer(inbound)
        played = b"".join([writer.feed(event) for event in events_of(answer)])
        return Replayed(answer, checked.usage, writer), played

    def _writer(self, inbound: Inbound) -> StreamEncoder:
        created = int(self._wall())
        if inbound.dialect is Dialect.ANTHROPIC:
            return anthropic.StreamEncoder(
                model=inbound.asked,
                include_usage=True,
                id=self._new_id("msg_"),
                created=created,
            )
        return openai.StreamEncoder(
            model=inbound.asked,
            include_usage=inbound.include_usage,
            id=self._new_id("chatcmpl-"),
            created=created,
        )

    # ------------------------------------------------------------------ errors

    def failure(
        self,
        deployment: Deployment,
        status: int,
        body: bytes,
        retry_after: str | None,
        wall: float,
    ) -> Failure:
        """Read an error answer; see `ports.Codec.failure`."""
        failure = classify(status, body, deployment.dialect, retry_after, wall)
        return failure if deployment.api_key is None else _unquoted(failure, deployment.api_key)


def _unquoted(failure: Failure, key: Secret) -> Failure:
    """Take a key out: a provider that quotes what it was sent must not show it to the caller."""
    quoted = encode(key.value)[1:-1]
    body = failure.body
    if body is not None and (quoted in body or quoted in encode(decode(body))):
        body = None

    def masked(text: str | None) -> str | None:
        return None if text is None else text.replace(key.value, "***")

    return replace(
        failure,
        message=failure.message.replace(key.value, "***"),
        type=masked(failure.type),
        code=masked(failure.code),
        param=masked(failure.param),
        body=body,
    )


def _quirks(deployment: Deployment) -> frozenset[Quirk]:
    host = find_host(deployment.provider)
    return host.quirks if host is not None else frozenset()


def _is_mixed(inbound: Inbound) -> bool:
    """Tell whether a chat request has Anthropic's blocks or bare tools in it (Cursor sends them).

    Such a body must be put in order even for a host that speaks chat. A quoted mark can only be
    a whole JSON string: inside a longer one its quotes would be escaped.
    """
    if inbound.dialect is not Dialect.OPENAI or inbound.operation is not Operation.CHAT:
        return False
    body = inbound.members.body
    return b'"tool_use"' in body or b'"tool_result"' in body or b'"input_schema"' in body


def _decode_ask(inbound: Inbound) -> Ask:
    """Decode the caller's request, the gateway's own members left out."""
    body = {
        name: inbound.members.get(name)
        for name in inbound.members.names()
        if name not in inbound.control
    }
    if inbound.metadata is not None:
        if inbound.metadata:
            body["metadata"] = cast("Json", msgspec.json.decode(inbound.metadata))
        else:
            body.pop("metadata", None)
    if inbound.dialect is Dialect.ANTHROPIC:
        return anthropic.decode_ask(body)
    return openai.decode_ask(body)


def _same(members: Members, inbound: Inbound, deployment: Deployment) -> Answered | Failure:
    """A same-dialect answer: its bytes, with the asked name as the model."""
    usage_raw = members.get("usage")
    usage = None
    refused = False
    if deployment.dialect is Dialect.ANTHROPIC:
        if isinstance(usage_raw, dict):
            usage = anthropic.usage_from(usage_raw)
        refused = members.raw("stop_reason") == b'"refusal"'
        required = "content"
    else:
        if isinstance(usage_raw, dict):
            usage = openai.usage_from(usage_raw, members.get("service_tier"))
        required = "data" if inbound.operation is Operation.EMBEDDING else "choices"
        choices = members.raw("choices")
        if choices is not None:
            refused = any(f.finish_reason == "content_filter" for f in _FINISHES.decode(choices))
    if required not in members:
        return _unreadable(f"it has no member `{required}`")
    if "model" not in members:
        return Answered(members.body, usage, refused)
    return Answered(members.edit({"model": encode(inbound.asked)}), usage, refused)


def _error_inside(members: Members, dialect: Dialect) -> Failure | None:
    """An error object inside a 200 answer, which some hosts send."""
    error = members.get("error") if "error" in members else None
    if error is None or error is False or error == "":
        return None
    found: JsonObject = error if isinstance(error, dict) else {"message": str(error)}
    return classify_event(found, dialect)


def _unreadable(why: str) -> Failure:
    return Failure(
        FailureClass.UPSTREAM,
        502,
        f"The provider's answer cannot be read: {why}.",
        type="api_error",
    )


def _renames(inbound: Inbound) -> Mapping[str, str]:
    kept = inbound.note
    return kept.renames if isinstance(kept, _Translation) else NO_RENAMES


def _renamed(answer: Answer, inbound: Inbound) -> Answer:
    """Give tools the names that the caller knows."""
    renames = _renames(inbound)
    if not renames:
        return answer
    parts = tuple(
        replace(part, name=renames[part.name])
        if isinstance(part, ToolUse) and part.name in renames
        else part
        for part in answer.parts
    )
    return replace(answer, parts=parts)

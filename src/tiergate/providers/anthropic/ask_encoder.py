"""Write an `Ask` as a Messages request, or as the body of a token count.

What is lost and what is refused is listed in docs/reference/translation-chat-to-messages.md.
The same ask gives the same bytes always, as the provider's prompt cache compares them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import msgspec

from tiergate.base.chat import Ask
from tiergate.providers.anthropic.messages import Conversation, MessageWriter
from tiergate.providers.anthropic.parts import Block, PartWriter, cache_field
from tiergate.providers.anthropic.settings import (
    account,
    extras,
    output_config,
    output_limit,
    sampling,
)
from tiergate.providers.anthropic.thinking import plan_thinking
from tiergate.providers.anthropic.tools import ToolWriter
from tiergate.providers.losses import Losses
from tiergate.providers.target import EncodedAsk, EncodeTarget

_COUNTED: Final = frozenset(
    {
        "model",
        "cache_control",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "messages",
        "context_management",
        "mcp_servers",
        "speed",
    }
)
"""Members that `/v1/messages/count_tokens` takes ("Count Message tokens")."""


def encode_ask(ask: Ask, target: EncodeTarget) -> EncodedAsk:
    """Return the request.

    Raises:
        Untranslatable: The ask says something that the dialect or the model cannot say, and
            leaving it out would change the answer.
    """
    losses = Losses(lenient=target.drop_params)
    parts = PartWriter(ask.dialect, losses)
    body = _body(ask, target, parts, losses)
    return EncodedAsk(
        body=msgspec.json.encode(body),
        losses=losses.words,
        headers=(("anthropic-beta", ",".join(parts.betas)),) if parts.betas else (),
        renames=MappingProxyType(parts.renames),
    )


def encode_count(ask: Ask, target: EncodeTarget) -> bytes:
    """Return the body of a token count for the same prompt.

    Raises:
        Untranslatable: As `encode_ask` does.
    """
    losses = Losses(lenient=target.drop_params)
    body = _body(ask, target, PartWriter(ask.dialect, losses), losses)
    return msgspec.json.encode({key: body[key] for key in body if key in _COUNTED})


def _body(ask: Ask, target: EncodeTarget, parts: PartWriter, losses: Losses) -> Block:
    facts = target.facts
    conversation = MessageWriter(ask, parts, losses, prefill=facts.prefill).write()
    tools = ToolWriter(ask, facts, parts, losses)
    tool_fields = tools.write(conversation.called)
    plan = plan_thinking(
        ask,
        facts,
        losses,
        forbidden=tools.forced() or conversation.prefilled,
        unsigned=conversation.unsigned_loop,
    )
    config, instructions = output_config(ask, target, plan, losses)
    body: Block = {
        "model": target.model,
        "max_tokens": output_limit(ask, target, plan, losses),
        **cache_field(ask.cache),
        **_system(conversation, instructions),
        **tool_fields,
    }
    if plan.thinking is not None:
        body["thinking"] = plan.thinking
    if config:
        body["output_config"] = config
    body |= sampling(ask, target, plan, losses)
    body |= account(ask, losses)
    body |= extras(ask, losses)
    body["messages"] = conversation.messages
    if target.stream:
        body["stream"] = True
    return body


def _system(conversation: Conversation, instructions: list[Block]) -> Block:
    blocks = [*conversation.system, *instructions]
    return {"system": blocks} if blocks else {}

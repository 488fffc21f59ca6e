"""Write limits, sampling, output form and accounting; messages and tools are elsewhere."""

from __future__ import annotations

from typing import Final

from tiergate.base.chat import Ask
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.names import loss_word
from tiergate.providers.anthropic.parts import Block
from tiergate.providers.anthropic.schema import fit_schema
from tiergate.providers.anthropic.thinking import ThinkingPlan
from tiergate.providers.facts import SamplingRule
from tiergate.providers.losses import Losses
from tiergate.providers.target import EncodeTarget

JSON_ONLY: Final = (
    "Answer with one valid JSON object and nothing else: no other text, no code fence."
)
"""The instruction that stands for OpenAI's `json_object`, which the Messages API has not."""

_TIERS: Final = {"auto": "auto", "default": "standard_only"}
_MAX_USER_ID: Final = 256
_HARMLESS: Final[tuple[Json, ...]] = (None, False, 0, "", [], {})
"""Values that ask for nothing: leaving the field out says the same."""

# Fields of a chat request without which the answer would be another one.
_MEANINGFUL: Final = {
    "n": "several answers to one request",
    "logprobs": "log probabilities",
    "top_logprobs": "log probabilities",
    "modalities": "answers that are not text",
    "audio": "spoken answers",
    "web_search_options": "a web search in OpenAI's form",
    "mcp_servers": "servers that the provider calls itself",
}


def output_limit(ask: Ask, target: EncodeTarget, plan: ThinkingPlan, losses: Losses) -> int:
    """Return `max_tokens`, which the API demands: the caller's, the file's, the model's default.

    Thinking counts towards it, so a default leaves room for the thinking budget.
    """
    most = target.facts.max_output_tokens
    asked = ask.max_tokens
    if asked is not None:
        if ask.dialect is Dialect.ANTHROPIC or most is None or asked <= most:
            return asked
        # The model could not write more anyway, and the provider would refuse the request.
        losses.add("max_tokens")
        return most
    limit = target.default_max_tokens or target.facts.default_output_tokens
    if plan.budget is not None and plan.budget >= limit:
        limit += plan.budget
    return limit if most is None else min(limit, most)


def sampling(ask: Ask, target: EncodeTarget, plan: ThinkingPlan, losses: Losses) -> JsonObject:
    """Return temperature, top_p, top_k and stop sequences."""
    fields: JsonObject = {}
    if ask.dialect is Dialect.ANTHROPIC:
        _put(fields, "temperature", ask.temperature)
        _put(fields, "top_p", ask.top_p)
        _put(fields, "top_k", ask.top_k)
        if ask.stop:
            fields["stop_sequences"] = list(ask.stop)
        return fields
    facts = target.facts
    fixed = facts.sampling is SamplingRule.NEVER or (
        facts.sampling is SamplingRule.WITHOUT_REASONING and plan.active
    )
    if fixed:
        # 1 is what these models use; leaving it out says the same.
        given = {"temperature": ask.temperature, "top_p": ask.top_p}
        for word in (name for name, value in given.items() if value not in (None, 1)):
            losses.add(word)
        if ask.top_k is not None:
            losses.add("top_k")
    else:
        fields |= _free_sampling(ask, losses, both=facts.temperature_and_top_p)
    if stop := _stop(ask, losses):
        fields["stop_sequences"] = stop
    return fields


def _free_sampling(ask: Ask, losses: Losses, *, both: bool) -> JsonObject:
    fields: JsonObject = {}
    temperature = ask.temperature
    if temperature is not None and temperature > 1:
        # OpenAI's scale ends at 2, this one at 1.
        losses.add("temperature")
        temperature = 1
    _put(fields, "temperature", temperature)
    if ask.top_p is not None:
        if both or temperature is None:
            fields["top_p"] = ask.top_p
        elif ask.top_p != 1:
            losses.add("top_p")
    _put(fields, "top_k", ask.top_k)
    return fields


def _stop(ask: Ask, losses: Losses) -> list[Json]:
    if any(not word.strip() for word in ask.stop):
        losses.refuse(
            "stop",
            "A stop sequence of white space alone cannot be sent to this model. Use one with a "
            "visible character.",
            param="stop",
        )
    return [word for word in ask.stop if word.strip()]


def output_config(
    ask: Ask, target: EncodeTarget, plan: ThinkingPlan, losses: Losses
) -> tuple[JsonObject, list[Block]]:
    """Return `output_config`, and the instructions that stand for what it cannot say."""
    config: JsonObject = {}
    rest = ask.extras.get("output_config")
    if ask.dialect is Dialect.ANTHROPIC and isinstance(rest, dict):
        config |= rest
    if plan.effort is not None:
        config["effort"] = plan.effort
    wanted = ask.response_format
    if wanted is None or not wanted.json:
        return config, []
    if wanted.schema is None:
        losses.add("response_format.json_object")
        return config, [{"type": "text", "text": JSON_ONLY}]
    if not target.facts.structured_output:
        losses.refuse(
            "response_format",
            "This model takes no JSON schema for its answer. Describe the form in the prompt, "
            "or use a newer model.",
            param="response_format",
        )
        return config, []
    schema: JsonObject = dict(wanted.schema)
    if ask.dialect is not Dialect.ANTHROPIC:
        schema, loosened = fit_schema(schema)
        if loosened:
            losses.add("response_format.limits")
    config["format"] = {"type": "json_schema", "schema": schema}
    return config, []


def account(ask: Ask, losses: Losses) -> JsonObject:
    """Return who asks, and at which tier."""
    fields: JsonObject = {}
    own = ask.dialect is Dialect.ANTHROPIC
    metadata: JsonObject = {}
    rest = ask.extras.get("metadata")
    if own and isinstance(rest, dict):
        metadata |= rest
    user = ask.user
    if user is None and not own:
        identifier = ask.extras.get("safety_identifier")
        user = identifier if isinstance(identifier, str) and identifier else None
    if user is not None:
        if own or len(user) <= _MAX_USER_ID:
            metadata["user_id"] = user
        else:
            losses.add("user")
    if metadata:
        fields["metadata"] = metadata
    if ask.service_tier is not None:
        tier = ask.service_tier if own else _TIERS.get(ask.service_tier)
        if tier is None:
            losses.add("service_tier")
        else:
            fields["service_tier"] = tier
    return fields


def extras(ask: Ask, losses: Losses) -> JsonObject:
    """Return the caller's further fields, if they are this dialect's; else note their loss."""
    if ask.dialect is Dialect.ANTHROPIC:
        held = ("output_config", "metadata")
        return {key: value for key, value in ask.extras.items() if key not in held}
    if ask.seed is not None:
        losses.add("seed")
    for key, value in ask.extras.items():
        if any(value == nothing for nothing in _HARMLESS) or _says_nothing(key, value):
            continue
        if key in _MEANINGFUL:
            losses.refuse(
                key,
                f"`{key}` asks for {_MEANINGFUL[key]}, which this model's provider does not "
                "offer. Leave it out, or use another model.",
                param=key,
            )
        else:
            losses.add(loss_word(key))
    return {}


def _says_nothing(key: str, value: Json) -> bool:
    """Whether a field asks for what happens anyway, or was translated."""
    if key == "n":
        return value == 1
    if key == "modalities":
        return value == ["text"]
    return key == "safety_identifier"


def _put(fields: JsonObject, key: str, value: Json) -> None:
    if value is not None:
        fields[key] = value

"""Asks an HTTP service in LiteLLM's form (`generic_guardrail_api`) what it says of texts.

The service is sent `texts`, `input_type` and who calls, and answers with `action` `NONE`,
`BLOCKED` (with `blocked_reason`) or `GUARDRAIL_INTERVENED` (with other `texts`): LiteLLM's page
"Generic Guardrail API", seen November 2026. Pictures and definitions of tools are not sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.guard_options import RemoteOptions
from tiergate.core.guard_plan import Stage
from tiergate.guards.services import ask_json
from tiergate.ports.guarding import CLEAN, Fetch, GuardError, Occasion, Passage, Verdict

_WHAT: Final = "the guardrail service"
_LONGEST_REASON: Final = 1000


class RemoteGuard:
    """Implements `ports.guarding.Guard` with a service.

    Args:
        options: Where it is, and what it is sent.
        fetch: Asks it.
    """

    window = None
    restores = False

    def __init__(self, options: RemoteOptions, fetch: Fetch) -> None:
        self._options = options
        self._fetch = fetch
        fixed = [(name, secret.value) for name, secret in options.headers]
        if options.key is not None:
            fixed.append(("x-api-key", options.key.value))
        self._headers = tuple(fixed)

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:
        """Return what the service says.

        Raises:
            GuardError: It did not answer, or not as it should.
        """
        shown = [number for number, passage in enumerate(passages) if passage.text]
        if not shown:
            return CLEAN
        texts = [passages[number].text for number in shown]
        body = self._body(texts, occasion)
        headers = self._headers + self._forwarded(occasion)
        answer = await ask_json(self._fetch, _WHAT, self._options.address, headers, body)
        match answer:
            case {"action": "NONE"}:
                return CLEAN
            case {"action": "BLOCKED"}:
                reason = answer.get("blocked_reason")
                said = reason if isinstance(reason, str) and reason.strip() else ""
                return Verdict(blocked=said[:_LONGEST_REASON] or "Content violates policy")
            case {"action": "GUARDRAIL_INTERVENED"}:
                return _rewritten(answer.get("texts"), texts, shown, passages)
            case _:
                raise GuardError(
                    f"{_WHAT} answered without an action; it is NONE, BLOCKED or "
                    "GUARDRAIL_INTERVENED"
                )

    def _body(self, texts: list[str], occasion: Occasion) -> JsonObject:
        caller = occasion.caller
        known: dict[str, str] = {
            "user_api_key_hash": caller.key,
            "user_api_key_alias": caller.name,
            "user_api_key_user_id": caller.user,
            "user_api_key_team_id": caller.team,
            "user_api_key_end_user_id": occasion.user or "",
        }
        data: JsonObject = {name: value for name, value in known.items() if value}
        listed: list[Json] = [*texts]
        return {
            "texts": listed,
            "request_data": data,
            "input_type": "response" if occasion.stage is Stage.POST_CALL else "request",
            "litellm_call_id": occasion.call_id,
            "litellm_trace_id": occasion.call_id,
            "additional_provider_specific_params": dict(self._options.params),
        }

    def _forwarded(self, occasion: Occasion) -> tuple[tuple[str, str], ...]:
        wanted = self._options.forwarded
        if not wanted:
            return ()
        return tuple(pair for pair in occasion.headers if pair[0] in wanted)


def _rewritten(
    answered: Json, texts: Sequence[str], shown: Sequence[int], passages: Sequence[Passage]
) -> Verdict:
    """Return the texts that the service wants instead."""
    if answered is None:
        return CLEAN
    if not isinstance(answered, list) or len(answered) != len(texts):
        raise GuardError(f"{_WHAT} answered with other texts, and not one for each it was sent")
    changed = [passage.text for passage in passages]
    for number, text in zip(shown, answered, strict=True):
        if not isinstance(text, str):
            raise GuardError(f"{_WHAT} answered with a text that is none")
        changed[number] = text
    return Verdict(texts=tuple(changed)) if list(answered) != list(texts) else CLEAN

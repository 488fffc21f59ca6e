"""`GET /guardrails/list` and `POST /guardrails/apply`: which guards there are, and a try of one.

A try calls no model and changes nothing. LiteLLM's routes and fields.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import AliasName, Dialect
from tiergate.core.guard_plan import GuardPlan, OnError, Stage
from tiergate.core.masking import Placeholders, Span, masked
from tiergate.pipeline.guard_checks import LOOK_SECONDS, Installed
from tiergate.pipeline.guard_words import UNAVAILABLE, unknown
from tiergate.ports.guarding import Found, GuardError, Occasion, Passage, Place, Reaction, Verdict
from tiergate.web.admin import Asked, Route, Told

MOST_TEXT = 1024 * 1024
"""Characters of one try."""


class GuardRoutes:
    """Answers the routes.

    Args:
        installed: Gives the guards in force.
        new_id: Gives a fresh call id.
    """

    def __init__(
        self,
        installed: Callable[[], Sequence[Installed]],
        new_id: Callable[[], str],
    ) -> None:
        self._installed = installed
        self._new_id = new_id

    def routes(self) -> list[Route]:
        """Return the table of routes."""
        return [
            Route("GET", "/guardrails/list", self._list, keys=True),
            Route("GET", "/v2/guardrails/list", self._list, keys=True),
            Route("POST", "/guardrails/apply", self._apply, keys=True),
            Route("POST", "/guardrails/apply_guardrail", self._apply, keys=True),
        ]

    async def _list(self, asked: Asked) -> Told:
        rows: list[Json] = [
            _row(each.plan, admin=asked.caller.admin) for each in self._installed()
        ]
        return Told({"guardrails": rows})

    async def _apply(self, asked: Asked) -> Told:
        name, text = _text_of(asked, "guardrail_name"), _text_of(asked, "text")
        stage = _stage_of(asked.body.get("mode"))
        guards = [each for each in self._installed() if each.plan.name == name]
        if not guards:
            raise unknown([name], [each.plan.name for each in self._installed()])
        occasion = Occasion(
            call_id=self._new_id(),
            alias=AliasName(""),
            dialect=Dialect.OPENAI,
            stage=stage,
            caller=asked.caller,
        )
        findings: list[Json] = []
        stopped = ""
        for each in guards:
            found, text, why = await self._one(each, text, occasion)
            findings += found
            stopped = stopped or why
        body: JsonObject = {
            "response_text": text,
            "blocked": bool(stopped),
            "findings": findings,
        }
        if stopped:
            body["reason"] = stopped
        return Told(body)

    async def _one(
        self, installed: Installed, text: str, occasion: Occasion
    ) -> tuple[list[Json], str, str]:
        """Return what one guard found, the text as it would go on, and why it would not."""
        guard, plan = installed.guard, installed.plan
        if guard is None:
            raise Refused(
                400,
                f"The guardrail {plan.name} is a class that looks at whole calls; it cannot be "
                "tried on a text.",
                param="guardrail_name",
                code="guardrail_not_for_texts",
            )
        passages = [Passage(text, _place_of(occasion), "text")]
        try:
            async with asyncio.timeout(plan.timeout or LOOK_SECONDS):
                verdict = await guard.look(passages, occasion)
        except TimeoutError:
            raise _failed(plan, "it did not answer in time") from None
        except GuardError as exc:
            raise _failed(plan, str(exc)) from None
        except Exception as exc:  # noqa: BLE001 - a fault of a class of the operator
            raise _failed(plan, f"it failed with a {type(exc).__name__}") from None
        return _findings(verdict), _as_sent(verdict, text), _reason(verdict, plan)


def _failed(plan: GuardPlan, why: str) -> Refused:
    return Refused(
        503,
        f"The guardrail {plan.name} could not look at the text: {why.rstrip('.')}.",
        code=UNAVAILABLE,
        type="api_error",
    )


def _place_of(occasion: Occasion) -> Place:
    return Place.ASSISTANT if occasion.stage is Stage.POST_CALL else Place.USER


def _text_of(asked: Asked, name: str) -> str:
    value = asked.body.get(name)
    if not isinstance(value, str) or not value or len(value) > MOST_TEXT:
        raise Refused(
            400,
            f"`{name}` must be a text of at most {MOST_TEXT} characters.",
            param=name,
            code="missing_parameter",
        )
    return value


def _stage_of(value: Json) -> Stage:
    if value is None:
        return Stage.PRE_CALL
    for stage in Stage:
        if stage.value == value:
            return stage
    words = ", ".join(stage.value for stage in Stage)
    raise Refused(400, f"`mode` must be one of {words}.", param="mode", code="invalid_type")


def _findings(verdict: Verdict) -> list[Json]:
    return [_finding(each) for each in verdict.found]


def _finding(found: Found) -> JsonObject:
    return {
        "kind": found.kind,
        "start": found.start,
        "end": found.end,
        "action": found.reaction.value,
    }


def _as_sent(verdict: Verdict, text: str) -> str:
    if verdict.texts:
        return verdict.texts[0]
    marks = Placeholders([text])
    spans = [
        Span(
            each.start,
            each.end,
            each.instead or marks.of(each.kind, text[each.start : each.end], restored=False),
        )
        for each in verdict.found
        if each.reaction is Reaction.MASK
    ]
    return masked(text, spans)


def _reason(verdict: Verdict, plan: GuardPlan) -> str:
    if verdict.blocked:
        return plan.message or verdict.blocked
    kinds = [each.kind for each in verdict.found if each.reaction is Reaction.BLOCK]
    if not kinds:
        return ""
    told = ", ".join(dict.fromkeys(kinds))
    return plan.message or f"The guardrail {plan.name} found {told}."


def _row(plan: GuardPlan, *, admin: bool) -> JsonObject:
    modes: list[Json] = [stage.value for stage in plan.modes.all]
    params: JsonObject = {
        "guardrail": plan.kind,
        "mode": modes[0] if len(modes) == 1 else modes,
        "default_on": plan.default_on,
    }
    if admin:
        params["on_error"] = plan.on_error.value
        params["fail_on_error"] = plan.on_error is OnError.BLOCK
    return {
        "guardrail_name": plan.name,
        "litellm_params": params,
        "guardrail_info": plan.info,
        "guardrail_id": None,
    }

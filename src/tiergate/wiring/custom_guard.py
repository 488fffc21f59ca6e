"""Makes guards of an operator's own Python classes, with LiteLLM's method names.

A class that writes `apply_guardrail` over is shown texts; any other is shown calls, as JSON with
attributes. It stops a call by raising: `HTTPException` (or anything with a `status_code` from 400
to 499), an exception of its own module, `ValueError`, or `Exception` itself. Any other exception
is a fault of the class and judged by `on_error`: a class that fails must not look like one that
said no.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, cast

from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect
from tiergate.core.caller import Caller
from tiergate.core.guard_plan import ClassOptions, GuardPlan, Stage
from tiergate.custom.classes import CustomGuardrail, CustomLogger, GuardrailRaisedException
from tiergate.custom.values import (
    DualCache,
    Record,
    UserAPIKeyAuth,
    answer_record,
    event_record,
    plain,
)
from tiergate.pipeline.guard_checks import Installed
from tiergate.ports.guarding import (
    CLEAN,
    Blocked,
    GuardError,
    Occasion,
    Passage,
    Verdict,
)
from tiergate.wiring.custom_module import load_object

_PRE: Final = "async_pre_call_hook"
_DURING: Final = "async_moderation_hook"
_POST: Final = "async_post_call_success_hook"
_STREAM: Final = "async_post_call_streaming_iterator_hook"
_TEXTS: Final = "apply_guardrail"
_HOOKS: Final = {
    Stage.PRE_CALL: (_PRE,),
    Stage.DURING_CALL: (_DURING,),
    Stage.POST_CALL: (_POST, _STREAM),
}
_BASES: Final = ("litellm", "tiergate")
_REFUSES: Final = range(400, 500)

Hook = Callable[..., object]


def install_class(plan: GuardPlan) -> Installed:
    """Make the guard of a plan whose options are `ClassOptions`.

    Raises:
        ValueError: There is no such class, it cannot be made, or it has no method for its modes.
    """
    options = plan.options
    if not isinstance(options, ClassOptions):
        raise ValueError(f"{plan.kind} is no class")  # noqa: TRY004 - one error for one cause
    made = _made(load_object(options.target, options.folder), plan, options)
    texts = hook_of(made, _TEXTS)
    if texts is not None:
        return Installed(plan, guard=TextClass(texts))
    for stage in plan.modes.all:
        names = _HOOKS.get(stage, ())
        if not any(hook_of(made, name) for name in names):
            wanted = " or ".join((_TEXTS, *names))
            raise ValueError(
                f"{options.target} has no method for the mode {stage.value}: write {wanted}"
            )
    return Installed(plan, call=CallClass(made))


def hook_of(made: object, name: str) -> Hook | None:
    """Return a method that a class writes itself; one of a base class does nothing."""
    found: object = getattr(made, name, None)
    if found is None or not callable(found):
        return None
    owner = getattr(found, "__qualname__", "").rpartition(".")[0]
    module = str(getattr(found, "__module__", "")).partition(".")[0]
    if module in _BASES and owner in (CustomGuardrail.__name__, CustomLogger.__name__):
        return None
    return found


def _made(found: object, plan: GuardPlan, options: ClassOptions) -> object:
    if not isinstance(found, type):
        return found
    modes = [stage.value for stage in plan.modes.all]
    given: dict[str, object] = {
        "guardrail_name": plan.name,
        "event_hook": modes[0] if len(modes) == 1 else modes,
        "default_on": plan.default_on,
        **options.arguments,
    }
    make = cast("Callable[..., object]", found)
    takes = inspect.signature(make).parameters
    if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in takes.values()):
        unknown = [name for name in options.arguments if name not in takes]
        if unknown:
            raise ValueError(f"{options.target} takes no {', '.join(unknown)}")
        given = {name: value for name, value in given.items() if name in takes}
    try:
        return make(**given)
    except Exception as exc:  # noqa: BLE001 - whatever it raises, the start says it
        text = f"{type(exc).__name__}: {str(exc)[:200]}"
        raise ValueError(f"{options.target} cannot be made: {text}") from None


async def guarded(module: str, work: object) -> object:
    """Await a method, and say what its exceptions mean.

    Args:
        module: Of the class; exceptions that are defined there mean no.
        work: What the method returned: something to await, or the result itself.

    Raises:
        Blocked: It says no.
        GuardError: It failed.
    """
    try:
        return await cast("Awaitable[object]", work) if inspect.isawaitable(work) else work
    except (Blocked, GuardError):
        raise
    except Exception as exc:
        raise meaning_of(exc, module) from exc


def meaning_of(exc: Exception, module: str) -> Blocked | GuardError:
    """Return what an exception of a class means."""
    status: object = getattr(exc, "status_code", None)
    if isinstance(status, int) and status in _REFUSES:
        return Blocked(_words(exc), status)
    own = type(exc).__module__ == module
    if own or isinstance(exc, GuardrailRaisedException) or type(exc) in (Exception, ValueError):
        return Blocked(_words(exc))
    return GuardError(f"the class failed with a {type(exc).__name__}")


def _words(exc: Exception) -> str:
    detail: object = getattr(exc, "detail", None)
    if isinstance(detail, dict):
        found = cast("dict[str, object]", detail)
        detail = found.get("error") or found.get("message") or found
    text = detail if isinstance(detail, str) else str(detail or exc)
    return text[:2000] or "A guardrail of the gateway's operator does not let this call through."


class TextClass:
    """A class that is shown texts; implements `ports.guarding.Guard`."""

    window: int | None = None
    restores = False

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._module = str(getattr(hook, "__module__", ""))
        self._one = "text" in inspect.signature(hook).parameters

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:
        """Look at texts; see `ports.guarding.Guard.look`."""
        said = [passage for passage in passages if passage.text]
        if not said:
            return CLEAN
        texts = [passage.text for passage in said]
        try:
            new = await (self._each(texts, occasion) if self._one else self._all(texts, occasion))
        except Blocked as stop:
            return Verdict(blocked=str(stop))
        if len(new) != len(texts):
            raise GuardError(f"the class returned {len(new)} texts for {len(texts)}")
        if new == texts:
            return CLEAN
        changed = iter(new)
        return Verdict(texts=tuple(next(changed) if passage.text else "" for passage in passages))

    async def _each(self, texts: Sequence[str], occasion: Occasion) -> list[str]:
        """Call LiteLLM's older form: one text in, one text out."""
        takes = inspect.signature(self._hook).parameters
        more: dict[str, object] = (
            {"request_data": _data(occasion)} if "request_data" in takes else {}
        )
        found = [await guarded(self._module, self._hook(text=text, **more)) for text in texts]
        return [
            new if isinstance(new, str) else text for new, text in zip(found, texts, strict=True)
        ]

    async def _all(self, texts: list[str], occasion: Occasion) -> list[str]:
        """Call LiteLLM's newer form: all texts at once."""
        kind = "response" if occasion.stage is Stage.POST_CALL else "request"
        given: dict[str, object] = {
            "inputs": Record(texts=list(texts)),
            "request_data": _data(occasion),
            "input_type": kind,
            "logging_obj": None,
        }
        takes = inspect.signature(self._hook).parameters
        given = {name: value for name, value in given.items() if name in takes}
        found = await guarded(self._module, self._hook(**given))
        if not isinstance(found, dict):
            return texts
        new = cast("dict[str, object]", found).get("texts")
        if not isinstance(new, list):
            return texts
        return [str(each) for each in cast("list[object]", new)]


class CallClass:
    """A class that is shown calls; implements `ports.guarding.CallGuard`."""

    def __init__(self, made: object) -> None:
        self._pre = hook_of(made, _PRE)
        self._during = hook_of(made, _DURING)
        self._post = hook_of(made, _POST)
        self._events = hook_of(made, _STREAM)
        self._module = type(made).__module__
        self._cache = DualCache()

    @property
    def streams(self) -> bool:
        """Whether it takes streams event by event."""
        return self._events is not None

    async def request(self, body: JsonObject, occasion: Occasion) -> JsonObject | None:
        """Call `async_pre_call_hook`; see `ports.guarding.CallGuard.request`."""
        if self._pre is None:
            return None
        data = _given(body, occasion)
        work = self._pre(
            user_api_key_dict=who(occasion.caller),
            cache=self._cache,
            data=data,
            call_type=_call_type(occasion),
        )
        found = await guarded(self._module, work)
        if isinstance(found, Exception):
            raise meaning_of(found, self._module)
        if isinstance(found, str):
            raise Blocked(found)
        return _taken(cast("object", found) if isinstance(found, dict) else data)

    async def beside(self, body: JsonObject, occasion: Occasion) -> None:
        """Call `async_moderation_hook`; see `ports.guarding.CallGuard.beside`."""
        if self._during is not None:
            work = self._during(
                data=_given(body, occasion),
                user_api_key_dict=who(occasion.caller),
                call_type=_call_type(occasion),
            )
            await guarded(self._module, work)

    async def answer(
        self, body: JsonObject, answer: JsonObject, occasion: Occasion
    ) -> JsonObject | None:
        """Call `async_post_call_success_hook`; see `ports.guarding.CallGuard.answer`."""
        if self._post is None:
            return None
        response = answer_record(copy.deepcopy(answer))
        work = self._post(
            data=_given(body, occasion),
            user_api_key_dict=who(occasion.caller),
            response=response,
        )
        found = await guarded(self._module, work)
        shown = cast("object", found) if isinstance(found, dict) else response
        return cast("JsonObject", plain(shown))

    async def events(
        self, body: JsonObject, events: AsyncIterator[JsonObject], occasion: Occasion
    ) -> AsyncIterator[JsonObject]:
        """Call `async_post_call_streaming_iterator_hook`; see `CallGuard.events`."""
        if self._events is None:
            async for event in events:
                yield event
            return

        async def records() -> AsyncIterator[object]:
            async for event in events:
                yield event_record(event)

        made = self._events(
            user_api_key_dict=who(occasion.caller),
            response=records(),
            request_data=_given(body, occasion),
        )
        passed = cast("AsyncIterator[object]", made)
        try:
            async for event in passed:
                found = plain(event)
                if isinstance(found, dict):
                    yield cast("JsonObject", found)
        except (Blocked, GuardError):
            raise
        except Exception as exc:
            raise meaning_of(exc, self._module) from exc


# ---------------------------------------------------------------------- what a class is given


def who(caller: Caller) -> UserAPIKeyAuth:
    """Return who calls, in LiteLLM's words; the key itself is not known."""
    return UserAPIKeyAuth(
        api_key=caller.key or None,
        token=caller.key or None,
        key_alias=caller.name,
        user_id=caller.user or None,
        team_id=caller.team or None,
        metadata=Record(caller.metadata),
    )


def _data(occasion: Occasion) -> Record:
    return Record(
        model=occasion.alias,
        user=occasion.user,
        metadata=Record(tags=list(occasion.tags)),
        litellm_call_id=occasion.call_id,
    )


def _given(body: JsonObject, occasion: Occasion) -> dict[str, object]:
    """Return a request as a class sees it: its body, and what LiteLLM puts beside it."""
    data = cast("dict[str, object]", copy.deepcopy(body))
    metadata = data.get("metadata")
    data["metadata"] = {
        **(cast("dict[str, object]", metadata) if isinstance(metadata, dict) else {}),
        "tags": list(occasion.tags),
    }
    data["litellm_call_id"] = occasion.call_id
    return data


def _taken(data: object) -> JsonObject:
    """Return what a class has made of a request, without what was put beside it."""
    found = cast("JsonObject", plain(data))
    found.pop("litellm_call_id", None)
    return found


def _call_type(occasion: Occasion) -> str:
    return "anthropic_messages" if occasion.dialect is Dialect.ANTHROPIC else "completion"

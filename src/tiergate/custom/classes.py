"""Base classes for guards and loggers of an operator's own. Their methods do nothing.

The gateway calls those that a class writes over. Names and arguments are LiteLLM's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime


class GuardrailRaisedException(Exception):  # noqa: N818 - LiteLLM's name
    """Stops a call. `message` is what the caller is told.

    Args:
        guardrail_name: Who says so.
        message: Why.
    """

    status_code = 400

    def __init__(self, guardrail_name: str | None = None, message: str = "") -> None:
        super().__init__(message)
        self.guardrail_name = guardrail_name
        self.message = message


class ModifyResponseException(GuardrailRaisedException):
    """Stops a call as well: an answer of the class's own is not given in a model's name."""


class CustomLogger:
    """Is told of calls when they are over."""

    def log_success_event(
        self, kwargs: Mapping[str, object], response_obj: object, start: datetime, end: datetime
    ) -> None:
        """A call was served."""

    async def async_log_success_event(
        self, kwargs: Mapping[str, object], response_obj: object, start: datetime, end: datetime
    ) -> None:
        """A call was served."""

    def log_failure_event(
        self, kwargs: Mapping[str, object], response_obj: object, start: datetime, end: datetime
    ) -> None:
        """A call was not served."""

    async def async_log_failure_event(
        self, kwargs: Mapping[str, object], response_obj: object, start: datetime, end: datetime
    ) -> None:
        """A call was not served."""

    async def async_post_call_failure_hook(
        self,
        request_data: Mapping[str, object],
        original_exception: Exception,
        user_api_key_dict: object,
        traceback_str: str | None = None,
    ) -> None:
        """A call was not served."""

    async def log_success_fallback_event(
        self,
        original_model_group: str,
        kwargs: Mapping[str, object],
        original_exception: Exception,
    ) -> None:
        """Another alias served."""

    async def log_failure_fallback_event(
        self,
        original_model_group: str,
        kwargs: Mapping[str, object],
        original_exception: Exception,
    ) -> None:
        """No other alias served either."""

    async def async_pre_call_hook(
        self, user_api_key_dict: object, cache: object, data: dict[str, object], call_type: str
    ) -> Exception | str | dict[str, object] | None:
        """Look at a request before its call; return it changed, or raise to stop it."""

    async def async_moderation_hook(
        self, data: dict[str, object], user_api_key_dict: object, call_type: str
    ) -> object:
        """Look at a request beside its call; raise to stop it."""

    async def async_post_call_success_hook(
        self, data: dict[str, object], user_api_key_dict: object, response: object
    ) -> object:
        """Look at an answer; change or return it, or raise to hold it back."""

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: object, response: AsyncIterator[object], request_data: object
    ) -> AsyncIterator[object]:
        """Pass the events of a stream on."""
        del user_api_key_dict, request_data
        async for event in response:
            yield event


class CustomGuardrail(CustomLogger):
    """Looks at calls and may stop or change them.

    Write `apply_guardrail` over, for texts alone; or the methods of a call.
    """

    # LiteLLM's constructor takes whatever stands in the file beside its own words.
    def __init__(
        self,
        guardrail_name: str | None = None,
        supported_event_hooks: object = None,
        event_hook: object = None,
        default_on: bool = False,
        **more: object,
    ) -> None:
        self.guardrail_name = guardrail_name
        self.supported_event_hooks = supported_event_hooks
        self.event_hook = event_hook
        self.default_on = default_on
        self.optional_params = more

    async def apply_guardrail(
        self, inputs: object, request_data: object = None, input_type: str = "request"
    ) -> object:
        """Look at texts (`inputs["texts"]`); return them, changed or not, or raise to stop."""
        del request_data, input_type
        return inputs

    def should_run_guardrail(self, data: object, event_type: object) -> bool:
        """Say yes: the gateway only calls a guard where it is to look."""
        del data, event_type
        return True

    def get_guardrail_dynamic_request_body_params(self, request_data: object) -> dict[str, object]:
        """Return nothing: requests cannot give parameters to a guard."""
        del request_data
        return {}

    def add_standard_logging_guardrail_information_to_request_data(
        self, *words: object, **named: object
    ) -> None:
        """Note nothing: the gateway counts and logs what guards do."""

"""Modules of LiteLLM's names, for classes written for it where it is not installed.

Only what such classes need to be loaded and called: base classes, values, the names of types. A
name that is not here fails the import of the class, and the start says which.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from enum import StrEnum
from types import ModuleType
from typing import Final, TypeVar

from tiergate.custom.classes import (
    CustomGuardrail,
    CustomLogger,
    GuardrailRaisedException,
    ModifyResponseException,
)
from tiergate.custom.values import (
    Choices,
    Delta,
    DualCache,
    EmbeddingResponse,
    GuardrailEventHooks,
    Message,
    ModelResponse,
    ModelResponseStream,
    Record,
    StreamingChoices,
    TextCompletionResponse,
    UserAPIKeyAuth,
)

_LOG: Final = logging.getLogger("tiergate.custom")
_F = TypeVar("_F", bound=Callable[..., object])


class HTTPException(Exception):  # noqa: N818 - FastAPI's name
    """FastAPI's error, which classes raise to stop a call.

    Args:
        status_code: For the caller.
        detail: A text, or an object whose `error` is one.
        headers: Are not used.
    """

    def __init__(self, status_code: int, detail: object = None, headers: object = None) -> None:
        super().__init__(str(detail))
        self.status_code = status_code
        self.detail = detail
        self.headers = headers


class PiiEntityType(StrEnum):
    """Kinds of personal data; classes only name the type."""

    EMAIL_ADDRESS = "EMAIL_ADDRESS"
    CREDIT_CARD = "CREDIT_CARD"
    PERSON = "PERSON"
    PHONE_NUMBER = "PHONE_NUMBER"
    US_SSN = "US_SSN"


class SpecialProvider(StrEnum):
    """Whom a client is for; it makes no difference here."""

    GuardrailCallback = "guardrail_callback"
    LoggingCallback = "logging_callback"


async def should_proceed_based_on_metadata(data: object, guardrail_name: str) -> bool:
    """Say yes: the gateway only calls a guard where it is to look."""
    del data, guardrail_name
    return True


def log_guardrail_information(function: _F) -> _F:
    """Return the function: the gateway counts and logs what guards do."""
    return function


def get_async_httpx_client(llm_provider: object = None, params: object = None) -> object:
    """Return a client of httpx, if that is installed."""
    del llm_provider, params
    make: Callable[[], object] = importlib.import_module("httpx").AsyncClient
    return make()


_VALUES: Final[dict[str, object]] = {
    "ModelResponse": ModelResponse,
    "ModelResponseStream": ModelResponseStream,
    "TextCompletionResponse": TextCompletionResponse,
    "EmbeddingResponse": EmbeddingResponse,
    "Choices": Choices,
    "StreamingChoices": StreamingChoices,
    "Message": Message,
    "Delta": Delta,
    "GenericGuardrailAPIInputs": Record,
    "ImageResponse": Record,
    "StandardLoggingPayload": Record,
    "LLMResponseTypes": object,
    "CallTypesLiteral": str,
}
_LOGGERS: Final[dict[str, object]] = {
    "verbose_logger": _LOG,
    "verbose_proxy_logger": _LOG,
    "verbose_router_logger": _LOG,
}
_ERRORS: Final[dict[str, object]] = {
    "GuardrailRaisedException": GuardrailRaisedException,
    "ModifyResponseException": ModifyResponseException,
    "BlockedPiiEntityError": GuardrailRaisedException,
}
_CACHES: Final[dict[str, object]] = {"DualCache": DualCache}
_GUARDS: Final[dict[str, object]] = {
    "CustomGuardrail": CustomGuardrail,
    "ModifyResponseException": ModifyResponseException,
    "log_guardrail_information": log_guardrail_information,
}

LITELLM: Final[dict[str, dict[str, object]]] = {
    "litellm": {**_VALUES, **_LOGGERS, **_CACHES, **_ERRORS, "CustomLogger": CustomLogger},
    "litellm._logging": _LOGGERS,
    "litellm.caching": _CACHES,
    "litellm.caching.caching": _CACHES,
    "litellm.exceptions": _ERRORS,
    "litellm.integrations": {},
    "litellm.integrations.custom_guardrail": _GUARDS,
    "litellm.integrations.custom_logger": {"CustomLogger": CustomLogger},
    "litellm.llms": {},
    "litellm.llms.custom_httpx": {},
    "litellm.llms.custom_httpx.http_handler": {
        "get_async_httpx_client": get_async_httpx_client,
        "httpxSpecialProvider": SpecialProvider,
    },
    "litellm.proxy": {},
    "litellm.proxy._types": {"UserAPIKeyAuth": UserAPIKeyAuth},
    "litellm.proxy.guardrails": {},
    "litellm.proxy.guardrails.guardrail_helpers": {
        "should_proceed_based_on_metadata": should_proceed_based_on_metadata
    },
    "litellm.types": {},
    "litellm.types.guardrails": {
        "GuardrailEventHooks": GuardrailEventHooks,
        "PiiEntityType": PiiEntityType,
    },
    "litellm.types.utils": _VALUES,
}
"""What stands in for LiteLLM, by module."""

FASTAPI: Final[dict[str, dict[str, object]]] = {
    "fastapi": {"HTTPException": HTTPException},
    "fastapi.exceptions": {"HTTPException": HTTPException},
}
"""What stands in for FastAPI."""


def modules_of(names: dict[str, dict[str, object]]) -> dict[str, ModuleType]:
    """Return modules with these names in them; packages hold the modules below them."""
    found: dict[str, ModuleType] = {}
    for name, content in names.items():
        module = found[name] = ModuleType(name, "Stands in for a library that is not installed.")
        module.__path__ = []
        for member, value in content.items():
            setattr(module, member, value)
        above, _, last = name.rpartition(".")
        if above:
            setattr(found[above], last, module)
    return found

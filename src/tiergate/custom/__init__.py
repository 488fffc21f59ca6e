"""What classes of an operator's own may import: guards and loggers with LiteLLM's method names."""

from tiergate.custom.classes import (
    CustomGuardrail,
    CustomLogger,
    GuardrailRaisedException,
    ModifyResponseException,
)
from tiergate.custom.values import DualCache, GuardrailEventHooks, ModelResponse, UserAPIKeyAuth

__all__ = [
    "CustomGuardrail",
    "CustomLogger",
    "DualCache",
    "GuardrailEventHooks",
    "GuardrailRaisedException",
    "ModelResponse",
    "ModifyResponseException",
    "UserAPIKeyAuth",
]

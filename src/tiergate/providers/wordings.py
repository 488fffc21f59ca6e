"""The words in which providers say why they refuse, as patterns and tables.

Data for `failures`, which decides; every wording names the host it was seen at. Text is compared
in lower case and without backticks.
"""

from __future__ import annotations

import re
from typing import Final

from tiergate.base.errors import FailureClass

# Provider words for "the prompt does not fit", as their APIs return them.
OVERFLOW: Final = re.compile(
    r"context_length_exceeded|context_window_exceeded"  # OpenAI, Groq, Cerebras, Z.ai: the code
    r"|exceed_context_size|exceeds the available context size"  # llama.cpp
    r"|prompt (is )?too long"  # Anthropic, Fireworks, Ollama
    r"|exceeds? context limit"  # Anthropic: input length and max_tokens
    r"|input is too long"  # Bedrock
    r"|too many total text bytes"  # Bedrock
    r"|max(imum)? context length"  # OpenAI, Azure, vLLM, DeepSeek, Mistral, OpenRouter, sglang
    r"|(exceeds|exceeded|longer than|greater than) (the |this )?(model's |model )?context"
    r"|context (window|length|size) (exceeds|exceeded|has been exceeded|is only)"  # MiniMax
    r"|longer than the maximum model length"  # vLLM
    r"|maximum prompt length is"  # xAI
    r"|input token count.{0,40}(exceeds|but (the )?model only supports)"  # Gemini, Vertex
    r"|prompt token count.{0,40}exceeds the limit"  # GitHub Copilot
    r"|input tokens exceed the configured limit"  # OpenAI
    r"|reduce the length of (the|your) (messages|input|prompt)"  # Groq, OpenAI, vLLM
    r"|exceeded model token limit"  # Moonshot
    r"|range of input length should be"  # DashScope
    r"|maximum (allowed )?input length"  # Poolside, Modal
    r"|inputs tokens \+ max_new_tokens must|inputs must have less than"  # TGI
    r"|prompt_tokens \(\d+\) must be less than"  # SiliconFlow
    r"|too many tokens: "  # Cohere
)
# The same numbers, another complaint: the output limit or the rate is at fault.
NOT_OVERFLOW: Final = re.compile(
    r"max_(completion_|output_)?tokens'?( or '?max_completion_tokens'?)? is too large"
    r"|rate.?limit|tokens per (min|day|hour)|\btp[md]\b|quota"
)
POLICY: Final = re.compile(
    r"content_filter|content_policy|responsibleaipolicyviolation|moderation_blocked"
    r"|content filtering policy"  # Anthropic
    r"|content management policy"  # Azure
    r"|content policy|safety system"  # OpenAI
    r"|flagged as potentially violating|invalid_prompt\b|policy_violation"  # OpenAI reasoning
    r"|violat\w* (our |the |openai's )?(usage|safety|content) polic"
    r"|blocked (due to|by|because of) (our |the )?(content|safety|prohibited)"  # Bedrock, Gemini
    r"|prohibited_content|blockreason|block_reason|finish_?reason: safety"  # Gemini
    r"|requires moderation|input was flagged"  # OpenRouter
    r"|content exists risk"  # DeepSeek
    r"|data_inspection_failed"  # DashScope
)
BAD_KEY: Final = re.compile(
    r"api_key_invalid|api key not valid|invalid_api_key|(incorrect|invalid) api key"
    r"|credit balance is too low|insufficient balance"  # Anthropic, DeepSeek: 400 and 402
)
NO_MODEL: Final = re.compile(
    r"\bmodel_not_found\b|\binvalid_model\b|deploymentnotfound|invalid model:"
)
BUSY: Final = re.compile(r"rate_limit_(error|exceeded)|too_many_requests|throttlingexception")

OVERFLOW_STATUS: Final = frozenset({400, 413, 422, 500})
"""Statuses under which hosts report an overflow (llama.cpp and some proxies: 500)."""
POLICY_STATUS: Final = frozenset({400, 403, 422, 451, 500})
BY_STATUS: Final = {
    401: FailureClass.CREDENTIALS,
    # Our account has no money left: as little the caller's fault as a wrong key.
    402: FailureClass.CREDENTIALS,
    403: FailureClass.CREDENTIALS,
    404: FailureClass.NOT_FOUND,
    408: FailureClass.TIMEOUT,
    409: FailureClass.CONFLICT,
    429: FailureClass.RATE_LIMIT,
    498: FailureClass.RATE_LIMIT,  # Groq: the flex tier is full
    504: FailureClass.TIMEOUT,
}
STATUS_OF_TYPE: Final = {
    # Anthropic, "Errors"
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
    # OpenAI and those who follow it
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "requests": 429,
    "tokens": 429,
    "invalid_api_key": 401,
    "context_length_exceeded": 400,
    "content_policy_violation": 400,
    "content_filter": 400,
    "invalid_prompt": 400,
    "server_error": 500,
    "server_overloaded": 503,
    "slow_down": 503,
    "service_unavailable": 503,
    "timeout": 504,
    "gateway_timeout": 504,
}

"""Request fields that a deployment may set for its callers, and those it may not.

`litellm_params` mixes settings of the gateway with fields of the request. A field of this list
goes to the provider where the caller gives none; any other word there is a mistake, unless it
stands under `extra_body`.
"""

from __future__ import annotations

from typing import Final

REQUEST_FIELDS: Final = frozenset(
    {
        # OpenAI, "Create chat completion" and "Create embeddings".
        "audio",
        "dimensions",
        "encoding_format",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
        # Anthropic, "Create a message".
        "container",
        "context_management",
        "output_config",
        "stop_sequences",
        "thinking",
        "top_k",
        # Hosts that speak OpenAI with additions: embeddings, vLLM, Together, Fireworks.
        "input_type",
        "min_p",
        "repetition_penalty",
    }
)

OWN_OF_THE_CALLER: Final = frozenset(
    {"model", "messages", "input", "prompt", "system", "stream", "api_base", "api_key", "base_url"}
)
"""Fields that say what is asked and of whom; the file must not put them into requests."""

"""What hosts that speak OpenAI's chat dialect do differently; which host has which is in `hosts`.

A quirk only shapes requests written for the host. Answers are read liberally from everybody.
"""

from __future__ import annotations

from enum import Enum


class Quirk(Enum):
    """One way in which a host differs from api.openai.com."""

    NO_STREAM_OPTIONS = "no_stream_options"
    """Refuses `stream_options`; sends usage in its last chunk unasked."""
    NO_DEVELOPER_ROLE = "no_developer_role"
    """Knows `system`, not `developer`."""
    NO_PARALLEL_TOOL_CALLS = "no_parallel_tool_calls"
    """Refuses or ignores the request field `parallel_tool_calls`."""
    NO_TOOL_CHOICE = "no_tool_choice"
    """Ignores `tool_choice`; the model always chooses freely."""
    SYSTEM_FIRST_ONLY = "system_first_only"
    """Takes one system message, in the first place."""
    ALTERNATING_ROLES = "alternating_roles"
    """After the system message takes user and assistant messages in turn only."""
    ASSISTANT_AFTER_TOOL = "assistant_after_tool"
    """Takes no user message directly after a tool message."""
    STRING_CONTENT_ONLY = "string_content_only"
    """Takes text as a string, not as a list of text parts."""
    SHORT_TOOL_IDS = "short_tool_ids"
    """Takes tool call ids of exactly nine letters and digits."""
    KNOWN_FIELDS_ONLY = "known_fields_only"
    """Refuses request fields that its own reference does not list (`user`, `name`, ...)."""
    RANDOM_SEED = "random_seed"
    """Calls the seed `random_seed`."""
    PREFIX_FLAG = "prefix_flag"
    """Continues a last assistant message that carries `prefix: true`."""
    TOP_K = "top_k"
    """Takes `top_k`."""
    CACHE_CONTROL = "cache_control"
    """Passes `cache_control` on content parts and tools through to the model's provider."""
    REASONING_BACK = "reasoning_back"
    """Wants `reasoning_content` of earlier assistant turns back."""
    FILE_URLS = "file_urls"
    """Fetches a file whose `file_data` is a URL."""

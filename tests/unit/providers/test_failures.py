"""What providers answer when they refuse, and the class it is read as."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.errors import FailureClass as C
from tiergate.base.values import Dialect
from tiergate.providers.failures import classify, classify_event

A, O = Dialect.ANTHROPIC, Dialect.OPENAI  # noqa: E741 - the dialects' own letters


def read(status, body, dialect=O, retry_after=None, now=0.0):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(status, raw, dialect, retry_after, now)


def anthropic(message, kind="invalid_request_error"):
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def openai(message, code=None, kind="invalid_request_error", param=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


OVERFLOWS = {
    "anthropic": (400, anthropic("prompt is too long: 213462 tokens > 200000 maximum")),
    "anthropic sum": (
        400,
        anthropic(
            "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, "
            "decrease input length or `max_tokens` and try again"
        ),
    ),
    "anthropic 413 that speaks of the prompt": (
        413,
        anthropic("Prompt is too long: 1200000 tokens > 1000000 maximum", "request_too_large"),
    ),
    "openai code": (
        400,
        openai("Please shorten it.", "context_length_exceeded", param="messages"),
    ),
    "openai limit": (
        400,
        openai(
            "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
            "477469 tokens. Please reduce the length of the messages."
        ),
    ),
    "openai window": (400, openai("Your input exceeds the context window of this model.")),
    "vllm": (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 8192 tokens. However, you asked "
            "for 9000 tokens in the messages. Please reduce the length of the messages.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    "vllm decoder": (
        400,
        openai(
            "The decoder prompt (length 9000) is longer than the maximum model length of 8192."
        ),
    ),
    "sglang": (
        400,
        {
            "object": "error",
            "message": "The input (9000 tokens) is longer than the model's context length "
            "(8192 tokens).",
            "type": "BadRequestError",
            "code": 400,
        },
    ),
    "groq": (400, openai("Please reduce the length of the messages or completion.")),
    "deepseek": (
        400,
        openai(
            "This model's maximum context length is 65536 tokens. However, you requested 70000"
        ),
    ),
    "mistral": (
        400,
        {
            "object": "error",
            "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with "
            "32768 maximum context length",
            "type": "invalid_request_prompt",
            "code": "3051",
        },
    ),
    "together": (
        422,
        openai(
            "The input (140000 tokens) is longer than the model's context length (131072 tokens)."
        ),
    ),
    "fireworks": (
        400,
        openai("The prompt is too long: 135000, model maximum context length: 131071"),
    ),
    "ollama": (400, {"error": "prompt too long; exceeded max context length by 512 tokens"}),
    "openrouter": (
        400,
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {
                    "raw": '{"type":"error","error":{"type":"invalid_request_error",'
                    '"message":"prompt is too long: 203000 tokens > 200000 maximum"}}',
                    "provider_name": "Anthropic",
                },
            }
        },
    ),
    "openrouter own": (
        400,
        {
            "error": {
                "message": "This endpoint's maximum context length is 131072 tokens. However, you "
                "requested about 200000 tokens",
                "code": 400,
            }
        },
    ),
    "azure": (400, openai("This model's maximum context length is 8192 tokens.", kind=None)),
    "bedrock": (400, {"message": "Input is too long for requested model."}),
    "bedrock wrapped": (
        400,
        {"message": "The model returned the following errors: prompt is too long: 9 tokens > 8"},
    ),
    "gemini": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (1196265) exceeds the maximum number of "
                    "tokens allowed (1048575).",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
    ),
    "xai": (
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072 but the request contains "
            "537812 tokens.",
        },
    ),
    "llama.cpp": (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 9000,
                "n_ctx": 4096,
            }
        },
    ),
    "lm studio": (
        400,
        {
            "error": "The number of tokens to keep from the initial prompt is greater than the "
            "context length."
        },
    ),
    "moonshot": (400, openai("Your request exceeded model token limit: 8192 (requested: 9000)")),
    "dashscope": (400, openai("Range of input length should be [1, 30720]")),
    "tgi": (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. "
            "Given: 5000 `inputs` tokens and 20 `max_new_tokens`",
            "error_type": "validation",
        },
    ),
}


@pytest.mark.parametrize("name", OVERFLOWS)
def test_an_overflow_is_recognised_at_every_host(name):
    status, body = OVERFLOWS[name]

    failure = read(status, body)

    assert failure.kind is C.CONTEXT_WINDOW
    assert (failure.status, failure.code) == (400, "context_length_exceeded")


NOT_OVERFLOWS = {
    "output limit, anthropic": (
        400,
        anthropic(
            "max_tokens: 128000 > 64000, which is the maximum allowed number of output tokens for "
            "claude-sonnet-4-5"
        ),
        C.BAD_REQUEST,
    ),
    "output limit, openai": (
        400,
        openai(
            "max_tokens is too large: 100000. This model supports at most 16384 completion tokens"
        ),
        C.BAD_REQUEST,
    ),
    "output limit, vllm": (
        400,
        openai(
            "'max_tokens' or 'max_completion_tokens' is too large: 40000. This model's maximum "
            "context length is 32768 tokens and your request has 10 input tokens"
        ),
        C.BAD_REQUEST,
    ),
    "output limit, deepseek": (
        400,
        openai("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"),
        C.BAD_REQUEST,
    ),
    "rate limit in tokens": (
        429,
        openai(
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 35000. "
            "The input or output tokens must be reduced in order to run successfully.",
            "rate_limit_exceeded",
            "tokens",
        ),
        C.RATE_LIMIT,
    ),
    "groq, one request above the rate": (
        413,
        openai(
            "Request too large for model `llama` on tokens per minute (TPM): Limit 6000, "
            "Requested 9000, please reduce your message size and try again.",
            "rate_limit_exceeded",
            "tokens",
        ),
        C.RATE_LIMIT,
    ),
    "anthropic, tokens per minute": (
        429,
        anthropic(
            "This request would exceed your organization's rate limit of 40,000 input tokens per "
            "minute.",
            "rate_limit_error",
        ),
        C.RATE_LIMIT,
    ),
    "bytes, anthropic": (
        413,
        anthropic("Request exceeds the maximum size", "request_too_large"),
        C.BAD_REQUEST,
    ),
    "tools do not fit a schema": (400, anthropic("tools.0.input_schema: bad"), C.BAD_REQUEST),
}


@pytest.mark.parametrize("name", NOT_OVERFLOWS)
def test_other_complaints_about_tokens_are_no_overflow(name):
    status, body, kind = NOT_OVERFLOWS[name]

    assert read(status, body).kind is kind


POLICIES = {
    "anthropic": (400, anthropic("Output blocked by content filtering policy")),
    "openai": (400, openai("Your request was rejected.", "content_policy_violation")),
    "openai safety": (
        400,
        openai("Your request was rejected as a result of our safety system."),
    ),
    "openai reasoning": (
        400,
        openai(
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
            "invalid_prompt",
        ),
    ),
    "azure": (
        400,
        {
            "error": {
                "message": "The response was filtered due to the prompt triggering Azure OpenAI's "
                "content management policy.",
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
    ),
    "azure, inner code alone": (
        400,
        {"error": {"message": "No.", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
    ),
    "gemini": (400, openai("Response was blocked due to SAFETY")),
    "bedrock": (400, {"message": "The generated text has been blocked by our content filters."}),
    "openrouter": (
        403,
        {
            "error": {
                "code": 403,
                "message": "Your chosen model requires moderation and your input was flagged",
                "metadata": {"reasons": ["x"], "flagged_input": "…"},
            }
        },
    ),
    "deepseek": (400, openai("Content Exists Risk")),
    "dashscope": (400, openai("Input data may be unsafe.", "data_inspection_failed")),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_refusal_for_safety_is_its_own_class(name):
    status, body = POLICIES[name]

    failure = read(status, body)

    assert failure.kind is C.CONTENT_POLICY
    assert failure.status == status
    assert failure.code


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, C.BAD_REQUEST),
        (401, C.CREDENTIALS),
        (402, C.CREDENTIALS),
        (403, C.CREDENTIALS),
        (404, C.NOT_FOUND),
        (405, C.BAD_REQUEST),
        (408, C.TIMEOUT),
        (409, C.CONFLICT),
        (413, C.BAD_REQUEST),
        (422, C.BAD_REQUEST),
        (429, C.RATE_LIMIT),
        (500, C.UPSTREAM),
        (502, C.UPSTREAM),
        (503, C.UPSTREAM),
        (504, C.TIMEOUT),
        (529, C.UPSTREAM),
    ],
)
def test_a_plain_status_decides_the_class(status, kind):
    failure = read(status, openai("No."))

    assert (failure.kind, failure.status) == (kind, status)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, openai("API key not valid. Please pass a valid API key."), C.CREDENTIALS),
        (
            400,
            anthropic("Your credit balance is too low to access the Anthropic API."),
            C.CREDENTIALS,
        ),
        (402, openai("Insufficient Balance"), C.CREDENTIALS),
        (
            400,
            {
                "object": "error",
                "message": "Invalid model: x",
                "type": "invalid_model",
                "code": "1500",
            },
            C.NOT_FOUND,
        ),
        (404, openai("The model `x` does not exist", "model_not_found"), C.NOT_FOUND),
        (429, openai("You exceeded your current quota", "insufficient_quota"), C.RATE_LIMIT),
        (
            500,
            {"error": {"message": "the request exceeds the available context size"}},
            C.CONTEXT_WINDOW,
        ),
    ],
)
def test_words_decide_where_a_status_means_several_things(status, body, kind):
    assert read(status, body).kind is kind


def test_the_providers_own_words_are_kept():
    failure = read(404, openai("The model `x` does not exist", "model_not_found", param="model"))

    assert failure.message == "The model `x` does not exist"
    assert (failure.type, failure.code, failure.param) == (
        "invalid_request_error",
        "model_not_found",
        "model",
    )
    assert failure.body is not None
    assert json.loads(failure.body)["error"]["param"] == "model"
    assert failure.dialect is O


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (503, b"", "The provider answered with HTTP 503 and an empty body."),
        (
            502,
            b"<html><head><title>502 Bad\nGateway</title></head></html>",
            (
                'The provider answered with HTTP 502 and an HTML page ("502 Bad Gateway"), not '
                "with JSON; a proxy before it may be at fault."
            ),
        ),
        (
            500,
            b"no upstream",
            "The provider answered with HTTP 500 and a body that is not JSON: no upstream",
        ),
        (400, b"{}", "The provider answered with HTTP 400 and an error that it did not explain."),
        (400, b"[]", "The provider answered with HTTP 400 and an error that it did not explain."),
        (
            422,
            b'{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"x"}]}',
            "body.messages.0: field required",
        ),
        (400, b'{"detail":"no such adapter"}', "no such adapter"),
        (400, b'{"errors":[{"message":"nope"}]}', "nope"),
        (400, b'{"Message":"from an AWS front"}', "from an AWS front"),
    ],
)
def test_any_body_gives_a_sentence(status, body, message):
    assert read(status, body).message == message


@pytest.mark.parametrize("status", [302, 200, 0, 700])
def test_a_status_that_is_no_error_is_an_upstream_fault(status):
    failure = read(status, b"moved")

    assert (failure.kind, failure.status) == (C.UPSTREAM, 502)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("-3", 0.0),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("Thu, 01 Jan 1970 00:01:30 GMT", 30.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
        ("Thu, 99 Jan 1970 00:00:10 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header, wait):
    assert read(429, openai("slow down"), retry_after=header, now=60.0).retry_after == wait


@pytest.mark.parametrize(
    ("kind", "status", "klass"),
    [
        ("overloaded_error", 529, C.UPSTREAM),
        ("rate_limit_error", 429, C.RATE_LIMIT),
        ("api_error", 500, C.UPSTREAM),
        ("timeout_error", 504, C.TIMEOUT),
        ("authentication_error", 401, C.CREDENTIALS),
        ("permission_error", 403, C.CREDENTIALS),
        ("not_found_error", 404, C.NOT_FOUND),
        ("invalid_request_error", 400, C.BAD_REQUEST),
        ("something_new", 500, C.UPSTREAM),
    ],
)
def test_an_error_event_of_anthropic_has_the_status_of_its_type(kind, status, klass):
    failure = classify_event(anthropic("Said so", kind), A)

    assert (failure.kind, failure.status, failure.type) == (klass, status, kind)
    assert failure.message == "Said so"


@pytest.mark.parametrize(
    ("event", "status", "klass"),
    [
        ({"error": {"message": "x", "code": 502}}, 502, C.UPSTREAM),
        ({"error": {"message": "x", "code": "rate_limit_exceeded"}}, 429, C.RATE_LIMIT),
        ({"message": "x", "type": "server_error"}, 500, C.UPSTREAM),
        ({"error": "it broke"}, 500, C.UPSTREAM),
        ({"error": {"message": "prompt is too long: 9 > 8"}}, 400, C.CONTEXT_WINDOW),
        (
            {"error": {"message": "Output blocked by content filtering policy"}},
            400,
            C.CONTENT_POLICY,
        ),
    ],
)
def test_an_error_event_of_other_hosts_is_understood(event, status, klass):
    failure = classify_event(event, O)

    assert (failure.kind, failure.status) == (klass, status)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "The provider ended the answer with an error that it did not explain."),
        (
            {"type": "error", "error": {"type": "api_error"}},
            "The provider ended the answer with an error that it did not explain (api_error).",
        ),
    ],
)
def test_an_error_event_without_words_still_gives_a_sentence(event, message):
    assert classify_event(event, A).message == message


def test_no_key_survives_in_message_or_body():
    key = "sk-abc***************xyz"
    failure = read(401, openai(f"Incorrect API key provided: {key}. See the docs."))

    assert failure.message == "Incorrect API key provided: [redacted]. See the docs."
    assert failure.body is not None
    assert key.encode() not in failure.body
    assert json.loads(failure.body)["error"]["type"] == "invalid_request_error"


def test_a_long_message_is_cut_and_its_body_dropped():
    failure = read(400, openai("word " * 40_000))

    assert len(failure.message) == 2_000
    assert failure.body is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["error", "message", "type", "code", "detail", "errors", "metadata", "raw", "status",
             "innererror", "msg", "loc", "param"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.integers(0, 999), json_values, st.none() | st.text(max_size=30))
def test_any_json_is_classified(status, body, header):
    failure = read(status, body, retry_after=header)

    assert failure.message
    assert 400 <= failure.status <= 599


@given(st.integers(0, 999), st.binary(max_size=300))
def test_any_bytes_are_classified(status, body):
    assert read(status, body).message


@given(st.dictionaries(st.sampled_from(["error", "type", "message", "code"]), json_values))
def test_any_event_is_classified(event):
    assert classify_event(event, A).message

"""Secrets: what is found, and what only looks like it."""

from __future__ import annotations

import pytest

from support.guarded import found_in
from tiergate.core.guard_options import Reaction
from tiergate.guards.known_secrets import SECRETS, bits, password, random_text, token


def found(text: str) -> set[str]:
    """The texts that any of the patterns finds."""
    rules = [known.rule(name, Reaction.MASK) for name, known in SECRETS.items()]
    return {part for _, part in found_in(rules, text)}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("API_KEY = 'sk_1234567890abcdef'", "sk_1234567890abcdef"),
        ("openai_api_key=sk-1234998222", "sk-1234998222"),
        ('{"client_secret": "Zk3-9xQ.vT7_mW2pLr8s"}', "Zk3-9xQ.vT7_mW2pLr8s"),
        ("export SECRET_KEY=django-insecure-8x7w6v5u4t3s2r1q", "django-insecure-8x7w6v5u4t3s2r1q"),
        ("the password is Tr0ub4dor&3", "Tr0ub4dor&3"),
        ("DB_PASSWORD=pa55w0rd!", "pa55w0rd!"),
        ("mongodb+srv://root:hunter2x@cluster0.example.net", "hunter2x"),
        ("curl -H 'Authorization: Bearer 7f3kQ9xV2mZp8LwR4tYb0aBc'", "7f3kQ9xV2mZp8LwR4tYb0aBc"),
    ],
)
def test_a_named_secret_is_found_without_its_name(text, secret):
    assert secret in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "api_key: your_api_key_here",
        "api_key = os.environ['OPENAI_API_KEY']",
        "token = tokenizer.encode_plus_batch(text)",
        "secret_key = settings_secret_key_value",
        "password = input('password: ')",
        "password: string, required",
        "PASSWORD=changeme123",
        "password=${DB_PASSWORD}",
        "https://user:<password>@example.com",
        "https://example.com:8080/a@b",
        "access_token: xxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-aaaaaaaaaaaaaaaaaaaaaaaa",
        "AKIA0000000000000000",
        "ghp_000000000000000000000000000000000000",
        "the bearer of this letter is internationalization",
        "task-management-software-for-teams",
        "sha1: da39a3ee5e6b4b0d3255bfef95601890afd80709",
    ],
)
def test_placeholders_code_and_words_are_not_found(text):
    assert found(text) == set()


def test_a_private_key_is_found_whole_and_its_first_line_alone():
    kind = "OPENSSH PRIVATE KEY"
    key = f"-----BEGIN {kind}-----\nb3BlbnNzaC1rZXk\nAAAA==\n-----END {kind}-----"
    assert key in found(f"here:\n{key}\nthanks")
    assert found("-----BEGIN EC PRIVATE KEY-----\n...") == {"-----BEGIN EC PRIVATE KEY-----"}
    assert found("-----BEGIN CERTIFICATE-----") == set()


def test_randomness_is_measured_in_bits():
    assert bits("aaaa") == 0
    assert bits("abab") == 1
    assert bits("0123456789abcdef") == 4


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (token, "a1b2c3d4", "aaaaaaaa"),
        (random_text, "x7Kq2mZp8LwR4tYb", "getUserAccountName"),
        (random_text, "x7Kq2mZp8LwR4tYb", "x7Kq2mZp8example"),
        (random_text, "x7Kq2mZp8LwR4tYb", "1212121212121212"),
        (password, "Tr0ub4dor&3", "undefined"),
        (password, "Tr0ub4dor&3", "get_password()"),
        (password, "Tr0ub4dor&3", "aaaaaa1"),
    ],
)
def test_a_value_counts_in_full_or_not_at_all(check, good, bad):
    assert check(good) == len(good)
    assert check(bad) == 0

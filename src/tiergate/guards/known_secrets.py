"""Patterns of keys, tokens and passwords: what each looks like, and how random it must be.

Forms are those that the issuers document (their pages on token formats, seen November 2026).
A secret without a form of its own counts only where a name says so (`password = ...`), and only
if it is as random as secrets are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tiergate.guards.known import KnownPattern

_B: Final = r"(?<![A-Za-z0-9_/+-])"
_E: Final = r"(?![A-Za-z0-9_/+-])"
_PLACEHOLDERS: Final = (
    "example",
    "placeholder",
    "your",
    "changeme",
    "xxxx",
    "dummy",
    "redacted",
    "insert",
    "secret_here",
    "key_here",
    "token_here",
    "os.environ",
    "process.env",
    "getenv",
    "...",
    "****",
    "<",
    "${",
    "{{",
)
"""What stands in documentation where a secret would be."""


def bits(text: str) -> float:
    """Return Shannon's entropy of a text in bits for each character."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())


def token(text: str) -> int:
    """A token with a form of its own that is no row of one letter."""
    return len(text) if len(set(text)) > 6 else 0


def random_text(text: str) -> int:
    """A value that looks random: no placeholder, no plain word, no code.

    Three bits for each character is what sixteen random hexadecimal digits have at least, nearly
    always; words and identifiers mostly lack digits or stay below.
    """
    low = text.lower()
    if any(mark in low for mark in _PLACEHOLDERS) or len(set(text)) < 7:
        return 0
    digits = sum(sign.isdigit() for sign in text)
    letters = sum(sign.isalpha() for sign in text)
    mixed = digits >= 2 and letters >= 2
    return len(text) if mixed and bits(text) >= 3.0 else 0


def password(text: str) -> int:
    """A value behind the word password: anything but placeholders, plain words and code.

    A bracket or full stop behind it counts as the sentence's.
    """
    value = text if "(" in text else text.rstrip(").")
    low = value.lower()
    if any(mark in low for mark in _PLACEHOLDERS) or len(set(value)) < 5:
        return 0
    plain = value.isalpha() and (value.islower() or value.istitle() or value.isupper())
    code = "(" in value or value.endswith(";") or value.replace("_", "").isalpha()
    return 0 if plain or code else len(value)


_NAMED: Final = (
    r"(?i:(?:api[_-]?key|apikey|access[_-]?key|secret[_-]?key|client[_-]?secret"
    r"|auth[_-]?token|access[_-]?token|private[_-]?key|secret|token|credential)s?\b"
    r"[\"']?)\s{0,3}(?:=>|:=|=|:)\s{0,3}[\"'`]?"
)

SECRETS: Final[Mapping[str, KnownPattern]] = MappingProxyType(
    {
        "private_key": KnownPattern(
            r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[A-Za-z0-9+/=\s:,.()\\-]{0,3900}?-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY"
            r"(?: BLOCK)?-----)?"
        ),
        "aws_access_key": KnownPattern(
            r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])", measure=token
        ),
        "aws_secret_key": KnownPattern(
            r"(?i:aws|secret[_ -]?access[_ -]?key|secret[_ -]?key)[^\n]{0,40}?"
            r"(?<![A-Za-z0-9/+=])([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
            group=1,
            measure=random_text,
            needs=("aws", "secret"),
        ),
        "github_token": KnownPattern(
            _B + r"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255})(?!\w)",
            measure=token,
        ),
        "gitlab_token": KnownPattern(
            _B + r"gl(?:pat|ptt|dt|rt|cbt|soat|ft|agent|oas)-[\w-]{20,100}(?![\w-])",
            measure=token,
        ),
        "slack_token": KnownPattern(
            _B + r"xox[abeoprs]-(?:\d-)?[A-Za-z0-9-]{10,250}(?![\w-])", measure=token
        ),
        "slack_webhook": KnownPattern(
            r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,120}"
        ),
        "openai_key": KnownPattern(
            _B + r"sk-(?:proj|svcacct|admin|None)-[\w-]{20,250}(?![\w-])"
            r"|" + _B + r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}(?!\w)",
            measure=token,
        ),
        "anthropic_key": KnownPattern(
            _B + r"sk-ant-(?:api|admin|oat|sid)?\d{0,3}-?[\w-]{20,250}(?![\w-])", measure=token
        ),
        "sk_key": KnownPattern(
            _B + r"sk-(?:or-v1-|lf-|litellm-)?[A-Za-z0-9]{16,100}(?![\w-])", measure=random_text
        ),
        "google_api_key": KnownPattern(_B + r"AIza[\w-]{35}(?![\w-])", measure=token),
        "google_oauth": KnownPattern(
            _B + r"(?:ya29\.[\w-]{30,250}|GOCSPX-[\w-]{28})(?![\w-])", measure=token
        ),
        "azure_storage_key": KnownPattern(
            r"(?i:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,90}={0,2})(?![A-Za-z0-9+/=])",
            group=1,
            measure=token,
            needs=("accountkey", "sharedaccesskey"),
        ),
        "stripe_key": KnownPattern(
            _B + r"(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/=]{24,100})(?!\w)",
            measure=token,
        ),
        "square_token": KnownPattern(
            _B + r"(?:sq0(?:atp|csp|idp)-[\w-]{22,60}|EAAA[\w-]{60})(?![\w-])", measure=token
        ),
        "twilio_key": KnownPattern(_B + r"(?:SK|AC)[0-9a-f]{32}(?!\w)", measure=token),
        "sendgrid_key": KnownPattern(_B + r"SG\.[\w-]{22}\.[\w-]{43}(?![\w-])", measure=token),
        "mailgun_key": KnownPattern(_B + r"key-[0-9a-f]{32}(?!\w)", measure=token),
        "mailchimp_key": KnownPattern(_B + r"[0-9a-f]{32}-us\d{1,2}(?!\w)", measure=token),
        "npm_token": KnownPattern(_B + r"npm_[A-Za-z0-9]{36}(?!\w)", measure=token),
        "pypi_token": KnownPattern(_B + r"pypi-AgE[\w-]{50,255}(?![\w-])", measure=token),
        "huggingface_token": KnownPattern(
            _B + r"(?:hf|api_org)_[A-Za-z]{34}(?!\w)", measure=token
        ),
        "groq_key": KnownPattern(_B + r"gsk_[A-Za-z0-9]{40,60}(?!\w)", measure=token),
        "databricks_token": KnownPattern(_B + r"dapi[0-9a-f]{32}(?:-\d)?(?!\w)", measure=token),
        "digitalocean_token": KnownPattern(_B + r"do[opr]_v1_[0-9a-f]{64}(?!\w)", measure=token),
        "shopify_token": KnownPattern(
            _B + r"shp(?:at|ca|pa|ss)_[0-9a-f]{32}(?!\w)", measure=token
        ),
        "telegram_token": KnownPattern(_B + r"\d{8,10}:AA[\w-]{33}(?![\w-])", measure=token),
        "discord_token": KnownPattern(
            _B + r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])", measure=token
        ),
        "atlassian_token": KnownPattern(_B + r"ATATT3[\w=-]{60,250}(?![\w=-])", measure=token),
        "linear_key": KnownPattern(
            _B + r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}(?!\w)", measure=token
        ),
        "postman_key": KnownPattern(_B + r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}(?!\w)", measure=token),
        "grafana_token": KnownPattern(
            _B + r"(?:glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/]{32,200}={0,2})(?!\w)",
            measure=token,
        ),
        "vault_token": KnownPattern(_B + r"hv[sbr]\.[\w-]{24,250}(?![\w-])", measure=token),
        "age_key": KnownPattern(_B + r"AGE-SECRET-KEY-1[A-Z0-9]{58}(?!\w)", measure=token),
        "jwt": KnownPattern(
            _B + r"eyJ[\w-]{10,1200}\.eyJ[\w-]{10,1600}\.[\w-]{10,700}(?![\w-])", measure=token
        ),
        "basic_auth": KnownPattern(
            r"[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s:@/\"'<>]{1,64}:([^\s:@/\"'<>${}]{3,64})@",
            group=1,
            measure=password,
        ),
        "bearer_token": KnownPattern(
            r"(?i:\bbearer)\s{1,3}([A-Za-z0-9._~+/-]{20,500}={0,2})",
            group=1,
            measure=random_text,
            needs=("bearer",),
        ),
        "generic_api_key": KnownPattern(
            _NAMED + r"([A-Za-z0-9_\-+/.~]{16,200}={0,2})(?![A-Za-z0-9_\-+/=~])",
            group=1,
            measure=random_text,
            needs=("key", "secret", "token", "credential"),
        ),
        "named_secret": KnownPattern(
            r"(?i:(?:api[_-]?key|apikey|secret[_-]?key|auth[_-]?token))"
            r"\s{0,3}(?:=|:)\s{0,3}[\"'`]?(sk[-_][A-Za-z0-9_-]{6,100})",
            group=1,
            needs=("key", "token"),
        ),
        "password": KnownPattern(
            r"(?i:(?:password|passwd|passphrase|pwd)[\"']?)"
            r"\s{0,3}(?:=>|:=|=|:|\bis\b)\s{0,3}[\"'`]?([^\s\"'`,;<>]{6,128})",
            group=1,
            measure=password,
            needs=("passw", "passphrase", "pwd"),
        ),
    }
)
"""The patterns by name: LiteLLM's names where it has them."""

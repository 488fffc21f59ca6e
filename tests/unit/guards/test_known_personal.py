"""Personal data: what is found, and what only looks like it."""

from __future__ import annotations

import pytest

from support.guarded import found_in
from tiergate.core.guard_options import Reaction
from tiergate.guards.known_patterns import rules_of


def texts(name: str, text: str) -> list[str]:
    return [found for _, found in found_in(rules_of(name, Reaction.MASK), text)]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("email", "write to a.b@x.org, or c@y.de.", ["a.b@x.org", "c@y.de"]),
        ("email", "<müller@bücher.example>", ["müller@bücher.example"]),
        ("email", "o'neil@example.com", ["o'neil@example.com"]),
        ("phone", "+1 212-555-0123 or 1-800-555-0199", ["+1 212-555-0123", "1-800-555-0199"]),
        ("phone", "(212) 555-0123", ["(212) 555-0123"]),
        ("phone", "Tel. 030 1234567", ["030 1234567"]),
        ("phone", "+44 (0)20 7946 0958", ["+44 (0)20 7946 0958"]),
        ("credit_card", "4111111111111111 and 4111-1111-1111-1111", 2 * ["4111111111111111"]),
        ("iban", "IBAN: GB82WEST12345698765432.", ["GB82WEST12345698765432"]),
        ("iban", "DE89 3704 0044 0532 0130 00 IS MINE", ["DE89 3704 0044 0532 0130 00"]),
        ("us_ssn", "My SSN is 123-45-6789.", ["123-45-6789"]),
        ("us_ssn_no_dash", "social security number: 219099999", ["219099999"]),
        ("ipv4", "from 8.8.8.8, 10.0.0.7.", ["8.8.8.8", "10.0.0.7"]),
        ("ipv6", "fe80::1 and [2001:db8::1]:443", ["fe80::1", "2001:db8::1"]),
        ("url", "see <https://example.com/x?y=1>", ["https://example.com/x?y=1"]),
        ("uk_nino", "AB123456C", ["AB123456C"]),
    ],
)
def test_what_is_there_is_found_to_its_ends(name, text, found):
    if name == "credit_card":
        assert [t.replace("-", "") for t in texts(name, text)] == found
    else:
        assert texts(name, text) == found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("email", "git@github.com:a/b.git"),
        ("email", "@decorator def f(): a@b"),
        ("phone", "2026-11-30 14:05"),
        ("phone", "123-456-7890-1234-5678"),
        ("phone", "the call took 3.1415926535 s"),
        ("credit_card", "4111 1111 1111 1112"),
        ("credit_card", "0.4111111111111111"),
        ("credit_card", "order 1234567890123456"),
        ("iban", "DE00 3704 0044 0532 0130 00"),
        ("us_ssn", "2123-45-67890"),
        ("us_ssn_no_dash", "219099999"),
        ("us_ssn_no_dash", "ssn 000099999"),
        ("ipv4", "version 1.2.3.4.5"),
        ("ipv4", "300.1.2.3"),
        ("ipv4", "127.0.0.1"),
        ("ipv6", "std::vector and 12:30:45 and ::"),
        ("passport_us", "123456789"),
        ("fr_postal_code", "75001"),
        ("au_abn", "51 824 753 557"),
        ("uk_postcode", "A1 test"),
        ("us_driver_license", "license MIT"),
    ],
)
def test_what_only_looks_like_it_is_not_found(name, text):
    assert texts(name, text) == []

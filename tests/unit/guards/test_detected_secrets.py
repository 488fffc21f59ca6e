"""The detectors of detect-secrets, for real."""

from __future__ import annotations

import time
from itertools import count

import pytest
from detect_secrets.settings import get_settings

from support.guarded import cut
from tiergate.core.guard_options import Reaction, SecretsOptions
from tiergate.guards.detected_secrets import LINE_REACH, NOISY, DetectSecrets, detector_names
from tiergate.ports.guarding import GuardError


def detectors(*plugins: dict[str, object], **more: object) -> DetectSecrets:
    return DetectSecrets(SecretsOptions(plugins=plugins, **more), time.monotonic)


async def test_what_they_find_is_placed_in_the_text():
    texts = ("nothing", "one\r\nkey: AKIAIOSFODNN7EXAMPLE\nand AKIAIOSFODNN7EXAMPLE")
    found = await detectors().find(texts)
    assert cut(found, *texts) == [("aws_key", "AKIAIOSFODNN7EXAMPLE")] * 2
    assert {f.passage for f in found} == {1}
    assert {(f.reaction, f.instead) for f in found} == {(Reaction.MASK, "[REDACTED]")}


async def test_only_named_detectors_look_when_some_are_named():
    text = "key: AKIAIOSFODNN7EXAMPLE"
    assert await detectors({"name": "StripeDetector"}).find([text]) == []
    assert await detectors({"name": "AWSKeyDetector"}).find([text]) != []


async def test_noisy_detectors_look_only_if_named():
    text = "from 8.8.8.8"
    assert await detectors().find([text]) == []
    assert cut(await detectors({"name": "IPPublicDetector"}).find([text]), text) == [
        ("ip_public", "8.8.8.8")
    ]


async def test_a_detector_gets_its_options():
    text = 'x = "c3VwZXIgbG9uZyBzdHJpbmcgc2hvdWxkIGNhdXNlIGVub3VnaCBlbnRyb3B5"'
    plugin = {"name": "Base64HighEntropyString"}
    assert await detectors({**plugin, "limit": 3.0}).find([text]) != []
    assert await detectors({**plugin, "limit": 8.0}).find([text]) == []


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ({"name": "Nope"}, "detect-secrets has no detector Nope"),
        ({"name": "StripeDetector", "limit": 1}, "StripeDetector of detect-secrets does not take"),
    ],
)
def test_what_the_package_does_not_know_is_an_error(plugin, said):
    with pytest.raises(ValueError, match=said):
        detectors(plugin)


async def test_a_look_ends_in_time():
    """The clock of this test goes on by a minute with each look at it."""
    minutes = count(step=60.0)
    slow = DetectSecrets(SecretsOptions(plugins=()), lambda: next(minutes))
    with pytest.raises(GuardError, match="took longer than 10 s"):
        await slow.find(["a_line_with_a_long_word\n"])


@pytest.mark.parametrize("line", ["://a:b", "PRIVATE KEY", "AKC12345678", "PGP"])
async def test_lines_that_cannot_hold_a_secret_are_not_shown_to_the_detectors(line):
    seen: list[str] = []

    class Noting(DetectSecrets):
        def _line(self, number, line, start, until, found):
            seen.append(line)

    await Noting(SecretsOptions(plugins=()), time.monotonic).find([f"a short line\n{line}\nend"])
    assert seen == [f"{line}\n"]


def test_nobody_is_asked_whether_a_key_is_real():
    """The package asks providers only with this filter among its settings, which are its own."""
    asks = "detect_secrets.filters.common.is_ignored_due_to_verification_policies"
    assert asks not in get_settings().filters


def test_all_names_are_those_of_the_package():
    assert detector_names() > NOISY
    assert detectors().reach == LINE_REACH

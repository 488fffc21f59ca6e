"""The guard for secrets."""

from __future__ import annotations

import time

from support.guarded import INNOCENT, cut, look
from tiergate.core.guard_options import Reaction, SecretsOptions
from tiergate.guards.detected_secrets import DetectSecrets
from tiergate.guards.secrets import SecretsGuard
from tiergate.ports.guarding import CLEAN

KEY = "AKIAIOSFODNN7EXAMPL3"


def secrets(**options: object) -> SecretsGuard:
    return SecretsGuard(SecretsOptions(**options), time.monotonic)


async def test_secrets_are_masked_where_they_stand():
    text = f"Hey, API_KEY = 'sk_1234567890abcdef' and {KEY}"
    verdict = await look(secrets(), text)
    assert {part for _, part in cut(verdict, text)} == {"sk_1234567890abcdef", KEY}
    assert {(f.reaction, f.instead) for f in verdict.found} == {(Reaction.MASK, "[REDACTED]")}


async def test_what_is_done_can_be_chosen():
    verdict = await look(secrets(reaction=Reaction.BLOCK, instead="***"), KEY)
    assert {(f.reaction, f.instead) for f in verdict.found} == {(Reaction.BLOCK, "***")}


async def test_patterns_can_be_left_out_and_streams_then_wait_for_less():
    assert await look(secrets(ignored=frozenset({"aws_access_key"})), KEY) is CLEAN
    assert secrets().window == 4042
    short = secrets(ignored=frozenset({"private_key", "jwt"}))
    assert short.window == 512


async def test_harmless_texts_are_clean():
    assert await look(secrets(), *INNOCENT) is CLEAN


async def test_detectors_of_the_package_join_in():
    options = SecretsOptions(plugins=({"name": "IbmCloudIamDetector"},))
    guard = SecretsGuard(options, time.monotonic, DetectSecrets(options, time.monotonic))
    secret = "abcd1234abcd1234abcd1234ABCD1234ABCD1234--__"
    text = f"first {KEY}\nibm_api_key = '{secret}'"
    found = cut(await look(guard, text), text)
    assert ("aws_access_key", KEY) in found
    assert ("ibm_cloud_iam", secret) in found
    assert found == sorted(found, key=lambda pair: text.index(pair[1]))
    assert guard.window == 4042


def test_nothing_that_was_masked_is_restored():
    assert secrets().restores is False

"""The errors that cross layers carry what a caller is told, and keep bodies out of their repr."""

from __future__ import annotations

import pytest

from tiergate.base.errors import Failure, FailureClass, Refused, Untranslatable
from tiergate.core.moves import CONSEQUENCES


def test_a_refusal_is_its_sentence():
    refused = Refused(400, "no such thing", code="c", param="p", details=(("scope", "alias"),))

    assert str(refused) == refused.message == "no such thing"
    assert (refused.status, refused.code, refused.param) == (400, "c", "p")
    assert (refused.type, refused.anthropic_type) == ("invalid_request_error", None)
    assert (refused.headers, refused.details) == ((), (("scope", "alias"),))


def test_what_a_dialect_cannot_say_is_a_sentence_with_its_place():
    error = Untranslatable("`n` cannot be carried over", param="n")
    assert (str(error), error.param) == ("`n` cannot be carried over", "n")


@pytest.mark.parametrize("kind", FailureClass)
def test_every_class_of_failure_has_its_consequence(kind):
    assert kind in CONSEQUENCES


def test_a_failure_is_a_value():
    failure = Failure(FailureClass.UPSTREAM, 503, "down")
    assert failure == Failure(FailureClass.UPSTREAM, 503, "down")
    assert (failure.charged, failure.body, failure.retry_after) == (False, None, None)

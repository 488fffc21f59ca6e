"""What is told when a change of a fallback route cannot be made."""

from __future__ import annotations

import pytest

from support.attempts import chain
from support.fallbacks import file_of, names, override
from tiergate.core.catalog import ChainKind, Chains
from tiergate.pipeline import fallback_refusals as refusals

FILE = file_of(chains=Chains(general=chain(cheap="balanced"), default=names("local")))


@pytest.mark.parametrize(
    ("refused", "status", "words"),
    [
        (refusals.unknown_alias("chep", names("a b")), 404, "The aliases are a, b."),
        (refusals.unknown_alias("x" * 999, ()), 404, "There are no aliases."),
        (refusals.unknown_target("gtp", names("a b")), 400, "no alias `gtp`"),
        (refusals.no_targets(), 400, "DELETE /fallback/{alias}"),
        (refusals.itself(names("a")[0]), 400, "names `a` itself"),
        (refusals.named_twice(names("a")[0]), 422, "names `a` twice"),
        (refusals.ring(names("a b c")), 400, "a -> b -> c -> a"),
        (refusals.no_default(ChainKind.BUDGET), 400, "no default for budget"),
        (refusals.nothing_set(override("cheap")), 404, "Nothing was set at run time"),
        (refusals.nothing_comes_back(override("local")), 400, "Send the removal without it"),
        (refusals.busy(), 409, "Try once more"),
    ],
)
def test_a_refusal_says_what_happened_and_what_to_do(refused, status, words):
    assert refused.status == status
    assert refused.code
    assert words in refused.message
    assert len(refused.message) < 400


def test_many_aliases_are_counted_not_listed():
    told = refusals.unknown_alias("x", names(" ".join(f"a{n}" for n in range(30)))).message
    assert "a9 and 20 more" in told
    assert "a10" not in told


def test_a_route_that_is_not_there_says_what_acts_instead():
    assert "The default (`*`) acts" in refusals.no_route(override("local"), FILE, None).message
    budget = override("local", kind=ChainKind.BUDGET)
    assert refusals.no_route(budget, FILE, None).message == (
        "No budget fallbacks configured for model 'local'."
    )
    off = refusals.no_route(override("cheap"), FILE, override("cheap")).message
    assert "The file's route to [balanced] was switched off by ada" in off
    assert "origin=runtime" in off

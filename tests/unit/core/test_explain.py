"""What would happen, told without a call."""

from __future__ import annotations

import json

import pytest

from support.attempts import chain, deployment, deployments, failure, settings
from tiergate.base.errors import FailureClass, Refused
from tiergate.base.values import AliasName, DeploymentId
from tiergate.core.catalog import Catalog, ChainKind, Chains, RouterPolicy, Settings
from tiergate.core.cooldown import Book, Rule
from tiergate.core.explain import Allowance, Explanation, explain, render_text, to_json
from tiergate.core.plan import Wish
from tiergate.core.routing import View
from tiergate.core.tags import RequestTags

CHEAP = AliasName("cheap")
PAGE = settings(
    (
        deployment("cheap", "dep-a", environments=("interactive", "offline")),
        deployment("balanced", "dep-b"),
        deployment("frontier", "dep-c", environments=("critical",)),
    ),
    RouterPolicy(
        request_timeout=30,
        cooldown_time=60,
        chains=Chains(
            general=chain(cheap="balanced frontier gone", balanced="frontier"),
            context_window=chain(cheap="balanced"),
        ),
    ),
)
INTERACTIVE = RequestTags(environments=("interactive",))


def ask(wish: Wish, given: Settings = PAGE, view: View | None = None) -> Explanation:
    return explain(given, Catalog.of(given), wish, view or View(), 100)


def test_an_interactive_request_may_not_reach_frontier() -> None:
    text = render_text(ask(Wish(alias=CHEAP, tags=INTERACTIVE)))

    assert text.splitlines() == [
        "alias     cheap",
        "tags      interactive",
        "strategy  simple-shuffle",
        "eligible",
        "  dep-a  anthropic/m-dep-a  100%",
        "chains",
        (
            "  general: balanced (dep-b) > frontier (skipped: dep-c serves only critical)"
            " > gone (skipped: no such alias)"
        ),
        "  context_window: balanced (dep-b)",
        "  content_policy: none",
        "  budget: none",
        "retries   connection 2, timeout 2, rate_limit 2, upstream 2, conflict 2",
        "time      first attempt: 22.5 s at cheap",
        "          next, if that times out: 2.5 s at cheap",
        "cooldown",
        "  dep-a  60 s after 4 counted failures within a minute, with no success between them",
    ]


def test_a_critical_request_may_not_use_cheap() -> None:
    told = ask(Wish(alias=CHEAP, tags=RequestTags(environments=("critical",))))

    assert told.eligible == ()
    assert told.refusal is not None
    assert told.first is None
    text = render_text(told)
    assert "eligible  nobody" in text
    assert "  dep-a  environment: serves only interactive, offline" in text
    assert "without a fallback the answer is 400: No deployment of `cheap`" in text
    assert "first attempt: none" in text


def test_a_cooling_alias_begins_with_its_chain() -> None:
    book = Book()
    cold = Rule(allowed_fails=0, cooldown_time=60)
    book.failed(DeploymentId("dep-a"), cold, failure("500"), 99)

    told = ask(Wish(alias=CHEAP), view=View(marks=book.marks))

    assert [one.text for one in told.excluded] == ["cooling for 59 s after upstream"]
    assert told.first is not None
    assert told.first.alias == "balanced"


def test_weights_are_told_as_chances() -> None:
    two = settings((deployment("cheap", "a", weight=9.0), deployment("cheap", "b", weight=1.0)))

    told = ask(Wish(alias=CHEAP), two)

    assert [one.chance for one in told.eligible] == [0.9, 0.1]


def test_the_callers_own_limit_and_a_streams_silence_are_told() -> None:
    told = ask(Wish(alias=CHEAP, stream=True, timeout=5))

    assert told.first == Allowance(CHEAP, 5, 600, callers_own=True)
    assert told.second is None
    assert "5 s at cheap, the caller's own limit, then 600 s between events" in render_text(told)


def test_members_beyond_max_fallbacks_are_told() -> None:
    one = settings(
        deployments(cheap="a", balanced="b", frontier="c"),
        RouterPolicy(
            chains=Chains(general=chain(cheap="balanced frontier")),
            max_fallbacks=1,
            disable_cooldowns=True,
            num_retries=0,
        ),
    )

    told = ask(Wish(alias=CHEAP), one)

    assert [m.within for m in dict(told.chains)[ChainKind.GENERAL]] == [True, False]
    text = render_text(told)
    assert "frontier (beyond max_fallbacks)" in text
    assert "retries   none" in text
    assert "  a  never cools down" in text


def test_the_json_says_the_same() -> None:
    told = to_json(ask(Wish(alias=CHEAP, tags=INTERACTIVE)))

    assert json.loads(json.dumps(told)) == told
    assert told["environments"] == ["interactive"]
    assert told["refusal"] is None
    assert told["first_attempt"] == {
        "alias": "cheap",
        "seconds": 22.5,
        "silence_seconds": None,
        "callers_own_limit": False,
    }
    assert told["cooldown"] == {
        "dep-a": {"allowed_fails": 3, "cooldown_time": 60, "success_clears": True}
    }
    nobody = to_json(ask(Wish(alias=CHEAP, tags=RequestTags(environments=("critical",)))))
    assert nobody["first_attempt"] is None
    assert isinstance(nobody["refusal"], dict)
    assert nobody["refusal"]["status"] == 400


def test_retries_are_told_by_class() -> None:
    told = ask(Wish(alias=CHEAP, num_retries=1))

    assert dict(told.retries)[FailureClass.UPSTREAM] == 1
    assert FailureClass.BAD_REQUEST not in dict(told.retries)


def test_what_is_only_tried_elsewhere_needs_other_deployments() -> None:
    two = settings(deployments(cheap="a b"), RouterPolicy(num_retries=5))

    told = ask(Wish(alias=CHEAP), two)

    assert dict(told.retries)[FailureClass.UPSTREAM] == 5
    assert dict(told.retries)[FailureClass.CREDENTIALS] == 1


def test_an_unknown_alias_is_refused() -> None:
    with pytest.raises(Refused, match="no alias `raw-model`"):
        ask(Wish(alias=AliasName("raw-model")))


def test_a_number_that_is_set_counts_whatever_succeeds_between() -> None:
    given = settings((deployment("cheap", "dep-a", allowed_fails=0),))

    lines = render_text(ask(Wish(alias=CHEAP), given)).splitlines()

    assert "  dep-a  5 s after 1 counted failures within a minute" in lines

"""Who may serve, and why the others may not."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from support.attempts import chain, deployment, deployments, failure, general, routes
from tiergate.base.values import AliasName, DeploymentId
from tiergate.core import routing
from tiergate.core.catalog import ChainKind, Chains, Deployment, RouterPolicy, Strategy
from tiergate.core.cooldown import Book, Rule
from tiergate.core.load import Load
from tiergate.core.routing import Routes, Selection, View, Why
from tiergate.core.tags import NO_TAGS, RequestTags

CHEAP = AliasName("cheap")
COLD = Rule(allowed_fails=0, cooldown_time=10)


def select(made: Routes, asked: RequestTags, view: View, now: float = 100) -> Selection:
    route = made.of("cheap")
    assert route is not None
    return routing.select(route, asked, view, now)


def words(selection: Selection) -> str:
    """The candidates, then the exclusions: `a b, not c off`."""
    out = [" ".join(d.id for d in selection.candidates)]
    out.extend(f"not {e.deployment} {e.why.value}" for e in selection.exclusions)
    return ", ".join(out)


def told(made: Routes, asked: RequestTags, view: View, now: float = 100) -> tuple[int, str]:
    route = made.of("cheap")
    assert route is not None
    refusal = routing.refusal(route, asked, routing.select(route, asked, view, now))
    assert refusal.code is not None
    return refusal.status, refusal.code


def cooling(*names: str, now: float = 95) -> Book:
    book = Book()
    for name in names:
        book.failed(DeploymentId(name), COLD, failure("500"), now)
    return book


def test_everybody_is_eligible_where_nothing_speaks_against_it() -> None:
    made = routes(deployments(cheap="a b"))

    assert words(select(made, RequestTags(tags=("any",)), View())) == "a b"


def test_what_is_switched_off_is_never_used() -> None:
    made = routes((*deployments(cheap="a"), deployment("cheap", "b", off="for staging only")))

    selection = select(made, NO_TAGS, View())

    assert words(selection) == "a, not b off"
    assert selection.exclusions[0].text == "for staging only"


def test_tags_select_only_where_filtering_is_on_and_the_alias_has_tags() -> None:
    tagged = (deployment("cheap", "a", tags=("fast",)), deployment("cheap", "b"))
    asked = RequestTags(tags=("fast",))

    assert words(select(routes(tagged), asked, View())) == "a b"
    on = RouterPolicy(tag_filtering=True)
    assert words(select(routes(tagged, on), asked, View())) == "a, not b tags"
    assert words(select(routes(tagged, on), NO_TAGS, View())) == "b, not a tags"
    assert words(select(routes(deployments(cheap="a b"), on), asked, View())) == "a b"


def test_all_tags_must_match_where_the_file_says_so() -> None:
    tagged = (
        deployment("cheap", "a", tags=("fast",)),
        deployment("cheap", "b", tags=("fast", "eu")),
    )
    made = routes(tagged, RouterPolicy(tag_filtering=True, tags_match_any=False))

    assert words(select(made, RequestTags(tags=("fast", "eu")), View())) == "b, not a tags"


def test_environments_constrain_without_tag_filtering() -> None:
    made = routes((deployment("cheap", "a", environments=("critical",)), deployment("cheap", "b")))
    asked = RequestTags(environments=("interactive",))

    assert words(select(made, asked, View())) == "b, not a environment"
    assert words(select(made, NO_TAGS, View())) == "a b"
    assert words(select(made, RequestTags(environments=("critical",)), View())) == "a b"
    excluding = RequestTags(excluded=("critical",))
    assert words(select(made, excluding, View())) == "b, not a environment"


def test_a_tag_match_that_the_environment_forbids_is_not_replaced_by_the_default() -> None:
    made = routes(
        (
            deployment("cheap", "a", tags=("fast",), environments=("critical",)),
            deployment("cheap", "b", tags=("default",)),
        ),
        RouterPolicy(tag_filtering=True),
    )
    asked = RequestTags(tags=("fast",), environments=("interactive",))

    assert words(select(made, asked, View())) == ", not a environment, not b tags"
    assert told(made, asked, View()) == (400, "no_eligible_deployment")


def test_cooling_and_probing_deployments_are_left_out() -> None:
    made = routes(deployments(cheap="a b c"))
    book = cooling("a", now=94.5)
    book.failed(DeploymentId("b"), COLD, failure("500"), 90)
    book.called(DeploymentId("b"), COLD, 101)

    assert words(select(made, NO_TAGS, View(marks=book.marks), 104)) == (
        "c, not a cooling, not b probing"
    )
    selection = select(made, NO_TAGS, View(marks=book.marks), 104)
    assert selection.exclusions[0].text == "cooling for 1 s after upstream"


def test_budgets_leave_a_deployment_out() -> None:
    made = routes(deployments(cheap="a b"))
    view = View(over=lambda d: "provider anthropic: 10 of 10 USD" if d.id == "a" else None)

    assert words(select(made, NO_TAGS, view)) == "b, not a budget"


@pytest.mark.parametrize("strategy", [Strategy.USAGE, Strategy.COST])
def test_limits_leave_a_deployment_out_where_the_strategy_minds_them(strategy: Strategy) -> None:
    made = routes(
        (
            deployment("cheap", "a", rpm=1),
            deployment("cheap", "b", tpm=100),
            deployment("cheap", "c", rpm=9, tpm=999),
        ),
        RouterPolicy(strategy=strategy),
    )
    load = Load()
    load.begun(DeploymentId("a"), 100)
    load.used(DeploymentId("b"), 100, 100)

    assert words(select(made, NO_TAGS, View(load=load))) == "c, not a limit, not b limit"
    assert words(select(made, NO_TAGS, View(load=load), 130)) == "a b c"


def test_limits_are_only_weights_for_the_shuffle() -> None:
    made = routes((deployment("cheap", "a", rpm=1),))
    load = Load()
    load.begun(DeploymentId("a"), 100)

    assert words(select(made, NO_TAGS, View(load=load))) == "a"


# --------------------------------------------------------------------------- refusals


def test_cooling_is_told_as_429_with_the_shortest_wait() -> None:
    made = routes(deployments(cheap="a b"))
    book = cooling("a", now=92)
    book.failed(DeploymentId("b"), COLD, failure("500"), 95.5)
    route = made.of("cheap")
    assert route is not None
    view = View(marks=book.marks)

    refusal = routing.refusal(route, NO_TAGS, routing.select(route, NO_TAGS, view, 100))

    assert (refusal.status, refusal.code) == (429, "all_deployments_in_cooldown")
    assert refusal.headers == (("retry-after", "2"),)
    assert "cheap" in refusal.message
    assert "upstream.invalid" not in refusal.message


def test_a_wait_is_told_as_whole_seconds_and_at_least_one() -> None:
    assert [routing.retry_after(s) for s in (0, 0.2, 1, 1.2)] == [1, 1, 1, 2]


def test_who_is_only_cooling_is_told_before_who_is_over_budget() -> None:
    made = routes(deployments(cheap="a b"))
    view = View(marks=cooling("a").marks, over=lambda d: "spent" if d.id == "b" else None)

    assert told(made, NO_TAGS, view) == (429, "all_deployments_in_cooldown")


def test_a_limit_of_the_minute_is_told_as_such() -> None:
    made = routes((deployment("cheap", "a", rpm=0),), RouterPolicy(strategy=Strategy.USAGE))

    assert told(made, NO_TAGS, View()) == (429, "rate_limit_exceeded")


def test_budgets_are_told_once_each_and_not_to_be_retried() -> None:
    made = routes(deployments(cheap="a b"))
    route = made.of("cheap")
    assert route is not None
    view = View(over=lambda _: "provider anthropic has spent 10 of 10 USD")

    refusal = routing.refusal(route, NO_TAGS, routing.select(route, NO_TAGS, view, 1))

    assert (refusal.status, refusal.type) == (429, "budget_exceeded")
    assert refusal.headers == (("x-should-retry", "false"),)
    assert refusal.message.count("provider anthropic") == 1


def test_tags_are_told_with_what_each_deployment_asks_for() -> None:
    made = routes(
        (
            deployment("cheap", "a", environments=("interactive", "offline")),
            deployment("cheap", "b", tags=("fast",)),
            deployment("cheap", "c"),
        ),
        RouterPolicy(tag_filtering=True),
    )
    route = made.of("cheap")
    assert route is not None
    asked = RequestTags(tags=("slow",), environments=("critical",))

    refusal = routing.refusal(route, asked, routing.select(route, asked, View(), 1))

    assert refusal.status == 400
    for part in (
        "`cheap`",
        "critical, slow",
        "a: serves only interactive, offline",
        "b: asks for the tags fast",
        "c: serves untagged requests",
    ):
        assert part in refusal.message


# ------------------------------------------------------------------- prices and chains


def test_dearer_deployments_can_be_left_out() -> None:
    made = routes(deployments(cheap="a b c"))
    prices = {"a": 5, "b": 6}
    view = View(price=lambda d: prices.get(d.id))
    selection = select(made, NO_TAGS, view)

    assert words(routing.not_dearer(selection, view, 5)) == "a c, not b dearer"
    assert routing.not_dearer(selection, view, 6) is selection
    assert routing.not_dearer(selection, view, None) is selection


@pytest.mark.parametrize(
    ("chains", "order"),
    [
        (general(cheap="b c"), "b c"),
        (general(cheap="b c", b="d", c="e"), "b c d e"),
        (general(cheap="b", b="cheap c", c="b"), "b c"),
        (general(cheap="cheap"), ""),
        (Chains(default=(AliasName("b"),)), "b"),
        (Chains(general=chain(cheap="b"), default=(AliasName("c"),)), "b c"),
        (general(cheap="other"), "b"),
    ],
)
def test_a_chain_visits_each_alias_once(chains: Chains, order: str) -> None:
    policy = RouterPolicy(chains=chains, alias_of=MappingProxyType({"other": AliasName("b")}))

    assert " ".join(routing.chain_order(policy, ChainKind.GENERAL, CHEAP)) == order


def test_other_names_lead_to_the_alias() -> None:
    policy = RouterPolicy(alias_of=MappingProxyType({"gpt-4": CHEAP, "lost": AliasName("no")}))
    made = routes(deployments(cheap="a"), policy)

    assert made.of("gpt-4") is made.of("cheap")
    assert made.of("lost") is None
    assert made.of("unknown") is None


def test_a_call_can_go_elsewhere_by_a_second_deployment_or_a_chain() -> None:
    def elsewhere(all_: tuple[Deployment, ...], policy: RouterPolicy | None = None) -> bool:
        return routes(all_, policy).rule(all_[0]).elsewhere

    assert not elsewhere(deployments(cheap="a"))
    assert elsewhere(deployments(cheap="a b"))
    assert elsewhere(deployments(cheap="a"), RouterPolicy(chains=general(cheap="b")))
    assert not elsewhere(
        (*deployments(cheap="a"), deployment("cheap", "b", off="for staging only"))
    )


def test_the_reasons_have_words_for_every_view() -> None:
    assert len({why.value for why in Why}) == len(Why)


def test_what_tags_lead_to_is_worked_out_once_and_for_a_bounded_number_of_tags() -> None:
    tagged = (deployment("cheap", "a", tags=("fast",)), deployment("cheap", "b"))
    route = routes(tagged, RouterPolicy(tag_filtering=True)).of("cheap")
    assert route is not None
    first = routing.select(route, RequestTags(("fast",)), View(), 1)
    assert words(first) == "a, not b tags"
    assert routing.select(route, RequestTags(("fast",)), View(), 1) is first
    for number in range(1000):
        routing.select(route, RequestTags((f"t{number}",)), View(), 1)
    assert 0 < len(route.permitted) <= 100
    assert routing.select(route, RequestTags(("fast",)), View(), 1) == first


def test_other_chains_act_for_routes_asked_for_afterwards_and_not_for_those_held():
    made = routes(deployments(cheap="a", balanced="b"), RouterPolicy(chains=general(cheap="x")))
    held = made.of("cheap")
    made.follow(general(cheap="balanced"))
    after = made.of("cheap")
    assert held is not None
    assert after is not None
    assert held.chains[ChainKind.GENERAL] == ("x",)
    assert after.chains[ChainKind.GENERAL] == ("balanced",)
    assert made.policy.chains == general(cheap="balanced")


def test_the_same_chains_again_change_nothing():
    made = routes(deployments(cheap="a", balanced="b"), RouterPolicy(chains=general(cheap="x")))
    held = made.of("cheap")
    made.follow(general(cheap="x"))
    assert made.of("cheap") is held

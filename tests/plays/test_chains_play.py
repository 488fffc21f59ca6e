"""Plays: which chain a failure leads to, who is called in it, and what the caller is told."""

from __future__ import annotations

import pytest

from support.attempts import Play, chain, deployment, deployments, general
from tiergate.base.errors import Failure, Refused
from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind, Chains, Deployment, RouterPolicy
from tiergate.core.plan import Wish
from tiergate.core.tags import RequestTags

ALL = deployments(cheap="a", balanced="b", frontier="c")
PAGE = Chains(
    general=chain(cheap="balanced frontier", balanced="frontier"),
    context_window=chain(cheap="balanced", balanced="frontier"),
    content_policy=chain(cheap="balanced"),
)


def policy(chains: Chains = PAGE, max_fallbacks: int = 5) -> RouterPolicy:
    return RouterPolicy(
        num_retries=0, disable_cooldowns=True, chains=chains, max_fallbacks=max_fallbacks
    )


@pytest.mark.parametrize("word", ["cut", "429", "500", "503", "409", "401", "403", "404"])
def test_an_outage_leads_to_the_general_chain(word: str) -> None:
    play = Play(ALL, policy())

    assert play.ask("cheap", word, "ok") == ["call a", "call b", "answered"]
    assert play.machine.fallbacks == 1


def test_a_chain_is_followed_in_order_and_the_first_error_is_told() -> None:
    play = Play(ALL, policy())

    assert play.ask("cheap", "503", "429 after 5", "401") == [
        "call a",
        "call b",
        "call c",
        "gave up 503",
    ]
    assert play.end is not None
    assert play.end.fallbacks == 2
    assert [t.alias for t in play.end.tried] == ["cheap", "balanced", "frontier"]
    assert play.end.retry_after is None
    assert play.why == (
        "cheap/a 503 upstream > general chain > balanced/b 429 rate_limit > "
        "frontier/c 401 credentials > gave up"
    )


def test_overflow_follows_its_own_chain_only() -> None:
    play = Play(ALL, policy(Chains(general=PAGE.general)))

    assert play.ask("cheap", "overflow") == ["call a", "gave up 400"]


def test_overflow_goes_on_through_the_chains_of_the_members() -> None:
    """The page sends cheap to balanced and balanced to frontier when a prompt is too long."""
    play = Play(ALL, policy())

    assert play.ask("cheap", "overflow", "overflow", "ok") == [
        "call a",
        "call b",
        "call c",
        "answered",
    ]


def test_overflow_everywhere_stays_an_overflow() -> None:
    play = Play(ALL, policy())

    play.ask("cheap", "overflow", "overflow", "503")

    assert play.end is not None
    assert isinstance(play.end.error, Failure)
    assert play.end.error.message == "overflow happened"


def test_a_members_overflow_moves_on_to_the_next_member() -> None:
    play = Play(ALL, policy())

    assert play.ask("cheap", "500", "overflow", "ok") == [
        "call a",
        "call b",
        "call c",
        "answered",
    ]


def test_a_refusal_follows_the_content_policy_chain() -> None:
    play = Play(ALL, policy())

    assert play.ask("cheap", "refusal", "ok") == ["call a", "call b", "answered"]


def test_an_outage_chain_never_routes_round_a_refusal() -> None:
    play = Play(ALL, policy())

    assert play.ask("balanced", "refusal") == ["call b", "gave up 400"]


def test_a_members_refusal_ends_an_outage_chain() -> None:
    play = Play(ALL, policy())

    assert play.ask("cheap", "500", "refusal") == ["call a", "call b", "gave up 500"]


def test_a_members_refusal_does_not_end_the_content_policy_chain() -> None:
    chains = Chains(content_policy=chain(cheap="balanced frontier"))
    play = Play(ALL, policy(chains))

    assert play.ask("cheap", "refusal", "refusal", "ok") == [
        "call a",
        "call b",
        "call c",
        "answered",
    ]


def test_a_wrong_request_leads_nowhere() -> None:
    play = Play(ALL, policy())

    assert play.ask("cheap", "400") == ["call a", "gave up 400"]


def test_a_member_that_cannot_take_the_request_is_passed_over() -> None:
    play = Play(ALL, policy())

    assert play.ask("cheap", "500", "400", "ok") == ["call a", "call b", "call c", "answered"]


def test_a_cycle_ends_after_each_alias_was_called_once() -> None:
    play = Play(ALL, policy(general(cheap="balanced", balanced="cheap")))

    assert play.ask("cheap", "500", "500") == ["call a", "call b", "gave up 500"]


def test_the_members_own_chains_come_after_the_chain_asked() -> None:
    chains = general(cheap="balanced frontier", balanced="local", frontier="cheap balanced")
    play = Play((*ALL, *deployments(local="d")), policy(chains))

    assert play.ask("cheap", "500", "500", "500", "ok") == [
        "call a",
        "call b",
        "call c",
        "call d",
        "answered",
    ]


def test_max_fallbacks_bounds_the_aliases_called() -> None:
    play = Play(ALL, policy(max_fallbacks=1))

    assert play.ask("cheap", "500", "500") == ["call a", "call b", "gave up 500"]


def test_a_skipped_member_costs_no_fallback_and_is_named() -> None:
    off = deployment("balanced", "b", off="it is for another environment")
    play = Play((*deployments(cheap="a", frontier="c"), off), policy(max_fallbacks=1))

    assert play.ask("cheap", "500", "ok") == ["call a", "call c", "answered"]
    assert play.machine.fallbacks == 1
    assert play.why == (
        "cheap/a 500 upstream > general chain > balanced skipped (b off) > frontier/c ok"
    )


def test_a_member_that_does_not_exist_is_skipped_and_named() -> None:
    play = Play(ALL, policy(general(cheap="gone balanced")))

    assert play.ask("cheap", "500", "ok") == ["call a", "call b", "answered"]
    assert "gone skipped (no such alias)" in play.why


def test_default_fallbacks_are_the_chain_of_aliases_without_one() -> None:
    chains = Chains(general=chain(cheap="balanced"), default=(AliasName("balanced"),))
    play = Play(ALL, policy(chains))

    assert play.ask("frontier", "500", "ok") == ["call c", "call b", "answered"]


def test_the_requests_own_list_takes_the_place_of_the_general_chain() -> None:
    play = Play(ALL, policy())
    wish = Wish(alias=AliasName("cheap"), fallbacks=(AliasName("frontier"),))

    assert play.ask(wish, "500", "500") == ["call a", "call c", "gave up 500"]


def test_the_requests_own_list_leaves_the_other_chains_alone() -> None:
    play = Play(ALL, policy())
    wish = Wish(alias=AliasName("cheap"), fallbacks=(AliasName("frontier"),))

    assert play.ask(wish, "overflow", "ok") == ["call a", "call b", "answered"]


@pytest.mark.parametrize("word", ["500", "overflow", "refusal"])
def test_disable_fallbacks_forbids_every_chain(word: str) -> None:
    play = Play(ALL, policy())
    wish = Wish(alias=AliasName("cheap"), disable_fallbacks=True)

    assert play.ask(wish, word)[1:] == [f"gave up {'500' if word == '500' else '400'}"]


def test_a_member_has_retries_of_its_own() -> None:
    chains = general(cheap="balanced")
    play = Play(ALL, RouterPolicy(num_retries=1, disable_cooldowns=True, chains=chains))

    assert play.ask("cheap", "500", "500", "500", "ok") == [
        "call a",
        "wait 0.25",
        "call a",
        "call b",
        "wait 0.25",
        "call b",
        "answered",
    ]
    assert (play.machine.retries, play.machine.fallbacks) == (1, 1)


def test_environments_hold_for_members_too() -> None:
    frontier = deployment("frontier", "c", environments=("critical",))
    play = Play((*deployments(cheap="a", balanced="b"), frontier), policy())
    wish = Wish(alias=AliasName("cheap"), tags=RequestTags(environments=("interactive",)))

    assert play.ask(wish, "500", "500") == ["call a", "call b", "gave up 500"]
    assert "frontier skipped (c environment)" in play.why


def test_tags_that_rule_everybody_out_are_told_and_lead_nowhere() -> None:
    cheap = deployment("cheap", "a", environments=("interactive", "offline"))
    play = Play((cheap, *deployments(balanced="b")), policy())
    wish = Wish(alias=AliasName("cheap"), tags=RequestTags(environments=("critical",)))

    assert play.ask(wish) == ["gave up 400"]
    assert play.end is not None
    assert isinstance(play.end.error, Refused)
    for word in ("cheap", "critical", "interactive", "offline"):
        assert word in play.end.error.message


def test_an_unknown_alias_is_refused() -> None:
    play = Play(ALL, policy())

    assert play.ask("claude-raw") == ["gave up 400"]
    assert play.end is not None
    assert isinstance(play.end.error, Refused)
    assert play.end.error.code == "model_not_found"


@pytest.mark.parametrize(
    ("kind", "status"),
    [(ChainKind.GENERAL, 500), (ChainKind.CONTEXT_WINDOW, 400), (ChainKind.CONTENT_POLICY, 400)],
)
def test_a_drill_fails_the_alias_without_a_call(kind: ChainKind, status: int) -> None:
    play = Play(ALL, policy())
    wish = Wish(alias=AliasName("cheap"), drill=kind)

    assert play.ask(wish, "ok") == ["call b", "answered"]
    assert play.machine.fallbacks == 1
    assert play.why.startswith(f"cheap failed by a {kind.value} drill > {kind.value} chain")
    assert play.ask(Wish(alias=AliasName("frontier"), drill=kind)) == [f"gave up {status}"]


def test_a_drill_is_refused_where_the_file_forbids_it() -> None:
    forbidding = RouterPolicy(mock_testing=False, chains=PAGE)
    play = Play(ALL, forbidding)

    assert play.ask(Wish(alias=AliasName("cheap"), drill=ChainKind.GENERAL)) == ["gave up 400"]
    assert play.end is not None
    assert isinstance(play.end.error, Refused)
    assert "dangerously_allow_mock_testing_request_params" in play.end.error.message


def test_an_alias_over_its_budget_follows_the_budget_chain_only() -> None:
    stepping = Chains(general=chain(cheap="frontier"), budget=chain(cheap="balanced"))
    play = Play(ALL, policy(stepping))
    assert play.ask("cheap", "alias over budget", "ok") == ["call a", "call b", "answered"]

    play = Play(ALL, policy(general(cheap="frontier")))
    assert play.ask("cheap", "alias over budget") == ["call a", "gave up 429"]


def test_a_member_over_its_budget_is_passed_over_and_does_not_count() -> None:
    play = Play(ALL, policy(max_fallbacks=1))

    assert play.ask("cheap", "500", "alias over budget", "ok") == [
        "call a",
        "call b",
        "call c",
        "answered",
    ]
    assert play.machine.fallbacks == 1


def test_a_budget_of_the_whole_gateway_ends_the_request() -> None:
    play = Play(ALL, policy())

    assert play.ask("cheap", "gateway over budget") == ["call a", "gave up 429"]
    assert play.ask("cheap", "500", "gateway over budget") == ["call a", "call b", "gave up 500"]


def test_a_deployment_over_budget_is_skipped_and_the_others_serve() -> None:
    play = Play(deployments(cheap="a b"), policy(), dice=lambda: 0.0)

    assert play.ask("cheap", "over budget", "ok") == ["call a", "call b", "answered"]
    assert play.ask("cheap", "provider over budget", "ok") == ["call a", "call b", "answered"]


def over_a(one: Deployment) -> str | None:
    return "provider anthropic has spent 1000 of 1000 USD" if one.id == "a" else None


def test_an_alias_over_its_providers_budget_is_like_a_cooling_one() -> None:
    play = Play(ALL, policy(), over=over_a)

    assert play.ask("cheap", "ok") == ["call b", "answered"]
    wish = Wish(alias=AliasName("cheap"), disable_fallbacks=True)
    assert play.ask(wish) == ["gave up 429"]
    assert play.end is not None
    assert isinstance(play.end.error, Refused)
    assert play.end.error.code == "budget_exceeded"
    assert "provider anthropic" in play.end.error.message


def test_a_used_up_budget_never_moves_a_call_to_a_dearer_deployment() -> None:
    prices = {"a": 6_000, "b": 18_000, "c": 5_000}
    play = Play(ALL, policy(), over=over_a, price=lambda d: prices[d.id])

    assert play.ask("cheap", "ok") == ["call c", "answered"]
    assert "balanced skipped (b dearer)" in play.why


def test_a_budget_chain_comes_before_the_general_one_when_a_budget_is_why() -> None:
    stepping = Chains(general=chain(cheap="balanced"), budget=chain(cheap="frontier"))
    play = Play(ALL, policy(stepping), over=over_a)

    assert play.ask("cheap", "ok") == ["call c", "answered"]


def test_a_caller_who_leaves_ends_everything() -> None:
    play = Play(ALL, policy())

    assert play.ask("cheap", "500", "caller left") == ["call a", "call b", "gave up 499"]


def test_who_will_be_back_is_told_before_what_another_dialect_cannot_say() -> None:
    cold = RouterPolicy(num_retries=0, allowed_fails=0, chains=general(cheap="balanced"))
    play = Play(deployments(cheap="a b", balanced="c"), cold, dice=lambda: 0.0)
    play.ask("cheap", "500", "ok")

    assert play.ask("cheap", "untranslatable", "500") == ["call b", "call c", "gave up 429"]


def test_what_was_not_sent_does_not_hide_what_failed() -> None:
    one = RouterPolicy(num_retries=1, disable_cooldowns=True)
    play = Play(deployments(cheap="a b"), one, dice=lambda: 0.0)

    assert play.ask("cheap", "503 after 99", "untranslatable") == [
        "call a",
        "call b",
        "gave up 503",
    ]


def test_a_fallback_may_cost_as_much_as_the_dearest_deployment_of_the_alias() -> None:
    prices = {"a": 5, "b": 9, "c": 8}
    play = Play(
        deployments(cheap="a b", balanced="c"),
        policy(general(cheap="balanced")),
        over=lambda d: "spent" if d.alias == "cheap" else None,
        price=lambda d: prices[d.id],
    )

    assert play.ask("cheap", "ok") == ["call c", "answered"]


def test_a_drill_of_an_unknown_alias_is_told_as_that() -> None:
    play = Play(ALL, policy())

    assert play.ask(Wish(alias=AliasName("raw"), drill=ChainKind.GENERAL)) == ["gave up 400"]


def test_a_member_in_which_nothing_was_sent_is_not_counted() -> None:
    play = Play(deployments(cheap="a", balanced="b c"), policy(), dice=lambda: 0.0)

    assert play.ask("cheap", "500", "untranslatable", "gateway over budget") == [
        "call a",
        "call b",
        "call c",
        "gave up 500",
    ]
    assert play.end is not None
    assert play.end.fallbacks == 0

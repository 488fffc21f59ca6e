"""Which alias `auto` means: phase before tags before the entry model, and never by chance."""

from __future__ import annotations

import pytest

from support.attempts import deployment, settings
from tiergate.base.errors import Refused
from tiergate.base.values import AliasName
from tiergate.core.auto import Auto, Chosen
from tiergate.core.catalog import Catalog, RouterPolicy
from tiergate.core.phases import PhasePolicy, WorkPolicy
from tiergate.core.routing import Routes
from tiergate.core.tags import NO_TAGS, sort_tags

CHEAP, FRONTIER = AliasName("cheap"), AliasName("frontier")
PHASES = {
    "triage": PhasePolicy(name="triage", alias=CHEAP),
    "bulkdraft": PhasePolicy(name="bulk-draft", alias=FRONTIER),
    "review": PhasePolicy(name="review", max_output=9),
}
DEPLOYMENTS = (
    deployment("cheap", "a", environments=("interactive", "offline")),
    deployment("open", "b"),
    deployment("frontier", "c", environments=("critical",)),
    deployment("local", "d", tags=("on-site",)),
)
FILTERED = RouterPolicy(tag_filtering=True)


def auto(policy: WorkPolicy | None = None, router: RouterPolicy = FILTERED) -> Auto:
    made = settings(DEPLOYMENTS, router)
    routes = Routes(made.router, Catalog.of(made))
    return Auto(policy or WorkPolicy(phases=PHASES, auto=True), routes)


def tags(*names: str):
    return sort_tags(names, frozenset({"interactive", "offline", "critical"}))


def chosen(*names: str, phase: str = "", allowed=None, **more) -> str:
    return auto(**more).choose(phase, tags(*names), allowed).alias


def refusal(*names: str, phase: str = "", allowed=None, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        auto(**more).choose(phase, tags(*names), allowed)
    return caught.value


def test_a_phase_leads_to_its_alias_and_says_so():
    found = auto().choose("Bulk_Draft", NO_TAGS, None)
    assert found == Chosen(FRONTIER, "auto: phase bulk-draft -> frontier")


def test_a_phase_wins_over_tags():
    assert chosen("critical", phase="triage") == "cheap"


def test_an_unknown_phase_is_refused_with_those_there_are():
    refused = refusal("critical", phase="cooking")
    assert (refused.status, refused.code) == (400, "unknown_phase")
    assert "`cooking`" in refused.message
    assert "triage (cheap), bulk-draft (frontier)" in refused.message


def test_a_phase_with_limits_alone_leads_nowhere():
    refused = refusal(phase="review")
    assert refused.code == "unknown_phase"
    assert "`review` has limits and no entry model" in refused.message


@pytest.mark.parametrize(
    ("names", "alias"),
    [
        (("critical",), "frontier"),
        (("offline",), "cheap"),
        (("on-site",), "local"),
        (("critical", "offline"), None),
    ],
)
def test_tags_choose_the_alias_that_names_them_and_would_serve(names, alias):
    if alias is None:
        assert refusal(*names).code == "no_phase"
    else:
        assert chosen(*names) == alias


def test_tags_of_deployments_choose_nothing_where_tags_do_not_select():
    assert refusal("on-site", router=RouterPolicy()).code == "no_phase"


def test_tags_choose_among_what_the_key_may_use():
    assert refusal("critical", allowed=frozenset({CHEAP})).code == "no_phase"
    assert chosen("offline", allowed=frozenset({CHEAP})) == "cheap"


def test_what_nobody_names_goes_to_the_entry_model():
    policy = WorkPolicy(phases=PHASES, entry=AliasName("open"), auto=True)
    assert chosen(policy=policy) == "open"
    assert chosen("somewhere", policy=policy) == "open"
    assert chosen("critical", policy=policy) == "frontier"


def test_without_an_entry_model_the_refusal_says_what_would_choose():
    assert "the request has neither" in refusal().message
    assert "name no alias" in refusal("somewhere").message
    assert "triage (cheap)" in refusal().message


def test_many_phases_are_not_all_listed():
    many = {f"p{n}": PhasePolicy(name=f"p{n}", alias=CHEAP) for n in range(30)}
    assert "and 10 more" in refusal(policy=WorkPolicy(phases=many, auto=True)).message


def test_targets_are_the_aliases_of_phases_and_of_tags():
    assert auto().targets() == {"cheap", "frontier", "local"}
    policy = WorkPolicy(phases=PHASES, entry=AliasName("open"), auto=True)
    assert auto(policy, RouterPolicy()).targets() == {"cheap", "frontier", "open"}

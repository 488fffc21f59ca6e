"""What the configuration means, looked up: chains by kind, deployments by alias and id."""

from __future__ import annotations

from support.attempts import chain, deployment, settings
from tiergate.base.values import AliasName, Secret
from tiergate.core.catalog import Catalog, ChainKind, Chains

CHAINS = Chains(
    general=chain(cheap="balanced"),
    context_window=chain(cheap="frontier"),
    content_policy=chain(cheap="safe"),
    budget=chain(cheap="free"),
    default=(AliasName("last"),),
)


def test_each_kind_has_its_own_chain():
    assert [CHAINS.of(kind, AliasName("cheap")) for kind in ChainKind] == [
        ("balanced",),
        ("frontier",),
        ("safe",),
        ("free",),
    ]


def test_the_default_chain_is_general_and_for_aliases_without_their_own():
    found = [CHAINS.of(kind, AliasName("other")) for kind in ChainKind]
    assert found == [("last",), (), (), ()]


def test_the_chains_of_a_kind_are_those_written_without_the_default():
    assert [dict(CHAINS.written(kind)) for kind in ChainKind] == [
        {"cheap": ("balanced",)},
        {"cheap": ("frontier",)},
        {"cheap": ("safe",)},
        {"cheap": ("free",)},
    ]


def test_deployments_are_found_by_alias_in_the_order_of_the_file_and_by_id():
    a, b, c = deployment("x", "a"), deployment("y", "b"), deployment("x", "c", off="not here")

    catalog = Catalog.of(settings((a, b, c)))

    assert list(catalog.aliases) == ["x", "y"]
    assert catalog.aliases[AliasName("x")].deployments == (a, c)
    assert catalog.by_id[b.id] is b


def test_a_deployment_shows_neither_its_key_nor_its_headers():
    one = deployment(
        "x", "a", api_key=Secret("sk-secret"), extra_headers=(("x-token", "token-secret"),)
    )
    assert "secret" not in repr(one)
    assert "secret" not in repr(settings((one,)))

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tiergate.config.environment import Expander
from tiergate.config.findings import Findings
from tiergate.config.identity import hashed_id
from tiergate.config.section import Section
from tiergate.config.tree import MapNode
from tiergate.config.yamltext import parse


def of(text: str, alias: str = "cheap", **environ: str) -> str:
    findings = Findings()
    node = parse(text, "f.yaml", findings)
    assert isinstance(node, MapNode)
    node = Expander(environ, True, findings).expand_map(node)
    return hashed_id(alias, Section((), node.position, node))


def test_an_id_is_sixteen_hexadecimal_digits() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", of("{model: a/b}"))


def test_an_id_is_this_one_forever() -> None:
    """Cooldowns, budgets and metrics of running gateways go by it; it must not change."""
    assert of("{model: anthropic/claude-haiku-4-5}") == "a7a6eee86a8f9943"


def test_the_order_of_keys_and_the_spelling_of_numbers_do_not_matter() -> None:
    assert of("{model: a/b, weight: 3}") == of("{weight: 3, model: a/b}")


def test_the_alias_and_every_plain_setting_matter() -> None:
    seen = {
        of("{model: a/b}"),
        of("{model: a/b}", alias="other"),
        of("{model: a/c}"),
        of("{model: a/b, weight: 1}"),
        of("{model: a/b, weight: 2}"),
        of("{model: a/b, tags: [x]}"),
    }

    assert len(seen) == 6


@given(st.text("abcdef0123456789", min_size=8), st.text("abcdef0123456789", min_size=8))
def test_a_secret_never_changes_an_id(one: str, two: str) -> None:
    for key in ("api_key", "client_secret", "aws_session_token", "extra_headers"):
        form = (
            "{model: a/b, %s: {x: 'k%s'}}" if key == "extra_headers" else "{model: a/b, %s: 'k%s'}"
        )
        assert of(form % (key, one)) == of(form % (key, two))


def test_the_name_of_a_variable_matters_and_its_value_does_not() -> None:
    text = "{model: a/b, api_key: os.environ/%s}"

    assert of(text % "K", K="one") == of(text % "K", K="two")
    assert of(text % "K", K="x") != of(text % "L", L="x")

"""Labels that a configuration adds: out of metadata, and for tags."""

from __future__ import annotations

import pytest

from tiergate.core.caller import Caller
from tiergate.core.metrics_plan import ALL_METRICS, MetadataLabel, MetricsPlan, TagLabel
from tiergate.web.labels import LabelReader

SQUAD = MetadataLabel("metadata_squad", ("squad",))
NOBODY = Caller(name="k")


def reader(*labels: MetadataLabel | TagLabel) -> LabelReader:
    made = LabelReader.of(
        MetricsPlan(
            metadata=tuple(x for x in labels if isinstance(x, MetadataLabel)),
            tags=tuple(x for x in labels if isinstance(x, TagLabel)),
        )
    )
    assert made is not None
    return made


def value(metadata, caller=NOBODY, label=SQUAD) -> str:
    ((_, found),) = reader(label).read(metadata, (), {}, caller)
    return found


def test_a_configuration_without_such_labels_has_no_reader():
    assert LabelReader.of(ALL_METRICS) is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("blue", "blue"), ("  blue ", "blue"), (7, "7"), (1.5, "1.5"), (True, "true"),
        (None, ""), ([], ""), (["blue"], ""), ({"a": 1}, ""),
    ],
)  # fmt: skip
def test_single_values_are_shown_and_others_are_not(given, shown):
    assert value({"squad": given}) == shown
    assert value({}) == ""


def test_the_requests_metadata_comes_before_the_keys_and_that_before_the_teams():
    team = Caller(name="k", team_metadata={"squad": "team"})
    key = Caller(name="k", metadata={"squad": "key"}, team_metadata={"squad": "team"})
    assert value({"squad": "request"}, key) == "request"
    assert value({}, key) == "key"
    assert value({"squad": ""}, team) == "team"


def test_a_value_may_stand_deeper():
    deep = MetadataLabel("metadata_org_unit", ("org", "unit"))
    assert value({"org": {"unit": "x"}}, label=deep) == "x"
    assert value({"org": "x"}, label=deep) == ""
    assert reader(deep).entries == {"org"}


@pytest.mark.parametrize(
    ("pattern", "tags", "shown"),
    [
        ("prod", ("prod",), "true"),
        ("prod", ("production",), "false"),
        ("batch-*", ("a", "batch-7"), "true"),
        ("*", (), "false"),
        ("a.c", ("abc",), "false"),
    ],
)
def test_a_label_for_a_tag_says_whether_a_request_has_it(pattern, tags, shown):
    ((_, found),) = reader(TagLabel("tag_x", pattern)).read({}, tags, {}, NOBODY)
    assert found == shown


def test_the_callers_program_is_compared_where_a_label_asks_for_it():
    made = reader(TagLabel("tag_claude", "User-Agent: claude-cli/*"))
    for agent, shown in (("claude-cli/2.1", "true"), ("curl/8", "false"), (None, "false")):
        headers = {} if agent is None else {"user-agent": agent}
        assert made.read({}, (), headers, NOBODY) == (("tag_claude", shown),)

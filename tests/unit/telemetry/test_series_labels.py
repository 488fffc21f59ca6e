"""LiteLLM's labels, and what they say."""

from __future__ import annotations

import pytest

from tiergate.core.metrics_plan import ALL_METRICS, MetadataLabel, MetricsPlan, TagLabel
from tiergate.telemetry import series_labels
from tiergate.telemetry.counts import ANYBODY, NOBODY, Names, Who
from tiergate.telemetry.series_labels import known_of, with_added, with_identity

ADDED = MetricsPlan(
    metadata=(MetadataLabel("metadata_squad", ("squad",)),), tags=(TagLabel("tag_prod", "prod"),)
)
LISTS = [name for name in dir(series_labels) if name.isupper() and not name.startswith("_")]


@pytest.mark.parametrize("name", [n for n in LISTS if n not in ("EXCEPTION", "REQUEST")])
def test_everything_that_is_a_label_has_a_value(name):
    labels = getattr(series_labels, name)
    known = known_of(ANYBODY, "", NOBODY, ALL_METRICS)
    assert len(set(labels)) == len(labels)
    assert [known[label] for label in labels] == [""] * len(labels)


def test_values_are_those_of_caller_alias_and_deployment():
    who = Who("e", "k", "ka", "t", "ta", "u", "m")
    known = known_of(
        who, "cheap", Names("balanced", "haiku", "d1", "http://x", "anthropic"), ADDED
    )
    assert {name: text for name, text in known.items() if text} == {
        "end_user": "e",
        "hashed_api_key": "k",
        "api_key_alias": "ka",
        "team": "t",
        "team_alias": "ta",
        "user": "u",
        "user_email": "m",
        "requested_model": "cheap",
        "model": "haiku",
        "model_group": "balanced",
        "fallback_model": "balanced",
        "litellm_model_name": "haiku",
        "model_id": "d1",
        "api_base": "http://x",
        "api_provider": "anthropic",
    }
    assert (known["metadata_squad"], known["tag_prod"]) == ("", "")


def test_added_labels_come_last_and_only_with_the_values_they_had():
    labels = with_added(("team", "user"), ADDED)
    assert labels.names == ("team", "user", "metadata_squad", "tag_prod")
    old = Who(team="t", labels=(("gone", "x"), ("metadata_squad", "blue")))
    assert labels.take(known_of(old, "", NOBODY, ADDED)) == ("t", "", "blue", "")


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (ALL_METRICS, ("hashed_api_key", "api_key_alias", "team")),
        (
            MetricsPlan(alias_label=False, email_label=True),
            ("hashed_api_key", "user_email", "team"),
        ),
        (
            MetricsPlan(email_label=True),
            ("hashed_api_key", "api_key_alias", "user_email", "team"),
        ),
    ],
)
def test_callers_are_told_apart_as_the_configuration_says(plan, names):
    assert with_identity(("hashed_api_key", "api_key_alias", "team"), plan).names == names

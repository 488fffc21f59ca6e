"""The JSON of fallback routes."""

from __future__ import annotations

import json

from support.fallbacks import NOW, file_of, names, override
from tiergate.base.errors import Refused
from tiergate.core.fallback_changes import put, remove
from tiergate.core.fallback_overrides import Overrides, listing
from tiergate.web.fallback_forms import change_form, error_form, listing_form

FILE = file_of(cheap="balanced", balanced="frontier")
AT, UNTIL = "2026-09-21T14:13:20.000Z", "2026-09-21T14:14:20.000Z"


def routes_in(value) -> list:
    """Every object, at any depth, that looks like a route that acts."""
    if isinstance(value, list):
        return [r for item in value for r in routes_in(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if {"model", "fallback_models"} <= value.keys() else []
    return own + [r for item in value.values() for r in routes_in(item)]


def test_routes_have_litellms_fields_and_where_they_come_from():
    made = Overrides(
        1, (override("local", "cheap", note="why", expires=NOW + 60), override("balanced"))
    )
    form = listing_form(listing(FILE, made, NOW), None)
    assert json.loads(json.dumps(form)) == {
        "fallbacks": [
            {
                "model": "cheap",
                "fallback_models": ["balanced"],
                "fallback_type": "general",
                "origin": "file",
                "file_models": ["balanced"],
                "author": None,
                "key": None,
                "created_at": None,
                "expires_at": None,
                "note": None,
            },
            {
                "model": "local",
                "fallback_models": ["cheap"],
                "fallback_type": "general",
                "origin": "runtime",
                "file_models": None,
                "author": "ada",
                "key": "master",
                "created_at": AT,
                "expires_at": UNTIL,
                "note": "why",
            },
        ],
        "switched_off": [
            {
                "model": "balanced",
                "fallback_type": "general",
                "file_models": None,
                "author": "ada",
                "key": "master",
                "created_at": AT,
                "expires_at": None,
                "note": None,
            }
        ],
        "inactive": [],
        "conflicts": [
            {
                "model": "balanced",
                "fallback_type": "general",
                "conflict": "file_changed",
                "message": form["conflicts"][0]["message"],
                "runtime_models": [],
                "file_models": ["frontier"],
                "file_models_when_set": None,
                "missing_models": [],
            }
        ],
        "store_fault": None,
    }


def test_only_what_acts_looks_like_a_route():
    made = Overrides(1, (override("balanced"), override("gone", "cheap"), override("cheap", "x")))
    form = listing_form(listing(FILE, made, NOW), "the store is down")
    assert [route["model"] for route in routes_in(form)] == ["cheap"]
    assert [each["set_models"] for each in form["inactive"]] == [["cheap"], ["x"]]
    assert form["store_fault"] == "the store is down"


def test_a_change_says_who_when_from_what_to_what_and_why():
    new = override("cheap", "local", note="outage", expires=NOW + 60)
    after, change = put(Overrides(), new, FILE)
    assert change_form(change) == {
        "number": 1,
        "id": "cheap-local",
        "at": AT,
        "action": "set",
        "model": "cheap",
        "fallback_type": "general",
        "before": {"models": ["balanced"], "origin": "file"},
        "after": {"models": ["local"], "origin": "runtime"},
        "expires_at": UNTIL,
        "author": "ada",
        "key": "master",
        "note": "outage",
    }
    _, change = remove(after, override("cheap", key=""), FILE)
    form = change_form(change)
    assert (form["action"], form["after"]) == ("switched_off", None)
    assert form["key"] is form["note"] is form["expires_at"] is None


def test_an_error_has_litellms_detail_beside_ours():
    told = error_form(Refused(404, "No.", code="fallback_not_found", param="model"), ())
    assert told.status == 404
    assert told.body == {
        "error": {
            "message": "No.",
            "type": "not_found_error",
            "param": "model",
            "code": "fallback_not_found",
        },
        "detail": {"error": "No."},
    }


def test_an_unknown_alias_is_told_with_those_there_are():
    told = error_form(Refused(404, "No.", code="model_not_found"), names("a b"))
    assert told.body["detail"] == {"error": "No.", "available_models": ["a", "b"]}


def test_a_malformed_field_is_told_as_litellm_does():
    told = error_form(Refused(422, "`note` is long.", code="invalid_value", param="note"), ())
    assert told.body["detail"] == [
        {"type": "invalid_value", "loc": ["body", "note"], "msg": "`note` is long."}
    ]
    assert error_form(Refused(503, "Down.", headers=(("retry-after", "1"),)), ()).headers == (
        ("retry-after", "1"),
    )

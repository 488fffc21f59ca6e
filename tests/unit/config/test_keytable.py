"""The table of keys: how it is searched, and that what it says is whole and well formed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.config.keys import load_key_table
from tiergate.config.keytable import (
    KeyEntry,
    KeyFacts,
    KeyTable,
    KeyType,
    Origin,
    Verdict,
)

TABLE = load_key_table()
PATHS = {entry.path: entry for entry in TABLE.all()}

DEPLOYMENT = ("model_list", "0")
PARAMS = (*DEPLOYMENT, "litellm_params")
INFO = (*DEPLOYMENT, "model_info")
CACHE = ("litellm_settings", "cache_params")


def entry(path: str, verdict: Verdict = Verdict.HONOURED) -> KeyEntry:
    return KeyEntry(tuple(path.split(".")), KeyFacts(KeyType.ANY, verdict, f"About {path}."))


SMALL = KeyTable(
    entry(path)
    for path in (
        "top",
        "top.*",
        "top.*.limit",
        "top.special",
        "top.special.own",
        "other",
        "other.timeout",
        "other.time_limit",
    )
)


# --- searching ---


def test_an_exact_name_wins_over_a_free_one() -> None:
    found = SMALL.find(("top", "special"))
    assert found is not None
    assert found.path == "top.special"
    found = SMALL.find(("top", "anything"))
    assert found is not None
    assert found.path == "top.*"


def test_a_name_that_is_also_known_exactly_still_has_the_keys_of_the_free_one() -> None:
    found = SMALL.find(("top", "special", "limit"))
    assert found is not None
    assert found.path == "top.*.limit"
    assert SMALL.children(("top", "special")) == ("limit", "own")


def test_an_unknown_path_finds_nothing() -> None:
    assert SMALL.find(("top", "special", "nothing")) is None
    assert SMALL.find(("nothing",)) is None
    assert SMALL.find(()) is None


def test_children_are_sorted_names_without_the_free_one() -> None:
    assert SMALL.children(()) == ("other", "top")
    assert SMALL.children(("top",)) == ("special",)
    assert SMALL.children(("other", "timeout")) == ()


def test_two_entries_for_one_path_are_refused() -> None:
    with pytest.raises(ValueError, match=r"top\.own"):
        KeyTable([entry("top.own"), entry("top.own", Verdict.REFUSED)])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("other.time_out", "other.timeout"),
        ("other.TimeOut", "other.timeout"),
        ("other.time-limit", "other.time_limit"),
        ("top.special.timeout", "other.timeout"),
        ("top.x.limits", "top.*.limit"),
        ("othher", "other"),
    ],
)
def test_the_nearest_key_is_the_one_meant(written: str, meant: str) -> None:
    near = SMALL.nearest(tuple(written.split(".")))
    assert near is not None
    assert near.path == meant


def test_nothing_is_near_to_a_word_that_is_like_no_key() -> None:
    assert SMALL.nearest(("other", "qqqq")) is None
    assert SMALL.nearest(()) is None


def test_a_misplaced_key_is_sent_to_its_proper_place_not_to_another_one() -> None:
    table = KeyTable(
        [
            entry("attic.retries", Verdict.NO_EFFECT),
            entry("deep.down.retries"),
            entry("router.retries"),
            entry("calls.retries"),
        ]
    )
    near = table.nearest(("cellar", "retries"))
    assert near is not None
    assert near.path == "router.retries"


@given(st.lists(st.sampled_from(["top", "special", "limit", "*", "", "x", "Ω"]), max_size=4))
def test_searching_takes_any_path(parts: list[str]) -> None:
    path = tuple(parts)
    found = SMALL.find(path)
    assert found is None or len(found.parts) == len(path)
    near = SMALL.nearest(path)
    assert near is None or near in SMALL.all()
    assert all(each in SMALL.all() for each in SMALL.explain(".".join(parts)))


@pytest.mark.parametrize(
    ("query", "first", "count"),
    [
        ("router_settings.fallbacks", "router_settings.fallbacks", 1),
        ("fallbacks", "router_settings.fallbacks", 2),
        ("model_list[0].litellm_params.api_key", "model_list.*.litellm_params.api_key", 1),
        ("model_list[].litellm_params.api_key", "model_list.*.litellm_params.api_key", 1),
        ("provider_budget_config.openai.time_period", "provider_budget_config.*.time_period", 1),
        ("model_info.supported_environments", "model_list.*.model_info.supported_environments", 1),
        ("os.environ/LITELLM_MASTER_KEY", "environment_variables.LITELLM_MASTER_KEY", 1),
        ("environment_variables.ANY_NAME", "environment_variables.*", 1),
        ("numRetries", "router_settings.num_retries", 3),
        ("supported_env", "model_list.*.model_info.supported_environments", 1),
    ],
)
def test_a_key_is_explained_by_path_name_end_or_piece(query: str, first: str, count: int) -> None:
    found = TABLE.explain(query)
    assert len(found) == count
    assert found[0].path == first


def test_what_is_no_piece_of_any_key_is_not_explained() -> None:
    assert TABLE.explain("xyzzy") == ()
    assert TABLE.explain("") == ()


def test_keys_that_act_are_explained_first() -> None:
    acts = [e.acts for e in TABLE.explain("cost_per_token")]
    assert acts == sorted(acts, reverse=True)
    assert True in acts
    assert False in acts


# --- what the table says ---


def test_nearest_finds_the_page_s_misspellings() -> None:
    for written, meant in [
        (("router_settings", "fallback"), "router_settings.fallbacks"),
        ((*CACHE, "tll"), "litellm_settings.cache_params.ttl"),
        (("litellm_settings", "routing_strategy"), "router_settings.routing_strategy"),
        ((*INFO, "supported_enviroments"), "model_list.*.model_info.supported_environments"),
        ((*PARAMS, "apikey"), "model_list.*.litellm_params.api_key"),
        (("model_lst",), "model_list"),
    ]:
        near = TABLE.nearest(written)
        assert near is not None, written
        assert near.path == meant


def test_each_entry_is_well_formed() -> None:
    for each in TABLE.all():
        facts = each.facts
        assert all(part and part == part.strip() for part in each.parts), each.path
        assert facts.text.endswith("."), each.path
        assert facts.text[0].isupper() or facts.text[0] == "`", each.path
        assert (facts.type is KeyType.ENUM) == bool(facts.values), each.path
        for said in (facts.text, facts.until, facts.instead):
            assert "  " not in said, each.path
            assert said.count("`") % 2 == 0, each.path
            assert not said or said.endswith("."), each.path


def test_a_key_that_never_acts_says_what_to_do_instead() -> None:
    for each in TABLE.all():
        never = each.verdict in {Verdict.NO_EFFECT, Verdict.REFUSED}
        assert bool(each.facts.instead) == never, each.path


def test_a_key_that_does_not_act_yet_says_what_holds_meanwhile() -> None:
    for each in TABLE.all():
        if each.verdict is Verdict.PLANNED:
            assert each.facts.until, each.path
        if each.verdict in {Verdict.NO_EFFECT, Verdict.REFUSED}:
            assert not each.facts.until, each.path


def test_every_other_place_that_an_entry_names_exists() -> None:
    for each in TABLE.all():
        for other in each.also:
            assert other in PATHS, (each.path, other)
            assert other != each.path


def test_the_places_of_one_key_name_each_other() -> None:
    for each in TABLE.all():
        for other in each.also:
            twin = PATHS[other]
            if twin.facts is each.facts:
                assert each.path in twin.also


def test_a_key_stands_under_a_key() -> None:
    """Whoever walks down a file meets no gap between a known key and the top."""
    for each in TABLE.all():
        for end in range(1, len(each.parts)):
            above = TABLE.find(each.parts[:end])
            assert above is not None, each.path
            assert above.type in {KeyType.MAPPING, KeyType.LIST, KeyType.ANY}, each.path


def test_nothing_is_listed_under_a_key_that_never_acts() -> None:
    """So one finding speaks for all that is inside, and what is inside is not judged."""
    for each in TABLE.all():
        for end in range(1, len(each.parts)):
            above = PATHS.get(".".join(each.parts[:end]))
            if above is not None:
                assert above.verdict not in {Verdict.REFUSED, Verdict.NO_EFFECT}, each.path


def test_a_key_of_tiergate_is_not_one_of_litellm() -> None:
    own = {each.name for each in TABLE.all() if each.facts.origin is Origin.TIERGATE}
    assert own >= {
        "budget_timezone",
        "max_request_body_bytes",
        "max_request_header_bytes",
        "pricing",
        "default_max_tokens",
        "drop_betas",
        "budget_fallbacks",
        "share",
        "TIERGATE_MASTER_KEY",
        "TIERGATE_ENVIRONMENT",
    }


THE_PAGE = [
    "model_list",
    "model_list.0",
    "model_list.0.model_name",
    "model_list.0.litellm_params",
    "model_list.0.litellm_params.model",
    "model_list.0.litellm_params.api_key",
    "model_list.0.model_info",
    "model_list.0.model_info.supported_environments",
    "router_settings",
    "router_settings.routing_strategy",
    "router_settings.fallbacks",
    "router_settings.fallbacks.0.cheap",
    "router_settings.context_window_fallbacks",
    "router_settings.context_window_fallbacks.1.balanced",
    "router_settings.content_policy_fallbacks",
    "router_settings.content_policy_fallbacks.0.cheap",
    "router_settings.allowed_fails",
    "router_settings.cooldown_time",
    "litellm_settings",
    "litellm_settings.budget_duration",
    "litellm_settings.max_budget",
    "litellm_settings.request_timeout",
    "litellm_settings.num_retries",
    "model_max_budget",
    "model_max_budget.frontier",
    "model_max_budget.cheap",
    "provider_budget_config",
    "provider_budget_config.anthropic",
    "provider_budget_config.anthropic.budget_limit",
    "provider_budget_config.anthropic.time_period",
    "general_settings",
    "general_settings.enable_tag_filtering",
]


@pytest.mark.parametrize("path", THE_PAGE)
def test_the_keys_of_a_production_page_act(path: str) -> None:
    found = TABLE.find(tuple(path.split(".")))
    assert found is not None
    assert found.acts


@pytest.mark.parametrize(
    "name", ["cache", "cache_params", *(f"cache_params.{k}" for k in ("type", "ttl", "namespace"))]
)
def test_the_page_s_cache_acts(name: str) -> None:
    found = TABLE.find(("litellm_settings", *name.split(".")))
    assert found is not None
    assert found.acts


IN_TWO_SECTIONS = [
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "default_fallbacks",
    "max_fallbacks",
    "num_retries",
    "request_timeout",
    "allowed_fails",
    "cooldown_time",
    "model_max_budget",
    "provider_budget_config",
]


@pytest.mark.parametrize("name", IN_TWO_SECTIONS)
def test_a_key_that_works_in_two_sections_is_one_key(name: str) -> None:
    one = TABLE.find(("router_settings", name))
    other = TABLE.find(("litellm_settings", name))
    assert one is not None
    assert other is not None
    assert one.facts is other.facts
    assert other.path in one.also


KNOWN_OF_LITELLM = {
    Verdict.REFUSED: """
        general_settings.custom_auth general_settings.enable_jwt_auth
        general_settings.litellm_jwtauth general_settings.enable_oauth2_auth
        general_settings.allowed_ips general_settings.allowed_routes
        general_settings.admin_only_routes general_settings.pass_through_endpoints
        general_settings.reject_clientside_metadata_tags general_settings.enforce_user_param
        general_settings.key_management_system litellm_settings.banned_keywords_list
        model_list.0.litellm_params.tag_regex model_list.0.model_info.team_id
        model_list.0.litellm_params.configurable_clientside_auth_params
        router_settings.health_check_interval environment_variables.DISABLE_ADMIN_ENDPOINTS
    """,
    Verdict.NO_EFFECT: """
        general_settings.ui_access_mode
        general_settings.background_health_checks general_settings.store_model_in_db
        general_settings.database_connection_pool_limit litellm_settings.set_verbose
        litellm_settings.json_logs litellm_settings.mcp_aliases litellm_settings.telemetry
        mcp_servers vector_store_registry assistant_settings
        litellm_settings.cache_params.max_messages router_settings.enable_pre_call_checks
        model_list.0.model_info.mode model_list.0.model_info.supports_vision
        environment_variables.LITELLM_LOG
    """,
    Verdict.PLANNED: """
        model_list.0.litellm_params.vertex_project model_list.0.litellm_params.aws_region_name
    """,
    Verdict.DIFFERS: """
        general_settings.database_url router_settings.redis_host
        general_settings.coordination_redis.sentinel_nodes router_settings.cache_kwargs.ssl
        litellm_settings.tag_budget_config.some-tag.max_budget litellm_settings.max_end_user_budget
        environment_variables.REDIS_HOST environment_variables.DATABASE_URL
        include litellm_settings.max_budget litellm_settings.request_timeout
        litellm_settings.cache_params.supported_call_types
        router_settings.allowed_fails router_settings.num_retries
        model_list.0.litellm_params.cache_control_injection_points
        model_list.0.litellm_params.rpm model_list.0.model_info.supported_environments
        litellm_settings.require_auth_for_metrics_endpoint
        environment_variables.LITELLM_ENVIRONMENT
    """,
    Verdict.HONOURED: """
        general_settings.alerting environment_variables.SLACK_WEBHOOK_URL
        litellm_settings.cache_params.similarity_threshold
        litellm_settings.default_key_generate_params
        general_settings.master_key router_settings.model_group_alias.gpt-4
        router_settings.retry_policy.RateLimitErrorRetries
        router_settings.model_group_retry_policy.cheap.TimeoutErrorRetries
        router_settings.allowed_fails_policy.TimeoutErrorAllowedFails
        router_settings.disable_cooldowns router_settings.tag_filtering_match_any
        router_settings.retry_after litellm_settings.drop_params litellm_settings.callbacks
        litellm_settings.success_callback model_list.0.litellm_params.api_base
        model_list.0.litellm_params.weight model_list.0.litellm_params.order
        model_list.0.litellm_params.extra_headers.X-Team
        model_list.0.litellm_params.input_cost_per_token
        model_list.0.model_info.output_cost_per_token model_list.0.litellm_params.temperature
        environment_variables.ANTHROPIC_API_KEY environment_variables
    """,
}


@pytest.mark.parametrize(
    ("path", "verdict"),
    [(path, verdict) for verdict, paths in KNOWN_OF_LITELLM.items() for path in paths.split()],
)
def test_the_verdict_of_a_key_of_litellm(path: str, verdict: Verdict) -> None:
    found = TABLE.find(tuple(path.split(".")))
    assert found is not None
    assert found.verdict is verdict


def test_a_free_form_section_has_no_room_for_a_misspelled_key() -> None:
    """LiteLLM takes any word in these places; here a typo must not open an alias."""
    for path in (PARAMS, INFO, ("router_settings",), ("general_settings",), CACHE, ()):
        assert TABLE.find((*path, "no_such_key")) is None

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.config_world import (
    KEY,
    MODELS,
    Bench,
    Loaded,
    codes,
    key_table,
    load_rest,
    said,
    small_world,
)
from tiergate.config.findings import Severity
from tiergate.config.keytable import KeyEntry
from tiergate.config.load import load

PAGE = Path(__file__).parents[2] / "golden" / "config" / "cases" / "page.txt"


def page() -> str:
    """The blocks of the production page, in one file."""
    text = PAGE.read_text().partition("--- a.yaml\n")[2]
    return text.partition("=== findings\n")[0]


# ------------------------------------------------------------------ the page


def test_the_page_is_good_to_serve(tmp_path: Path) -> None:
    loaded = Bench(tmp_path).load(page())

    assert loaded.settings is not None
    assert not [each for each in loaded.findings if each.severity is Severity.ERROR]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("merged", "router_settings: is given at"),
        ("merged", "litellm_settings: is given at"),
        ("merged", "model_list: is given at"),
        ("month-by-m", "anthropic.time_period: 1m is read as one calendar month"),
        ("month-by-m", "openai.time_period: 1m is read as one calendar month"),
        ("unknown-model", '"claude-opus-4" is not a model id that anthropic lists'),
        ("sums-above-cap", "300 + 600 + 300 = 1200 USD, which is more than the 1000 USD"),
        ("prefix-minimum", "claude-haiku-4-5 caches only prompt prefixes of at least 4096"),
        ("prefix-minimum", "claude-sonnet-4-6 caches only prompt prefixes of at least 2048"),
        ("short-timeout", "request_timeout: 30 seconds"),
        ("no-master-key", "loopback only"),
    ],
)
def test_the_page_is_told_what_is_worth_knowing(tmp_path: Path, code: str, words: str) -> None:
    loaded = Bench(tmp_path).load(page())

    assert [line for line in said(loaded, code) if words in line]


def test_the_sums_of_the_page_that_are_equal_are_not_complained_of(tmp_path: Path) -> None:
    """300 + 600 + 300 is exactly the 1200 of the gateway."""
    loaded = Bench(tmp_path).load(page())

    assert [line for line in said(loaded, "sums-above-cap") if "gateway" in line] == []


def test_every_setting_of_the_page_acts(tmp_path: Path) -> None:
    settings = Bench(tmp_path).load(page()).settings

    assert settings is not None
    assert [d.environments for d in settings.deployments] == [
        ("interactive", "offline"),
        (),
        ("critical",),
    ]
    router = settings.router
    assert (router.request_timeout, router.num_retries) == (30, 2)
    assert (router.allowed_fails, router.cooldown_time) == (3, 60)
    assert router.tag_filtering
    assert router.chains.general == {"cheap": ("balanced", "frontier"), "balanced": ("frontier",)}
    assert router.chains.context_window == {"cheap": ("balanced",), "balanced": ("frontier",)}
    assert router.chains.content_policy == {"cheap": ("balanced",)}
    assert [(b.name, b.limit // 10**9, b.period) for b in settings.budgets] == [
        ("gateway", 1200, "calendar:month"),
        ("frontier", 300, "calendar:month"),
        ("balanced", 600, "calendar:month"),
        ("cheap", 300, "calendar:month"),
        ("anthropic", 1000, "calendar:month"),
        ("openai", 200, "calendar:month"),
    ]
    assert settings.environment_names == {"interactive", "offline", "critical"}


def test_the_page_is_read_in_a_moment(tmp_path: Path) -> None:
    """A whole gateway has to answer within a second of its start."""
    (tmp_path / "page.yaml").write_text(page())
    known = small_world()
    spans: list[float] = []
    for _ in range(5):
        begun = time.perf_counter()
        load([tmp_path / "page.yaml"], {"ANTHROPIC_API_KEY": "k"}, known=known)
        spans.append(time.perf_counter() - begun)

    assert min(spans) < 0.06


# ------------------------------------------------------------------ nothing is passed over


def acting(section: str) -> list[KeyEntry]:
    return [
        entry
        for entry in key_table().all()
        if entry.acts
        and "*" not in entry.parts
        and (entry.parts[:-1] == (section,) if section else len(entry.parts) == 1)
        and entry.path not in {"model_list", "include"}
    ]


SAMPLES = {
    "boolean": "true",
    "integer": "9000",
    "number": "9000",
    "usd": "1",
    "duration": "300",
    "string": "UTC",
    "secret": "7f3kQ9xV2mZp8LwR4tYb",
    "enum": "simple-shuffle",
    "string_list": "[prometheus]",
    "list_of_aliases": "[cheap]",
    "list": "[{cheap: [balanced]}]",
    "mapping": "{cheap: balanced}",
    "any": "1",
}


@pytest.mark.parametrize(
    "entry",
    [
        e
        for s in ("", "router_settings", "litellm_settings", "general_settings")
        for e in acting(s)
    ],
    ids=lambda entry: entry.path,
)
def test_every_key_that_the_table_calls_acting_is_read(entry: KeyEntry, tmp_path: Path) -> None:
    """A key nobody reads is reported as `not-acting-yet`, whatever the table says."""
    text = f"{entry.name}: {SAMPLES[entry.type.value]}"
    loaded = load_rest(
        tmp_path, f"{entry.parts[0]}: {{{text}}}\n" if len(entry.parts) > 1 else f"{text}\n"
    )

    assert [f for f in loaded.findings if f.code == "not-acting-yet"] == []


# ------------------------------------------------------------------ what others check from outside

UPSTREAM = "http://127.0.0.1:9"
PRICES = {"input_cost_per_token": 0, "output_cost_per_token": 0.0005}


def deployment(alias: str, model: str, secret: str, ident: str, **params: object) -> object:
    address = f"{UPSTREAM}/v1" if model.startswith("openai") else UPSTREAM
    return {
        "model_name": alias,
        "litellm_params": {"model": model, "api_base": address, "api_key": secret, **params},
        "model_info": {"id": ident},
    }


def base(**sections: object) -> dict[str, object]:
    """Four aliases on scripted upstreams, with sections laid over."""
    config: dict[str, object] = {
        "model_list": [
            deployment("cheap", "anthropic/m-a", "k-a", "dep-a", **PRICES),
            deployment("balanced", "anthropic/m-b", "k-b", "dep-b", **PRICES),
            deployment("frontier", "anthropic/m-c", "k-c", "dep-c", **PRICES),
            deployment("oai", "openai/m-o", "k-o", "dep-o", **PRICES),
        ],
        "general_settings": {"master_key": "sk-test-7f3kQ9xV2mZp8LwR4tYb6NcD1gHs5JaE"},
        "litellm_settings": {"num_retries": 0},
        "router_settings": {"routing_strategy": "simple-shuffle"},
    }
    for name, value in sections.items():
        old = config.get(name)
        config[name] = (
            {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return config


def load_config(folder: Path, config: object, **environ: str) -> Loaded:
    return Bench(folder).load(yaml.safe_dump(config, sort_keys=False), environ=environ)


def test_a_plain_configuration_of_scripted_upstreams_serves(tmp_path: Path) -> None:
    loaded = load_config(tmp_path, base())

    assert loaded.settings is not None
    assert [d.id for d in loaded.settings.deployments] == ["dep-a", "dep-b", "dep-c", "dep-o"]


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("key", ["api_key", "api_base", "tags", "master_key"])
def test_an_unset_reference_stops_the_start_and_names_variable_and_key(
    tmp_path: Path, key: str, empty: bool
) -> None:
    literal = "os.environ/NOT_THERE"
    config = base()
    if key == "master_key":
        config = base(general_settings={"master_key": literal})
    else:
        value = ["fast", literal] if key == "tags" else literal
        params = {"api_key": "k", "api_base": UPSTREAM, key: value}
        config = base(
            model_list=[
                {"model_name": "a", "litellm_params": {"model": "anthropic/m-a", **params}}
            ]
        )

    loaded = load_config(tmp_path, config, **({"NOT_THERE": ""} if empty else {}))

    assert loaded.settings is None
    text = str(loaded.findings[0])
    assert "NOT_THERE" in text
    assert key in text


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (
            {"router_settings": {"fallback": [{"cheap": ["balanced"]}]}},
            "router_settings.fallback:",
        ),
        (
            {"litellm_settings": {"cache": True, "cache_params": {"type": "local", "tll": 60}}},
            "cache_params.tll",
        ),
        ({"model_list": None}, "model_list"),
        ({"router_settings": {"fallbacks": {"cheap": "balanced"}}}, "router_settings.fallbacks"),
        ({"router_settings": {"fallbacks": [{"cheap": ["mediocre"]}]}}, "mediocre"),
        (
            {"litellm_settings": {"cache": True, "cache_params": {"type": "local", "ttl": "1x"}}},
            "cache_params.ttl",
        ),
        (
            {"litellm_settings": {"max_budget": 5, "budget_duration": "1 fortnight"}},
            "budget_duration",
        ),
        ({"litellm_settings": {"max_budget": 5, "budget_duration": "30"}}, "budget_duration"),
        ({"litellm_settings": {"max_budget": 5, "budget_duration": "-1d"}}, "budget_duration"),
    ],
)
def test_a_mistake_stops_the_start_with_its_key_path(
    tmp_path: Path, sections: dict[str, object], words: str
) -> None:
    loaded = load_config(tmp_path, base(**sections))

    assert loaded.settings is None
    errors = [str(each) for each in loaded.findings if each.severity is Severity.ERROR]
    assert [line for line in errors if words in line]


def test_a_timeout_in_quotes_is_read_and_said(tmp_path: Path) -> None:
    loaded = load_config(tmp_path, base(litellm_settings={"request_timeout": "30"}))

    assert loaded.settings is not None
    assert loaded.settings.router.request_timeout == 30
    assert len(said(loaded, "converted")) == 1


def test_a_ring_of_fallbacks_is_named_and_serves(tmp_path: Path) -> None:
    rules = [{"cheap": ["balanced"]}, {"balanced": ["cheap"]}]
    loaded = load_config(tmp_path, base(router_settings={"fallbacks": rules}))

    assert loaded.settings is not None
    assert "cycle" in said(loaded, "fallback-cycle")[0]


@pytest.mark.parametrize("duration", ["monthly", "1mo", "30d", "7d", "24h", "60s"])
def test_the_length_of_a_budget_is_in_the_report(tmp_path: Path, duration: str) -> None:
    config = base(litellm_settings={"max_budget": 5, "budget_duration": duration})
    loaded = load_config(tmp_path, config)

    assert loaded.settings is not None
    assert [row for row in loaded.report if row.path == "budget of the gateway"]


# ------------------------------------------------------------------ it never raises


def survives(loaded: Loaded) -> None:
    """What must hold for any file at all."""
    failed = any(each.severity is Severity.ERROR for each in loaded.findings)
    assert (loaded.settings is None) == failed
    for finding in loaded.findings:
        assert "\n" not in str(finding)
        assert finding.message


TEXTS = st.text(max_size=12)
WORDS = st.sampled_from(
    ["cheap", "balanced", "anthropic/claude-opus-4", "openai/gpt-4o", "os.environ/X", "1m", "30d",
     "monthly", "", "*", "free", "prometheus", "http://h", "http://["]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted({part for entry in key_table().all() for part in entry.parts if part != "*"})
SHAPES = st.recursive(
    VALUES,
    lambda inner: (
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=5) | st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)
QUIETLY = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=60,
)


@QUIETLY
@given(st.text())
def test_no_text_makes_it_raise(tmp_path: Path, text: str) -> None:
    survives(Bench(tmp_path).load(text.encode("utf-8", "surrogatepass")))


@QUIETLY
@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(tmp_path: Path, raw: bytes) -> None:
    survives(Bench(tmp_path).load(raw))


@QUIETLY
@given(SHAPES, st.booleans(), st.booleans(), st.booleans())
def test_no_shape_makes_it_raise(
    tmp_path: Path, shape: object, env: bool, lenient: bool, strict: bool
) -> None:
    text = yaml.safe_dump(shape, allow_unicode=True)
    survives(Bench(tmp_path).load(text, env=env, lenient=lenient, strict=strict))


SECTIONS = st.sampled_from(
    ["router_settings", "litellm_settings", "general_settings", "model_max_budget",
     "provider_budget_config", "environment_variables"]
)  # fmt: skip


@QUIETLY
@given(SECTIONS, st.sampled_from(NAMES), VALUES)
def test_no_value_of_a_known_key_makes_it_raise(
    tmp_path: Path, section: str, name: str, value: object
) -> None:
    text = yaml.safe_dump({section: {name: value}}, allow_unicode=True)
    survives(Bench(tmp_path).load(MODELS + KEY, text))


@QUIETLY
@given(st.sampled_from(["litellm_params", "model_info"]), st.sampled_from(NAMES), VALUES)
def test_no_value_in_a_deployment_makes_it_raise(
    tmp_path: Path, part: str, name: str, value: object
) -> None:
    entry = {"model_name": "x", "litellm_params": {"model": "openai/gpt-4o"}, part: {name: value}}
    survives(Bench(tmp_path).load(yaml.safe_dump({"model_list": [entry]}, allow_unicode=True)))


@QUIETLY
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_no_damage_to_the_page_makes_it_raise(tmp_path: Path, seed: int, times: int) -> None:
    survives(Bench(tmp_path).load(damaged(page(), random.Random(seed), times)))


def damaged(text: str, dice: random.Random, times: int) -> str:
    """The text with lines dropped, doubled, moved, indented, and signs changed."""
    lines = text.splitlines()
    for _ in range(times):
        at = dice.randrange(len(lines))
        match dice.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, dice.choice(lines))
            case 2:
                lines[at] = " " * dice.randrange(4) + lines[at]
            case 3:
                lines[at] = lines[at].removeprefix("  ")
            case 4 if lines[at]:
                where = dice.randrange(len(lines[at]))
                lines[at] = (
                    lines[at][:where]
                    + dice.choice("{}[]:,&*!|>'\"%@`#- ")
                    + lines[at][where + 1 :]
                )
            case _:
                lines[at] = (
                    dice.choice(lines).split(":")[0] + ": " + dice.choice(lines).split(":")[-1]
                )
    return "\n".join(lines)


@QUIETLY
@given(
    st.sampled_from(NAMES),
    st.sampled_from(["router_settings", "litellm_settings", "general_settings"]),
)
def test_no_secret_reaches_a_finding_or_the_report(
    tmp_path: Path, name: str, section: str
) -> None:
    """Whatever key refers to a secret, in whatever place, its value is not shown."""
    secret = "s3cr3t-7f3kQ9xV2mZp8LwR4tYb"
    loaded = Bench(tmp_path).load(
        MODELS,
        f"{section}: {{{name}: os.environ/S}}\n",
        environ={"S": secret, "ANTHROPIC_API_KEY": secret, "OPENAI_API_KEY": secret},
    )

    assert secret not in repr(loaded.findings)
    assert secret not in repr(
        [row for row in loaded.report if row.path != "general_settings.budget_timezone"]
    )
    assert secret not in repr(loaded.settings and loaded.settings.deployments)


# ------------------------------------------------------------------ how it is read


def test_strict_and_lenient_are_told_apart(tmp_path: Path) -> None:
    rest = "litellm_settings: {max_user_budget: 1}\nrouter_settings: {fallback: []}\n"
    plain, lenient, strict = (
        Bench(tmp_path).load(MODELS + KEY + rest, **how)
        for how in ({}, {"lenient": True}, {"strict": True})
    )

    assert codes(plain)[0] == "unknown-key"
    assert lenient.settings is not None
    assert {f.code for f in strict.findings if f.severity is Severity.ERROR} == {
        "unknown-key",
        "not-acting-yet",
    }


def test_a_failed_reading_still_shows_what_could_be_read(tmp_path: Path) -> None:
    loaded = load_rest(tmp_path, "router_settings: {fallback: []}\n")

    assert loaded.settings is None
    assert loaded.draft is not None
    assert len(loaded.draft.deployments) == 2


def test_a_file_that_cannot_be_read_gives_findings_only(tmp_path: Path) -> None:
    loaded = Bench(tmp_path).load("a: [")

    assert (loaded.settings, loaded.draft, loaded.report) == (None, None, ())


def test_variables_of_the_file_may_name_the_environment(tmp_path: Path) -> None:
    loaded = load_rest(tmp_path, "environment_variables: {LITELLM_ENVIRONMENT: staging}\n")

    assert loaded.settings is not None
    assert loaded.settings.environment == "staging"


def test_variables_of_the_file_that_do_nothing_are_named(tmp_path: Path) -> None:
    idle = [
        entry.name
        for entry in key_table().all()
        if entry.parts[0] == "environment_variables" and not entry.acts and entry.name != "*"
    ]
    loaded = load_rest(tmp_path, f"environment_variables: {{{idle[0]}: x, MY_OWN: 3}}\n")

    assert [each.path for each in loaded.findings] == [f"environment_variables.{idle[0]}"]


def test_a_start_states_where_money_is_kept_and_what_holds_without(tmp_path: Path) -> None:
    rest = """
general_settings: {state_dir: /srv/t, ticket_budget: {budget_limit: 2}}
litellm_settings: {max_budget: 10, budget_duration: monthly}
"""
    loaded = load_rest(tmp_path, rest)

    assert sorted(loaded.money_lines) == [
        "budget of each ticket: 2 USD, no end; store down: allow_leased",
        "budget of the gateway: 10 USD, one calendar month; store down: allow_leased",
        "stores: budgets, keys, escalations and ledger in SQLite in /srv/t",
    ]

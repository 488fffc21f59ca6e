"""The page for those who come from LiteLLM: each row of what stops the start really stops it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tiergate.config.findings import Severity
from tiergate.config.load import Loaded, load
from tiergate.wiring.configuration import known

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "migrate-from-litellm.md"
TABLE = PAGE.read_text("utf-8").partition("## What stops the start")[2].partition("\n## ")[0]
ROWS = [row for row in re.findall(r"^\| (.+?) \|", TABLE, re.MULTILINE) if row != "in the file"]

CHEAP = (
    "model_list:\n"
    "  - {model_name: cheap, litellm_params: {model: anthropic/claude-haiku-4-5, api_key: k}}\n"
)
EXAMPLES = {
    "a misspelt or misplaced key": ("router_settings: {fallback: []}"),
    "a section given twice": (
        "litellm_settings: {num_retries: 1}\nlitellm_settings: {num_retries: 2}"
    ),
    "`include` with another value for one key": (
        "include: [other.yaml]\nlitellm_settings: {num_retries: 1}"
    ),
    "a variable that is not set": ("general_settings: {master_key: os.environ/NOT_SET}"),
    '`master_key: ""`': ('general_settings: {master_key: ""}'),
    "a deployment that cannot be built": (
        "model_list:\n  - {model_name: b, litellm_params: {model: nowhere/x}}"
    ),
    "a fallback to an alias that does not exist": (
        "router_settings: {fallbacks: [{cheap: [nobody]}]}"
    ),
    "`budget_duration` that is not understood": (
        "litellm_settings: {max_budget: 1, budget_duration: sometimes}"
    ),
    "a model without a price, under a budget": (
        "model_list:\n"
        "  - {model_name: own, litellm_params: {model: openai/own, api_key: k}}\n"
        "litellm_settings: {max_budget: 1, budget_duration: monthly}"
    ),
    "`database_url` or `DATABASE_URL` that is not PostgreSQL": (
        "general_settings: {database_url: 'mysql://db/x'}"
    ),
    "two Redis servers, under `router_settings` and `coordination_redis`": (
        "router_settings: {redis_host: a, redis_port: 1}\n"
        "general_settings: {coordination_redis: {host: b, port: 2}}"
    ),
    "`redis_url` beside `redis_host`": (
        "router_settings: {redis_url: 'redis://a:1', redis_host: b}"
    ),
    "`max_end_user_budget_id`": ("litellm_settings: {max_end_user_budget_id: x}"),
    "a callback that does not exist": ("litellm_settings: {callbacks: [no_such_sink]}"),
    '`model_name: "*"` and other wildcards': (
        'model_list:\n  - {model_name: "*", litellm_params: {model: "openai/*", api_key: k}}'
    ),
    "login checks, address filters and the like": ("general_settings: {enable_jwt_auth: true}"),
}


def read(text: str, folder: Path) -> Loaded:
    path = folder / "config.yaml"
    path.write_text(text)
    (folder / "other.yaml").write_text("litellm_settings: {num_retries: 2}\n")
    return load([path], {}, known=known())


def test_the_file_without_the_example_can_be_served(tmp_path):
    assert read(CHEAP, tmp_path).settings is not None


def test_every_row_has_an_example_and_no_other():
    assert set(ROWS) == set(EXAMPLES)


@pytest.mark.parametrize("row", EXAMPLES)
def test_the_start_stops_as_the_page_says(row, tmp_path):
    loaded = read(f"{CHEAP}{EXAMPLES[row]}\n", tmp_path)
    assert loaded.settings is None
    assert [each for each in loaded.findings if each.severity is Severity.ERROR]

"""Which files are read, and with what knowledge."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.pricing import PriceList
from tiergate.wiring.configuration import find_configuration, known, read_configuration

TEXT = """
model_list:
  - model_name: cheap
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: os.environ/KEY}
"""


@pytest.mark.parametrize(
    ("given", "environ", "found"),
    [
        (("a.yaml", "b.yaml"), {"CONFIG_FILE_PATH": "c.yaml"}, ("a.yaml", "b.yaml")),
        ((), {"CONFIG_FILE_PATH": "c.yaml"}, ("c.yaml",)),
        ((), {"CONFIG_FILE_PATH": ""}, ("config.yaml",)),
        ((), {}, ("config.yaml",)),
    ],
)
def test_the_files_given_else_the_variables_else_the_usual_one(given, environ, found):
    assert find_configuration([Path(p) for p in given], environ) == tuple(Path(p) for p in found)


def test_it_is_read_with_the_hosts_prices_and_keys_of_this_program(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)

    settings = read_configuration([path], {"KEY": "k-123456789"}).settings
    assert settings.deployments[0].api_base == "https://api.anthropic.com"
    assert read_configuration([path], {}).settings is None
    assert read_configuration([path], {}, env=False).settings is not None


def test_a_price_list_that_is_at_hand_is_used():
    prices = PriceList()
    found = known(prices)
    assert found.prices is prices
    assert found.keys.explain("num_retries")

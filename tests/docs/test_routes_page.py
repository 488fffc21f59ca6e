"""The page of routes has every route of a gateway that has everything, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tiergate.config.load import load
from tiergate.pricing import PriceList
from tiergate.web.control import Control
from tiergate.web.data_plane import ROUTES
from tiergate.wiring.build import Gateway
from tiergate.wiring.configuration import known
from tiergate.wiring.state import open_state

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "routes.md").read_text("utf-8")
ROW = re.compile(r"^\| ([A-Z]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]*) ?\|$", re.MULTILINE)
ROWS = ROW.findall(PAGE)
EVERYTHING = """
model_list:
  - {model_name: cheap, litellm_params: {model: anthropic/claude-haiku-4-5, api_key: k}}
litellm_settings:
  cache: true
  cache_params: {type: local}
general_settings: {master_key: 7f3kQ9xV2mZp8LwR4tYb}
"""


def told() -> dict[tuple[str, str], str]:
    """Who may ask each method and path of the page."""
    found: dict[tuple[str, str], str] = {}
    for method, paths, who, _, _ in ROWS:
        for path in re.findall(r"`([^`]+)`", paths):
            found[method, path] = who
    return found


async def there(folder: Path) -> dict[tuple[str, str], str]:
    """The same of the program."""
    path = folder / "config.yaml"
    path.write_text(EVERYTHING)
    settings = load([path], {}, known=known()).settings
    assert settings is not None
    state = await open_state(settings.stores, folder / "state")
    gateway = Gateway(settings, {}, PriceList(), on_loopback=True, state=state)
    control = gateway.plane()._control.__self__
    await gateway.aclose()
    await state.aclose()
    assert isinstance(control, Control)
    found = {("POST", path): "any key" for path in ROUTES if re.fullmatch(r"/v1/.*\w", path)}
    for paths, who in (
        (control._open, "open"),
        (control._shared, "any key"),
        (control._keyed, "master key"),
    ):
        found |= {("GET", path): who for path in paths}
    for table in (control._routes._exact, control._routes._open_ended):
        for methods in table.values():
            for method, route in methods.items():
                found[method, route.path] = "any key" if route.keys else "master key"
    return found | {("GET", "/metrics"): "open on loopback, else master key"}


async def test_the_page_has_every_route_and_no_other_and_says_who_may_ask(tmp_path):
    assert told() == await there(tmp_path), "see docs/reference/routes.md"


def test_the_routes_stand_in_order():
    assert len(ROWS) == len(re.findall(r"^\| (?!method|-)", PAGE, re.MULTILINE))
    paths = [re.findall(r"`([^`]+)`", row[1])[0] for row in ROWS]
    assert paths == sorted(paths)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_every_route_says_what_it_does(row):
    assert len(row[3].strip()) >= 8

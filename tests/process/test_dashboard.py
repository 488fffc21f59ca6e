"""The dashboard in a real browser: what people see and do, in light and dark, on a phone.

The pictures of the pages go into a temporary folder. With TIERGATE_UPDATE_PICTURES=1 they go into
`docs/images`, where the documentation shows them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.browser import PHONE, Tab, browsing
from support.gateway import KEY
from support.http_client import fetch
from support.ui_story import HOSTILE, Story, story_of

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

PAGES = {
    "overview": "/ui",
    "budgets": "/ui/budgets",
    "costs": "/ui/costs?by=ticket&period=30d",
    "requests": "/ui/requests",
    "request": "/ui/requests/outage-0",
    "deployments": "/ui/deployments",
    "routes": "/ui/routes",
    "caches": "/ui/caches",
    "keys": "/ui/keys",
    "check": "/ui/check",
}
PICTURES = Path(__file__).parents[2] / "docs" / "images"
UPDATE = os.environ.get("TIERGATE_UPDATE_PICTURES") == "1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    async with story_of(tmp_path_factory.mktemp("dashboard") / "gateway") as told:
        yield told


@pytest_asyncio.fixture(loop_scope="module")
async def tab(story: Story, tmp_path: Path) -> AsyncIterator[Tab]:
    async with browsing(tmp_path / "profile", story.gateway.url) as opened:
        await opened.sign_in(KEY)
        yield opened
        assert opened.faults == []
        assert opened.elsewhere == []


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
async def test_every_page_is_accessible_fits_and_asks_nobody_else(
    story: Story, tmp_path: Path, look: str
):
    kept = PICTURES if UPDATE and look != "phone" else tmp_path
    size = {"size": PHONE} if look == "phone" else {}
    async with browsing(
        tmp_path / "profile", story.gateway.url, dark=look == "dark", **size
    ) as opened:
        await opened.go("/ui/login")
        assert await opened.violations() == []
        await opened.sign_in(KEY)
        for name, path in PAGES.items():
            await opened.go(path)
            assert await opened.violations() == [], name
            assert await opened.too_wide() == 0, name
            ending = "" if look == "light" else f"-{look}"
            picture = kept / f"ui-{name}{ending}.png"
            if not UPDATE or look == "light" or name in ("overview", "request"):
                await opened.page.screenshot(path=picture)
                assert picture.stat().st_size > 10_000
        assert opened.faults == []
        assert opened.elsewhere == []


async def test_the_documentation_has_a_picture_of_each_page():
    for name in PAGES:
        assert (PICTURES / f"ui-{name}.png").exists(), "TIERGATE_UPDATE_PICTURES=1 makes them"


async def test_one_signs_in_once_and_out_for_good(story: Story, tmp_path: Path):
    async with browsing(tmp_path / "profile", story.gateway.url) as opened:
        page = opened.page
        await opened.go("/ui/keys")
        assert page.url.endswith("/ui/login?next=/ui/keys")
        await page.get_by_label("Master key of the gateway").fill("wrong")
        await page.keyboard.press("Enter")
        await page.get_by_text("That is not the gateway's master key.").wait_for()
        await page.get_by_label("Master key of the gateway").fill(KEY)
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Keys").wait_for()
        assert KEY not in await page.content()
        (cookie,) = [
            each for each in await page.context.cookies() if "session" in str(each.get("name"))
        ]
        assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Strict")
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_text("You have signed out.").wait_for()
        stolen = f"{cookie.get('name')}={cookie.get('value')}"
        answer = await fetch(story.gateway.port, "GET", "/ui", headers=[("cookie", stolen)])
        assert answer.status == 303
        (fault,) = opened.faults
        assert "401" in fault


async def test_budgets_on_the_page_are_those_of_the_api(story: Story, tab: Tab):
    budgets = (await story.gateway.get("/budgets")).json["budgets"]
    await tab.go("/ui/budgets")
    shown = await tab.page.locator(".gauge").count()
    assert shown == len(budgets)
    frontier = tab.page.locator(".gauge", has_text="frontier")
    (row,) = [each for each in budgets if each["name"] == "frontier"]
    exact = await frontier.locator(".gauge-used .money").first.get_attribute("title")
    assert exact == f"{row['spent_usd']:f}".rstrip("0").rstrip(".") + " USD"


async def test_one_request_says_why_it_went_to_balanced(story: Story, tab: Tab):
    await tab.go("/ui/requests?ticket=PROJ-128&phase=implement&key=ci-nightly")
    await tab.page.locator(f'a.id[href="/ui/requests/{story.moved}"]').click()
    steps = await tab.page.locator(".trail li").all_inner_texts()
    said = " ".join(" ".join(steps).split())
    assert "anthropic/claude-haiku-4-5 (haiku-1) was asked for cheap and failed with 529" in said
    assert "openai/gpt-5-mini (mini-1) was asked for cheap and failed with 503" in said
    assert said.endswith("anthropic/claude-sonnet-4-6 (sonnet-1) answered for balanced.")
    record = (await story.gateway.get(f"/ledger?call_id={story.moved}")).json["records"][0]
    charged = await tab.page.locator("tfoot").inner_text()
    assert f"{record['cost_usd']} USD" in charged


async def test_a_refused_call_says_what_refused_it(story: Story, tab: Tab):
    await tab.go(f"/ui/requests/{story.refused}")
    body = await tab.page.locator("main").inner_text()
    assert "the gateway refused it with 429" in body
    assert "a budget is used up" in body


async def test_calls_under_way_are_seen_while_they_last(story: Story, tab: Tab):
    await tab.go("/ui/requests")
    await tab.page.get_by_role("group", name="Calls under way").get_by_text("slow-call").wait_for()
    await tab.go("/ui/requests/slow-call")
    await tab.page.get_by_text("This call is under way.").wait_for()


async def test_a_page_that_is_left_open_shows_what_happens(story: Story, tab: Tab):
    await tab.go("/ui/requests")
    await story.gateway.post(
        "/v1/messages",
        {"model": "balanced", "max_tokens": 5, "messages": [{"role": "user", "content": "again"}],
         "cache": {"no-cache": True}},
        headers=[("x-litellm-call-id", "while-open")],
    )  # fmt: skip
    await tab.page.locator('a.id[href="/ui/requests/while-open"]').wait_for()


async def test_updates_can_be_paused(tab: Tab):
    await tab.go("/ui/requests")
    button = tab.page.get_by_role("button", name="Pause updates")
    await button.click()
    again = tab.page.get_by_role("button", name="Go on with updates")
    assert await again.get_attribute("aria-pressed") == "true"
    await again.click()
    assert await button.get_attribute("aria-pressed") == "false"


async def test_a_cooldown_runs_down_on_the_page(tab: Tab):
    await tab.go("/ui/deployments")
    timer = tab.page.locator("time[data-until]").first
    first = await timer.inner_text()
    assert re.fullmatch(r"in \d+ min( \d+ s)?", first)
    await tab.page.wait_for_function(
        "text => document.querySelector('time[data-until]').textContent !== text", arg=first
    )


async def test_a_route_is_set_for_a_while_and_given_back(story: Story, tab: Tab):
    page = tab.page
    await tab.go("/ui/routes")
    await page.locator("select[name=kind]").select_option("budget")
    await page.locator("select[name=alias]").select_option("frontier")
    await page.get_by_label("Go to, in order").fill("balanced, cheap")
    await page.get_by_label("For how long").fill("30min")
    await page.get_by_label("Why").fill("the month is nearly over")
    await page.get_by_role("button", name="Set the route").click()
    await page.get_by_text("The route is set.").wait_for()
    routes = page.get_by_role("group", name="Routes: Used-up budgets")
    assert "balanced → cheap" in await routes.inner_text()
    found = await story.gateway.get("/fallback/frontier?fallback_type=budget")
    assert "balanced" in json.dumps(found.json)
    await routes.get_by_text("Give back to the file").first.click()
    await routes.get_by_role("button", name="Give back to the file").click()
    await page.get_by_text("the file decides again").wait_for()
    found = await story.gateway.get("/fallback/frontier?fallback_type=budget")
    assert found.status == 404


async def test_a_key_is_made_blocked_and_deleted(story: Story, tab: Tab):
    page = tab.page
    await tab.go("/ui/keys")
    await page.get_by_label("Name").fill("from the page")
    await page.get_by_label("Limit in USD").fill("5")
    await page.get_by_role("button", name="Make the key").click()
    key = await page.locator(".secret").inner_text()
    assert (await story.gateway.get("/v1/models", key=key)).status == 200
    await page.get_by_role("button", name="Block from the page").click()
    await page.get_by_text("The key is blocked.").wait_for()
    assert (await story.gateway.get("/v1/models", key=key)).status == 403
    row = page.get_by_role("row").filter(has_text="from the page")
    await row.locator("summary").click()
    await row.get_by_role("button", name="Delete from the page").click()
    await page.get_by_text("The key is deleted.").wait_for()
    assert (await story.gateway.get("/v1/models", key=key)).status == 401


async def test_what_callers_have_named_is_never_more_than_text(story: Story, tab: Tab):
    for path in ("/ui/requests", f"/ui/requests/{story.hostile}", "/ui/keys",
                 "/ui/costs?by=workflow", "/ui/costs?by=ticket"):  # fmt: skip
        await tab.go(path)
        assert await tab.page.locator("main script").count() == 0
    await tab.page.get_by_text(HOSTILE[:20]).first.wait_for()


async def test_the_chart_is_drawn_and_stands_as_a_table_too(tab: Tab):
    await tab.go("/ui/costs?by=alias&period=7d")
    assert await tab.page.locator(".plot canvas").count() == 1
    await tab.page.get_by_text("The same numbers as a table").click()
    rows = tab.page.locator(".as-table tbody tr")
    assert await rows.count() == 7


async def test_without_scripts_every_page_works(story: Story, tmp_path: Path):
    async with browsing(tmp_path / "profile", story.gateway.url, scripts=False) as opened:
        await opened.sign_in(KEY)
        for name, path in PAGES.items():
            await opened.go(path)
            assert await opened.page.locator("h1").count() == 1, name
        await opened.go("/ui/costs")
        await opened.page.get_by_role("link", name="Phase").click()
        assert await opened.page.get_by_role("rowheader", name="review").count() >= 1


async def test_with_the_keyboard_alone_one_gets_everywhere(tab: Tab):
    await tab.go("/ui")
    await tab.page.keyboard.press("Tab")
    assert await _focus(tab) == "Skip to the content"
    await tab.page.keyboard.press("Enter")
    await tab.page.keyboard.press("Tab")
    assert await _focus(tab) == "Pause updates"
    await tab.go("/ui")
    for _ in range(4):
        await tab.page.keyboard.press("Tab")
    assert await _focus(tab) == "Budgets"
    width = await tab.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "2px"
    await tab.page.keyboard.press("Enter")
    await tab.page.get_by_role("heading", name="Budgets", level=1).wait_for()


async def test_two_workers_show_the_calls_of_both_and_know_one_session(tmp_path: Path):
    async with story_of(tmp_path / "gateway", workers=2, days=0) as told:
        port = told.gateway.port
        cookie = await _signed_in(port)
        for _ in range(12):  # each on a connection of its own, so that both workers answer
            answer = await fetch(port, "GET", "/ui/requests", headers=[("cookie", cookie)])
            assert answer.status == 200
            assert "slow-call" in answer.text
        for _ in range(5):  # on a busy machine a worker may answer the other one late
            page = await fetch(port, "GET", "/ui/deployments", headers=[("cookie", cookie)])
            if "2 serving" in page.text:
                break
        assert "2 serving" in page.text


async def _focus(tab: Tab) -> str:
    return str(await tab.page.evaluate("document.activeElement.textContent")).strip()


async def _signed_in(port: int) -> str:
    """The session's cookie, got as a browser without scripts would get it."""
    first = await fetch(port, "GET", "/ui/login")
    visit = str(first.header("set-cookie")).partition(";")[0]
    token = re.search(r'name="token" value="([^"]+)"', first.text)
    assert token is not None
    answer = await fetch(
        port,
        "POST",
        "/ui/login",
        body=f"token={token[1]}&key={KEY}".encode(),
        headers=[("cookie", visit), ("content-type", "application/x-www-form-urlencoded")],
    )
    assert answer.status == 303, answer.text
    return str(answer.header("set-cookie")).partition(";")[0]

"""Who may come in, what a form must carry, and what stands on every answer."""

from __future__ import annotations

import pytest

from support.ui_world import HOSTILE, MASTER, World
from tiergate.core.caller import MASTER as ADMIN
from tiergate.core.door import MOST_OF_ONE, TRY_SECONDS
from tiergate.ports import StoreDownError
from tiergate.ui.rendering import MENU
from tiergate.ui.session import SESSION_COOKIE, SESSION_SECONDS, VISIT_COOKIE

PAGES = [path for path, _ in MENU]


@pytest.fixture
def world():
    return World()


# ------------------------------------------------------------------ signing in


@pytest.mark.parametrize("path", [*PAGES, "/ui/nowhere", "/ui/requests/some-call"])
async def test_a_stranger_is_sent_to_sign_in_and_sees_nothing(world, path):
    proto = await world.get(path)
    assert (proto.status, proto.data) == (303, b"")
    assert proto.header("location") == f"/ui/login?next={path}"


@pytest.mark.parametrize("path", PAGES)
async def test_with_the_master_key_every_page_is_there(world, path):
    assert (await world.sign_in()).status == 303
    assert "<h1>" in await world.page(path)


async def test_after_signing_in_one_is_where_one_wanted_to_go(world):
    await world.get("/ui/login?next=/ui/keys")
    proto = await world.post("/ui/login", key=MASTER, next="/ui/keys")
    assert proto.header("location") == "/ui/keys"


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/uix", "/ui/\\evil", "/ui//evil", "javascript:1"],
)
async def test_no_address_sends_one_to_another_site(world, wanted):
    await world.get("/ui/login")
    assert (await world.post("/ui/login", key=MASTER, next=wanted)).header("location") == "/ui"


@pytest.mark.parametrize("key", ["", "wrong", "sk-" + "x" * 40, "sk-ünï"])
async def test_another_key_is_no_use(world, key):
    proto = await world.sign_in(key)
    assert proto.status == 401
    assert SESSION_COOKIE not in world.cookies
    assert "not the gateway&#39;s master key" in proto.data.decode()


async def test_a_virtual_key_is_no_use(world):
    made = await world.bureau.desk.make_key({}, ADMIN)
    assert (await world.sign_in(made[0])).status == 401


async def test_no_page_and_no_cookie_has_the_key(world):
    proto = await world.sign_in()
    seen = [str(proto.headers)]
    for path in PAGES:
        seen.append(await world.page(path))
    assert MASTER not in "".join(seen)


async def test_who_tries_keys_has_to_wait_even_with_the_right_one(world):
    for _ in range(MOST_OF_ONE):
        assert (await world.sign_in("wrong")).status == 401
    proto = await world.sign_in()
    assert proto.status == 429
    assert int(proto.header("retry-after")) == TRY_SECONDS
    world.now += TRY_SECONDS
    assert (await world.sign_in()).status == 303


async def test_behind_a_proxy_one_address_does_not_hold_up_the_others(world):
    await world.get("/ui/login")
    for _ in range(MOST_OF_ONE):
        await world.post("/ui/login", {"x-forwarded-for": "10.9.9.9"}, key="wrong")
    proto = await world.post("/ui/login", {"x-forwarded-for": "10.0.0.1"}, key=MASTER)
    assert proto.status == 303


async def test_a_session_ends_by_itself(world):
    await world.sign_in()
    world.now += SESSION_SECONDS
    assert (await world.get("/ui")).status == 303


async def test_signing_out_ends_the_session_for_whoever_has_its_cookie(world):
    await world.sign_in()
    kept = world.cookies[SESSION_COOKIE]
    proto = await world.post("/ui/logout")
    assert proto.header("location") == "/ui/login?said=signed-out"
    assert SESSION_COOKIE not in world.cookies
    world.cookies[SESSION_COOKIE] = kept
    assert (await world.get("/ui")).status == 303


async def test_two_workers_know_the_same_sessions():
    one, two = World(), World()
    await one.sign_in()
    two.cookies = one.cookies
    assert "<h1>Overview</h1>" in await two.page("/ui")


async def test_over_https_the_cookie_is_for_https_only(world):
    proto = await world.ask("GET", "/ui/login", headers={"x-forwarded-proto": "https"})
    (cookie,) = [value for name, value in proto.headers if name == "set-cookie"]
    assert cookie.startswith(f"__Host-{VISIT_COOKIE}=")
    assert cookie.endswith("; Secure")


# ------------------------------------------------------------------ without a master key


async def test_without_a_master_key_the_pages_are_open_to_this_machine():
    world = World(key=None)
    assert "Sign out" not in await world.page("/ui")
    assert (await world.get("/ui/login")).header("location") == "/ui"


async def test_without_a_master_key_other_host_names_are_refused():
    proto = await World(key=None).get("/ui", host="evil.example:4000")
    assert proto.status == 403
    assert "serves programs on this machine only" in proto.data.decode()


async def test_without_a_master_key_forms_need_their_token_all_the_same():
    world = World(key=None)
    await world.page("/ui/keys")
    assert (await world.post("/ui/keys/make", token="")).status == 403
    assert (await world.post("/ui/keys/make", key_alias="build")).status == 200


# ------------------------------------------------------------------ forms


async def test_a_form_without_its_token_changes_nothing(world):
    await world.sign_in()
    for token in ("", "x", "A" * 43):
        proto = await world.post("/ui/keys/make", token=token, key_alias="build")
        assert proto.status == 403
    assert await world.bureau.book.keys() == []


async def test_a_token_of_another_browser_is_no_use(world):
    other = World()
    await other.get("/ui/login")
    await world.sign_in()
    assert (await world.post("/ui/keys/make", token=other.token)).status == 403


async def test_a_form_of_a_browser_without_cookies_is_no_use(world):
    proto = await world.post("/ui/login", key=MASTER)
    assert proto.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_that_comes_from_elsewhere_is_no_use(world, headers):
    await world.sign_in()
    assert (await world.post("/ui/keys/make", headers)).status == 403
    right = {"origin": "http://127.0.0.1:4000", "sec-fetch-site": "same-origin"}
    assert (await world.post("/ui/keys/make", right)).status == 200


async def test_a_form_of_another_type_is_no_use(world):
    await world.sign_in()
    proto = await world.ask(
        "POST", "/ui/keys/make", body=b"{}", headers={"content-type": "application/json"}
    )
    assert proto.status == 415


async def test_looking_changes_nothing(world):
    await world.sign_in()
    assert (await world.get("/ui/keys/make")).status == 405
    assert (await world.get("/ui/logout")).status == 404
    assert "<h1>" in await world.page("/ui")


# ------------------------------------------------------------------ answers


@pytest.mark.parametrize(
    "path", ["/ui", "/ui/login", "/ui/nowhere", "/ui/static/ui.css", "/ui/static/x"]
)
async def test_every_answer_keeps_others_out(world, path):
    for cookies in ({}, await _signed(world)):
        world.cookies = dict(cookies)
        heads = dict((await world.get(path)).headers)
        policy = heads["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert heads["x-content-type-options"] == "nosniff"
        if not path.startswith("/ui/static"):
            assert heads["cache-control"] == "no-store"


async def test_pages_have_no_script_and_no_style_of_their_own(world):
    await world.sign_in()
    for path in PAGES:
        page = await world.page(path)
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick=" not in page
        assert page.count("<script") == page.count('<script src="/ui/static/')


async def test_a_file_is_kept_for_ever_under_its_mark_and_asked_for_without(world):
    proto = await world.get("/ui/static/ui.css")
    assert proto.header("content-type") == "text/css; charset=utf-8"
    assert proto.header("cache-control") == "no-cache"
    tag = proto.header("etag")
    lasting = await world.get(f"/ui/static/ui.css?{tag.strip(chr(34))}")
    assert "immutable" in lasting.header("cache-control")
    same = await world.ask("GET", "/ui/static/ui.css", headers={"if-none-match": tag})
    assert (same.status, same.data) == (304, b"")


@pytest.mark.parametrize(
    "name", ["../dashboard.py", "..%2fdashboard.py", "", "ui.css/", "__init__.py"]
)
async def test_no_other_file_can_be_had(world, name):
    assert (await world.get(f"/ui/static/{name}")).status == 404


async def test_a_probe_gets_no_body(world):
    await world.sign_in()
    proto = await world.ask("HEAD", "/ui")
    assert (proto.status, proto.data) == (200, b"")
    proto = await world.ask("OPTIONS", "/ui")
    assert proto.status == 204


async def test_a_page_that_is_not_there_says_so_in_words(world):
    await world.sign_in()
    proto = await world.get("/ui/nowhere")
    assert proto.status == 404
    assert "There is no such page." in proto.data.decode()


async def test_a_store_that_is_down_is_told_in_words(world, monkeypatch):
    await world.sign_in()
    world.ledger.down = "the disk is full"
    proto = await world.get("/ui/costs")
    assert proto.status == 503
    assert "A store does not answer (the disk is full)" in proto.data.decode()


async def test_what_an_address_says_was_done_is_only_what_can_be_done(world):
    await world.sign_in()
    assert "The key is blocked." in await world.page("/ui/keys?said=key-blocked")
    page = await world.page(f"/ui/keys?said={HOSTILE}")
    assert 'class="said"' not in page
    assert HOSTILE not in page


async def test_the_store_of_keys_may_be_down_while_somebody_signs_in(world, monkeypatch):
    async def away(*_):
        raise StoreDownError("away")

    await world.get("/ui/login")
    monkeypatch.setattr(world.bureau.documents, "read", away)
    proto = await world.post("/ui/login", key="sk-somebody-0123456789")
    assert proto.status == 503
    assert (await world.post("/ui/login", key=MASTER)).status == 303


async def _signed(world):
    await world.sign_in()
    return dict(world.cookies)

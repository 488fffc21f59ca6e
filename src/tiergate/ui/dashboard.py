"""Answers every request to `/ui`: who may come in, which page it is, and the headers of safety.

A page is seen by whoever has signed in with the master key; where the gateway asks for no key
(loopback), by whoever the other administrative routes let in. Every form carries a token that is
tied to the browser. No page loads anything from elsewhere, and none may be put into a frame.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, quote, unquote
from zoneinfo import ZoneInfo

from tiergate.base.errors import Refused
from tiergate.core.caller import MASTER, Caller
from tiergate.ports import Clock, StoreDownError
from tiergate.ui.doorkeeper import Doorkeeper
from tiergate.ui.forms import ROOT, address_of, check_form, own_path, read_form
from tiergate.ui.rendering import Frame, Moment, Page, Renderer
from tiergate.ui.session import (
    NONCE_BYTES,
    SESSION_COOKIE,
    SESSION_SECONDS,
    VISIT_COOKIE,
    Cookie,
    Session,
    form_token,
    new_session,
    new_visit,
    read_cookie,
    read_session,
    session_key,
)
from tiergate.ui.visits import SAID, Done, Entrance, Look, Visit
from tiergate.web.access import Gate
from tiergate.web.data_plane import RsgiProtocol, RsgiScope, check_headers
from tiergate.web.inference import Serving

LOG = logging.getLogger("tiergate.ui")

_LOGIN: Final = "/ui/login"
_LOGOUT: Final = "/ui/logout"
_STATIC: Final = "/ui/static/"

Pairs = list[tuple[str, str]]

SAFETY: Final = (
    (
        "content-security-policy",
        (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)
_UNAVAILABLE: Final = 503
_NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Browser:
    """The browser that asks.

    Attributes:
        secure: It came by HTTPS, as the proxy in front says.
        cookie: What its forms are tied to: the session, else the visit; or empty.
        session: Somebody who has signed in.
        fresh: Cookies that it is given with the answer.
    """

    secure: bool
    cookie: str
    session: Session | None
    fresh: tuple[Cookie, ...] = ()


class Dashboard:
    """The pages.

    Args:
        serving: Gives the configuration in force.
        entrances: All pages.
        door: Who tries keys, and who has signed out.
        renderer: Makes HTML.
        wall: Unix seconds.
        random_bytes: Gives that many random bytes, fit for secrets.
    """

    def __init__(
        self,
        serving: Callable[[], Serving],
        entrances: Sequence[Entrance],
        door: Doorkeeper,
        renderer: Renderer,
        wall: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._serving = serving
        self._door = door
        self._renderer = renderer
        self._wall = wall
        self._random = random_bytes
        self._exact = {(e.method, e.path): e.look for e in entrances}
        self._open_ended = {
            (e.method, e.path[:-2]): e.look for e in entrances if e.path.endswith("/*")
        }

    async def handle(self, scope: RsgiScope, proto: RsgiProtocol, headers: dict[str, str]) -> None:
        """Answer one request to `/ui` or below."""
        serving = self._serving()
        if scope.method == "OPTIONS":
            proto.response_empty(204, [("allow", "GET, HEAD, OPTIONS, POST"), *SAFETY])
            return
        if scope.path.startswith(_STATIC):
            self._static(scope, proto, headers)
            return
        browser = await self._browser(serving, headers)
        try:
            await self._answer(scope, proto, headers, serving, browser)
        except Refused as refused:
            self._error(proto, serving, browser, refused.status, refused.message, refused.headers)
        except StoreDownError as exc:
            message = f"A store does not answer ({exc}). Calls go on; try this page again."
            self._error(proto, serving, browser, 503, message)

    # ------------------------------------------------------------------ who

    async def _browser(self, serving: Serving, headers: Mapping[str, str]) -> _Browser:
        secure = headers.get("x-forwarded-proto", "").split(",")[0].strip().lower() == "https"
        cookies = headers.get("cookie", "")
        master = serving.settings.access.master_key
        if master is not None:
            text = read_cookie(cookies, SESSION_COOKIE, secure=secure)
            session = read_session(session_key(master), text, self._wall())
            if session is not None and not await self._door.has_left(session):
                return _Browser(secure, session.text, session)
        visit = read_cookie(cookies, VISIT_COOKIE, secure=secure)
        if visit:
            return _Browser(secure, visit, None)
        visit = new_visit(self._random(NONCE_BYTES))
        return _Browser(secure, visit, None, (Cookie(VISIT_COOKIE, visit, None, secure),))

    async def _caller(
        self, serving: Serving, browser: _Browser, headers: Mapping[str, str]
    ) -> Caller | None:
        """Return who may see the pages; None for somebody who has to sign in first.

        Raises:
            Refused: 403, where no key is asked and the request is not from this machine.
        """
        if serving.settings.access.master_key is None:
            return await serving.gate.admin(headers)
        return MASTER if browser.session is not None else None

    # ------------------------------------------------------------------ answers

    async def _answer(
        self,
        scope: RsgiScope,
        proto: RsgiProtocol,
        headers: dict[str, str],
        serving: Serving,
        browser: _Browser,
    ) -> None:
        check_headers(headers, serving.access)
        path = scope.path.rstrip("/")
        method = "GET" if scope.method == "HEAD" else scope.method
        caller = await self._caller(serving, browser, headers)
        query = dict(parse_qsl(scope.query_string, keep_blank_values=True))
        form = _NO_WORDS
        if method == "POST":
            form = await read_form(proto, headers, serving.access)
            check_form(form, headers, "" if browser.fresh else browser.cookie)
        if path == _LOGIN:
            await self._login(scope, proto, headers, serving, browser, form, query)
            return
        if path == _LOGOUT and method == "POST":
            await self._logout(proto, browser)
            return
        if caller is None:
            self._to_login(proto, browser, scope)
            return
        look, rest = self._find(method, path)
        visit = Visit(
            moment=self._moment(serving),
            caller=caller,
            query=query,
            form=form,
            rest=rest,
        )
        reply = await look(visit)
        if isinstance(reply, Done):
            sign = "&" if "?" in reply.path else "?"
            self._redirect(proto, browser, f"{reply.path}{sign}said={reply.said}")
            return
        said = SAID.get(query.get("said", ""), "") if method == "GET" else ""
        self._page(proto, serving, browser, reply, said=said, head=scope.method == "HEAD")

    def _find(self, method: str, path: str) -> tuple[Look, str]:
        look = self._exact.get((method, path))
        if look is not None:
            return look, ""
        start, _, rest = path.rpartition("/")
        look = self._open_ended.get((method, start))
        if look is not None:
            return look, unquote(rest)
        if any(known == path for _, known in self._exact):
            raise Refused(405, "This page cannot be asked that way.", code="method_not_allowed")
        raise Refused(404, "There is no such page.", code="unknown_route")

    def _page(
        self,
        proto: RsgiProtocol,
        serving: Serving,
        browser: _Browser,
        page: Page,
        *,
        said: str = "",
        head: bool = False,
        more: Sequence[tuple[str, str]] = (),
    ) -> None:
        frame = Frame(
            moment=self._moment(serving),
            token=form_token(browser.cookie),
            signed_in=browser.session is not None,
            said=said,
        )
        body = self._renderer.html(page, frame)
        heads: Pairs = [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            *SAFETY,
            *(cookie.header() for cookie in browser.fresh),
            *more,
        ]
        if head:
            proto.response_empty(page.status, heads)
        else:
            proto.response_bytes(page.status, heads, body)

    def _error(
        self,
        proto: RsgiProtocol,
        serving: Serving,
        browser: _Browser,
        status: int,
        message: str,
        more: Sequence[tuple[str, str]] = (),
    ) -> None:
        page = Page(
            template="error.html",
            title=_TITLES.get(status, "This did not work"),
            place="",
            data={"message": message},
            status=status,
        )
        self._page(proto, serving, browser, page, more=more)

    def _redirect(
        self,
        proto: RsgiProtocol,
        browser: _Browser,
        target: str,
        cookies: Sequence[Cookie] = (),
    ) -> None:
        heads = [
            ("location", target),
            ("cache-control", "no-store"),
            *SAFETY,
            *(cookie.header() for cookie in (*browser.fresh, *cookies)),
        ]
        proto.response_bytes(303, heads, b"")

    def _static(self, scope: RsgiScope, proto: RsgiProtocol, headers: Mapping[str, str]) -> None:
        file = self._renderer.files.get(scope.path.removeprefix(_STATIC))
        if file is None or scope.method not in ("GET", "HEAD"):
            proto.response_bytes(404, [("content-type", "text/plain"), *SAFETY], b"Not found.\n")
            return
        tag = f'"{file.mark}"'
        # The pages name the content's mark in the address, so a browser need never ask again.
        lasting = scope.query_string == file.mark
        heads: Pairs = [
            ("content-type", file.content_type),
            ("cache-control", "public, max-age=31536000, immutable" if lasting else "no-cache"),
            ("etag", tag),
            *SAFETY,
        ]
        if headers.get("if-none-match") == tag:
            proto.response_empty(304, heads)
        elif scope.method == "HEAD":
            proto.response_empty(200, heads)
        else:
            proto.response_bytes(200, heads, file.body)

    def _moment(self, serving: Serving) -> Moment:
        return Moment(self._wall(), ZoneInfo(serving.settings.budget_timezone))

    # ------------------------------------------------------------------ signing in and out

    def _to_login(self, proto: RsgiProtocol, browser: _Browser, scope: RsgiScope) -> None:
        wanted = scope.path if scope.method in ("GET", "HEAD") else ROOT
        self._redirect(proto, browser, f"{_LOGIN}?next={quote(wanted, safe='/')}")

    async def _login(
        self,
        scope: RsgiScope,
        proto: RsgiProtocol,
        headers: Mapping[str, str],
        serving: Serving,
        browser: _Browser,
        form: Mapping[str, str],
        query: Mapping[str, str],
    ) -> None:
        target = own_path(form.get("next") or query.get("next", ROOT))
        master = serving.settings.access.master_key
        if master is None or browser.session is not None:
            self._redirect(proto, browser, target)
            return
        if scope.method != "POST":
            said = SAID.get(query.get("said", ""), "")
            self._page(proto, serving, browser, _login_page(target), said=said)
            return
        who = address_of(scope, headers)
        wait = await self._door.wait(who)
        if wait is not None:
            seconds = max(1, round(wait))
            page = _login_page(
                target, f"Too many wrong keys. Try again in {seconds} seconds.", status=429
            )
            self._page(proto, serving, browser, page, more=[("retry-after", str(seconds))])
            return
        if not await _is_admin(serving.gate, form.get("key", "")):
            await self._door.failed(who)
            LOG.warning("dashboard: a wrong key was tried", extra={"from": who})
            page = _login_page(target, "That is not the gateway's master key.", status=401)
            self._page(proto, serving, browser, page)
            return
        session = new_session(session_key(master), self._wall(), self._random(NONCE_BYTES))
        LOG.info("dashboard: somebody signed in", extra={"from": who})
        cookies = (
            Cookie(SESSION_COOKIE, session.text, SESSION_SECONDS, browser.secure),
            Cookie(VISIT_COOKIE, "", 0, browser.secure),
        )
        self._redirect(proto, browser, target, cookies)

    async def _logout(self, proto: RsgiProtocol, browser: _Browser) -> None:
        if browser.session is not None:
            await self._door.leave(browser.session)
        gone = Cookie(SESSION_COOKIE, "", 0, browser.secure)
        self._redirect(proto, browser, f"{_LOGIN}?said=signed-out", (gone,))


_TITLES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "This cannot be understood",
        403: "This is not allowed",
        404: "There is nothing here",
        503: "Not possible now",
    }
)


def _login_page(target: str, fault: str = "", *, status: int = 200) -> Page:
    return Page(
        template="login.html",
        title="Sign in",
        place="",
        data={"target": target, "fault": fault},
        status=status,
    )


async def _is_admin(gate: Gate, key: str) -> bool:
    """Tell whether a key is an administrator's."""
    try:
        await gate.admin({"x-litellm-api-key": key})
    except Refused as refused:
        if refused.status == _UNAVAILABLE:
            raise
        return False
    return True

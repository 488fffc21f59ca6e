"""The dashboard over parts in memory: ledger, keys, routes, budgets, a clock moved by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from support.attempts import deployments, settings
from support.fallbacks import routes_of
from support.keys import Bureau
from support.ledger import NOON, MemoryLedger
from support.rsgi import Proto, Scope
from tiergate.base.values import Secret
from tiergate.config import durations
from tiergate.core.catalog import Access, Catalog, Settings
from tiergate.core.cost import Price, Rates
from tiergate.pipeline.fallback_book import FallbackBook
from tiergate.pipeline.standings import BudgetRow
from tiergate.ui.call_pages import CallPages
from tiergate.ui.dashboard import Dashboard
from tiergate.ui.doorkeeper import Doorkeeper
from tiergate.ui.fleet_pages import FleetPages
from tiergate.ui.key_pages import KeyPages
from tiergate.ui.money_pages import MoneyPages
from tiergate.ui.rendering import Renderer
from tiergate.ui.route_pages import RoutePages
from tiergate.ui.session import SESSION_COOKIE, VISIT_COOKIE, form_token
from tiergate.ui.sights import Fleet, Sights
from tiergate.web.access import Gate
from tiergate.web.aliases import RequestRules
from tiergate.web.cache_routes import OpenCache
from tiergate.web.data_plane import header_map
from tiergate.web.inference import Serving

MASTER = "sk-master-0123456789-abcdef"
USD = 1_000_000_000
HOSTILE = "<script>alert('x')</script>\"'&"
PRICE = Price(Rates.of(3 * USD, 15 * USD, cache_read=USD // 3))
RENDERER = Renderer()


def budget(scope: str = "alias", name: str = "cheap", **given: object) -> BudgetRow:
    """A budget of 100 USD of which 40 are spent."""
    values: dict[str, object] = {
        "limit": 100 * USD,
        "spent": 40 * USD,
        "held": 0,
        "window": "monthly",
        "resets_at": "2026-12-01T00:00:00Z",
        "forecast": 50 * USD,
        "on_store_failure": "allow_leased",
    }
    return BudgetRow(scope, name, **{**values, **given})  # pyright: ignore[reportArgumentType]


def text(page: str) -> str:
    """A page without its tags, with single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@dataclass
class World:
    """A dashboard, and a browser that keeps its cookies."""

    key: str | None = MASTER
    ledger: MemoryLedger | None = field(default_factory=MemoryLedger)
    rows: Sequence[BudgetRow] = ()
    fleet: Fleet = field(default_factory=Fleet)
    cache: OpenCache | None = None
    faults: Sequence[str] = ()
    settings: Settings = field(
        default_factory=lambda: settings(
            deployments(cheap="a", balanced="b", frontier="c"),
        )
    )
    now: float = NOON
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bureau = Bureau(now=self.now)
        self.book = FallbackBook(self.bureau.documents, lambda: self.now, self._new_id)
        self.book.govern(routes_of(None))
        self._ids = 0
        sights = Sights(
            serving=lambda: self.serving,
            wall=lambda: self.now,
            budgets=self._budgets,
            ledger=self.ledger,
            fleet=self._fleet,
            faults=lambda: self.faults,
            cache=lambda: self.cache,
            price=lambda _: PRICE,
            keys=self.bureau.desk,
            fallbacks=self.book,
            seconds=durations.seconds,
            place="memory of this process",
        )
        entrances = [
            *MoneyPages(sights).entrances(),
            *CallPages(sights).entrances(),
            *FleetPages(sights).entrances(),
            *RoutePages(sights).entrances(),
            *KeyPages(sights).entrances(),
        ]
        self.dashboard = Dashboard(
            lambda: self.serving,
            entrances,
            Doorkeeper(self.bureau.documents, lambda: self.now),
            RENDERER,
            lambda: self.now,
            self._random,
        )
        self._drawn = 0

    @property
    def serving(self) -> Serving:
        """The configuration in force."""
        secret = Secret(self.key) if self.key is not None else None
        access = Access(master_key=secret)
        return Serving(
            gate=Gate(secret, self.bureau.ring),
            access=access,
            rules=RequestRules.of(Catalog.of(self.settings), self.settings.router, frozenset()),
            engine=None,  # pyright: ignore[reportArgumentType]
            counting=None,  # pyright: ignore[reportArgumentType]
            settings=replace(self.settings, access=access),
            metrics_guarded=True,
        )

    # ------------------------------------------------------------------ a browser

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Proto:
        """One request; cookies that it is given are kept."""
        path, _, query = path.partition("?")
        pairs = {"host": "127.0.0.1:4000", **(headers or {})}
        if self.cookies and "cookie" not in pairs:
            pairs["cookie"] = "; ".join(f"{n}={v}" for n, v in self.cookies.items())
        scope = Scope(method, path, pairs, query)
        proto = Proto([body])
        await self.dashboard.handle(scope, proto, header_map(list(pairs.items())))
        for name, value in proto.headers:
            if name == "set-cookie":
                self._keep(value)
        return proto

    async def get(self, path: str, **headers: str) -> Proto:
        """Look at a page."""
        return await self.ask("GET", path, headers=headers)

    async def page(self, path: str) -> str:
        """Look at a page that must be there."""
        proto = await self.get(path)
        assert proto.status == 200, (proto.status, proto.data)
        return proto.data.decode()

    async def post(
        self, path: str, headers: Mapping[str, str] | None = None, **fields: str
    ) -> Proto:
        """Send a form of ours."""
        kinds = {"content-type": "application/x-www-form-urlencoded"}
        return await self.ask(
            "POST",
            path,
            body=urlencode({"token": self.token, **fields}).encode(),
            headers={**kinds, **(headers or {})},
        )

    async def sign_in(self, key: str = MASTER) -> Proto:
        """Sign in."""
        await self.get("/ui/login")
        return await self.post("/ui/login", key=key)

    @property
    def token(self) -> str:
        """The token that this browser's forms carry."""
        cookie = self.cookies.get(SESSION_COOKIE) or self.cookies.get(VISIT_COOKIE, "")
        return form_token(cookie)

    def _keep(self, header: str) -> None:
        pair, *rest = header.split("; ")
        name, _, value = pair.partition("=")
        if "Max-Age=0" in rest:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    async def _budgets(self) -> Sequence[BudgetRow]:
        return self.rows

    async def _fleet(self) -> Fleet:
        return self.fleet

    def _new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"

    def _random(self, count: int) -> bytes:
        self._drawn += 1
        return bytes([self._drawn % 256]) * count

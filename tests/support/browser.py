"""Debian's Chromium, headless, with a fresh profile; and what it saw go wrong on a page."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

AXE = Path(__file__).parents[2] / ".tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
"""The accessibility checker; `scripts/setup.sh test` installs it."""


@dataclass
class Tab:
    """One page of a browser.

    Attributes:
        page: Playwright's.
        faults: What the browser complained of: errors of scripts, blocked content.
        elsewhere: Addresses that it asked of anybody but the gateway.
    """

    page: Page
    home: str
    faults: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._said)
        self.page.on("dialog", lambda dialog: self.faults.append(f"a dialog: {dialog.message}"))
        self.page.on("request", lambda request: self._asked(request.url))

    async def go(self, path: str) -> None:
        """Open a page of the gateway."""
        await self.page.goto(f"{self.home}{path}")

    async def sign_in(self, key: str) -> None:
        """Sign in with a key."""
        await self.go("/ui/login")
        await self.page.get_by_label("Master key of the gateway").fill(key)
        await self.page.get_by_role("button", name="Sign in").click()

    async def violations(self) -> list[str]:
        """What the accessibility checker finds on the page: rule, place, and why."""
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{rule['id']}: {node['html'][:200]} ({node['failureSummary']})"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    async def too_wide(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(
            await self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def _said(self, message) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def _asked(self, url: str) -> None:
        if not url.startswith(self.home) and not url.startswith(("data:", "about:")):
            self.elsewhere.append(url)


@contextlib.asynccontextmanager
async def browsing(
    folder: Path,
    home: str,
    *,
    size: ViewportSize = DESK,
    dark: bool = False,
    scripts: bool = True,
) -> AsyncIterator[Tab]:
    """Start a browser with an empty profile and open a tab.

    Args:
        folder: An empty folder for the profile.
        home: The gateway's address.
        size: Of the window.
        dark: Whether the user likes dark pages.
        scripts: Whether scripts run.
    """
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder,
            executable_path=CHROMIUM,
            args=list(ARGUMENTS),
            viewport=size,
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            reduced_motion="reduce",
            bypass_csp=False,
        )
        try:
            context.set_default_timeout(15_000)
            yield Tab(context.pages[0], home)
        finally:
            await context.close()

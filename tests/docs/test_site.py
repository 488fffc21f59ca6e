"""The site of the documentation is built strictly, has every page, and fetches from nowhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.snippets import snippets_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CONFIG = (ROOT / "mkdocs.yml").read_text("utf-8")
NAMED = re.findall(r"^ +- ([\w/.-]+\.md)$", CONFIG, re.MULTILINE)
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
FETCHED = re.compile(r'<(?:script|img)[^>]+src="(https?:[^"]+)|<link[^>]+href="(https?:[^"]+)')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "mkdocs.yml").write_text(CONFIG)
    shutil.copytree(DOCS, folder / "docs")
    done = build(folder)
    said = re.sub(r"\x1b\[[\d;]*m", "", done.stderr).partition("Traceback")[0]
    assert done.returncode == 0, said
    return folder / "site"


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a folder as `make docs` does."""
    zensical = Path(sys.executable).with_name("zensical")
    return subprocess.run(
        [str(zensical), "build", "--strict"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_page_has_a_place_in_the_menu():
    assert sorted(NAMED) == PAGES, "see nav in mkdocs.yml"


def test_no_link_leads_out_of_the_docs():
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text("utf-8")):
            if not re.match(r"[a-z]+:", target):
                to = (page.parent / target).resolve()
                assert to.is_relative_to(DOCS), f"{page.name}: {target} is not on the site"


def test_every_page_is_built(site):
    for page in PAGES:
        html = (site / page).with_suffix(".html").read_text("utf-8")
        assert "<h1" in html, page


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_is_shown_as_one(site, page):
    """Python's Markdown wants four spaces before a block in a list; three break it silently."""
    shown = [each for each in snippets_of(DOCS / page) if not each.hidden]
    html = (site / page).with_suffix(".html").read_text("utf-8")
    assert len(
        re.findall(r'<pre class="mermaid"|<pre><span></span><code|<pre><code', html)
    ) == len(shown)
    assert "```" not in html


def test_a_page_fetches_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        found = [first or second for first, second in FETCHED.findall(page.read_text("utf-8"))]
        assert found == [], page.name


def test_a_link_that_leads_nowhere_fails_the_build(site):
    folder = site.parent
    (folder / "docs" / "index.md").write_text("# Broken\n\n[nowhere](no-such-page.md)\n")
    done = build(folder)
    assert done.returncode != 0
    assert "page does not exist" in done.stdout + done.stderr

"""The pages about the configuration say what is the case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.config_world import Bench
from tiergate.config import load as load_module
from tiergate.config.findings import Severity

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference" / "configuration.md"
MIGRATION = ROOT / "docs" / "how-to" / "migrate-from-litellm.md"
BUDGETS = ROOT / "docs" / "reference" / "budgets.md"
SHARING = ROOT / "docs" / "how-to" / "share-budgets.md"
PAGES = (REFERENCE, MIGRATION, BUDGETS, SHARING)
KEYS = {
    "ANTHROPIC_API_KEY": "k-anthropic",
    "DATABASE_URL": "postgresql://tiergate:pw@db.example/tiergate",
    "REDIS_PASSWORD": "pw",
    "TIERGATE_MASTER_KEY": "7f3kQ9xV2mZp8LwR4tYb",
}


def blocks(page: Path) -> list[str]:
    return re.findall(r"```yaml\n(# config\.yaml\n.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("text", [text for page in PAGES for text in blocks(page)])
def test_every_file_on_the_pages_can_be_served(text: str, tmp_path: Path) -> None:
    loaded = Bench(tmp_path).load(text, environ=KEYS)

    assert loaded.settings is not None
    assert [f.code for f in loaded.findings if f.severity is Severity.WARNING] == []


def codes_in_the_source() -> set[str]:
    """Every word that is given to a finding as its code."""
    package = Path(load_module.__file__).parent
    source = "\n".join(path.read_text() for path in sorted(package.rglob("*.py")))
    calls = r"(?:error|warning|notice|mistake|idle|say|_YamlError)\(\s*(?:Severity\.[A-Z]+,\s*)?"
    named = re.findall(rf'{calls}"([a-z0-9-]+)"', source)
    constants = re.findall(r'^(?:WEAK_KEY|NO_KEY)\b.* = "([a-z-]+)"', source, re.MULTILINE)
    return {*named, *constants, "no-models"}


def test_every_code_of_a_finding_is_on_the_page_and_no_other() -> None:
    table = REFERENCE.read_text().partition("| code | says |")[2].partition("## `tiergate")[0]
    told = {
        code
        for line in table.splitlines()
        if line.startswith("| `")
        for code in re.findall(r"`([a-z0-9-]+)`", line.split("|")[1])
    }

    assert told == codes_in_the_source()


def test_prose_has_one_sentence_on_a_line() -> None:
    for page in PAGES:
        prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for line in prose.splitlines():
            if line and line[0].isalpha():
                assert not re.search(r"[a-z`)]\. [A-Z]", line), line

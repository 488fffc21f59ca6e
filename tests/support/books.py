"""A configuration with books on the disk: a real ledger and real budget pages, for commands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from tiergate.cli import main
from tiergate.core.ledger import Entry
from tiergate.core.pages import SharedPage, Sheet
from tiergate.pipeline.sheets import PREFIX, write_sheet
from tiergate.stores.sqlite import SqliteDocuments, SqliteLedger
from tiergate.wiring.places import DOCUMENTS_FILE, LEDGER_FILE

CONFIG = """
model_list:
  - model_name: frontier
    litellm_params: {model: anthropic/claude-opus-4-6, api_key: os.environ/NOT_AT_HAND}
general_settings:
  state_dir: %s
"""
"""A provider's key that is not at hand: reading books needs none."""


@dataclass(frozen=True)
class BooksOnDisk:
    """A configuration file and its state directory."""

    config: Path
    state: Path

    @staticmethod
    def make(folder: Path) -> BooksOnDisk:
        books = BooksOnDisk(folder / "config.yaml", folder / "state")
        books.config.write_text(CONFIG % books.state)
        return books

    def record(self, entries: Iterable[Entry]) -> str:
        """Append records; return the ledger's source."""

        async def go() -> str:
            ledger = SqliteLedger.open(self.state / LEDGER_FILE)
            await ledger.append(list(entries))
            source = ledger.source
            await ledger.aclose()
            return source

        return asyncio.run(go())

    def count(self, pages: Mapping[str, SharedPage]) -> None:
        """Write the present page of some budgets."""

        async def go() -> None:
            documents = SqliteDocuments.open(self.state / DOCUMENTS_FILE)
            written = {f"{PREFIX}{name}": write_sheet(Sheet([p])) for name, p in pages.items()}
            await documents.update(list(written), lambda _: (written, None))
            await documents.aclose()

        asyncio.run(go())

    def run(self, *args: str) -> Result:
        """Run `tiergate ARGS --config ...`; the configuration stands last."""
        return CliRunner().invoke(main, [*args, "--config", str(self.config)])

"""Log lines on standard error: `time level event key=value ...`, or JSON, keys masked."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

LEVEL_VARIABLES = ("TIERGATE_LOG", "LITELLM_LOG", "LOG_LEVEL")
"""Where the level is looked for, in this order."""

FORMAT_VARIABLE = "TIERGATE_LOG_FORMAT"
"""`text` (the default) or `json`."""

_KEY_LIKE = re.compile(
    r"""(?ix)
    (
        \bsk-[a-z0-9_-]{2}
      | \b(?:gsk|csk|xai|pplx|hf|r8|tgp)[-_][a-z0-9]{2}
      | \bAIza[a-z0-9]{2}
      | \bbearer\s+[^\s,;]{2}
      | key["']?\s{0,2}[:=]\s{0,2}["']?[^\s"',;]{2}
    )
    [^\s"',;]{6,}
    """
)
_STANDARD = frozenset(
    logging.LogRecord("", 0, "", 0, "", (), None).__dict__ | {"message": "", "taskName": ""}
)


def masked(text: str) -> str:
    """Replace everything that looks like a key by its first characters and `***`."""
    return _KEY_LIKE.sub(r"\1***", text)


class Lines(logging.Formatter):
    """`key=value` lines a person and a grep both read."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record on one line."""
        words = [_stamp(record), record.levelname.lower(), _event(record)]
        words += [f"{name}={_quoted(value)}" for name, value in _fields(record)]
        text = masked(" ".join(words))
        return text + self._trace(record)

    def _trace(self, record: logging.LogRecord) -> str:
        if not record.exc_info:
            return ""
        return "\n" + masked(self.formatException(record.exc_info))


class JsonLines(Lines):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as an object."""
        fields: dict[str, object] = {
            "time": _stamp(record),
            "level": record.levelname.lower(),
            "event": masked(_event(record)),
        }
        # Masked before they are quoted: a mask over quoted text could take an escape apart.
        fields.update((name, masked(str(value))) for name, value in _fields(record))
        if record.exc_info:
            fields["trace"] = masked(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


def configure_logging(environ: Mapping[str, str], stream: TextIO | None = None) -> None:
    """Set up the `tiergate` loggers once, from the environment.

    Args:
        environ: `TIERGATE_LOG` (or LiteLLM's `LITELLM_LOG`, or `LOG_LEVEL`) gives the level,
            `TIERGATE_LOG_FORMAT` the form.
        stream: Where to; standard error when None.
    """
    named = next((environ[v] for v in LEVEL_VARIABLES if environ.get(v)), "info")
    level = logging.getLevelNamesMapping().get(named.upper(), logging.INFO)
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    form = environ.get(FORMAT_VARIABLE, "text")
    handler.setFormatter(JsonLines() if form == "json" else Lines())
    root = logging.getLogger("tiergate")
    root.handlers = [handler]
    root.setLevel(level)
    root.propagate = False


def _stamp(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event(record: logging.LogRecord) -> str:
    return record.getMessage()


def _fields(record: logging.LogRecord) -> list[tuple[str, object]]:
    return [
        (name, value)
        for name, value in record.__dict__.items()
        if name not in _STANDARD and value != ""
    ]


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[\s"=]', text) else text

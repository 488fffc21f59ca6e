"""Reads who may come in and how large a request may be.

Judges how good the master key is. Whether that is good enough for the address the gateway
listens on is decided where the gateway is started.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tiergate.base.values import Position, Secret
from tiergate.config.findings import At
from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Spot
from tiergate.core.catalog import Access

KEY_VARIABLES: Final = ("TIERGATE_MASTER_KEY", "LITELLM_MASTER_KEY")
NO_PAGES: Final = "DISABLE_ADMIN_UI"
WEAK_KEY: Final = "weak-master-key"
NO_KEY: Final = "no-master-key"

SHORTEST_KEY: Final = 16
"""Characters below which a key is weak."""

_FEWEST_SIGNS: Final = 6
"""Different characters below which a key is weak, such as a row of one letter."""

_WELL_KNOWN: Final = frozenset(
    {
        "sk-1234",
        "sk-12345",
        "sk-12345678",
        "sk-master",
        "sk-master-key",
        "sk-litellm",
        "sk-litellm-master-key",
        "sk-your-master-key",
        "sk-my-master-key",
        "sk-my-secret-key",
        "sk-change-me",
        "sk-changeme",
        "changeme",
        "change-me",
        "changemechangeme",
        "change-me-please",
        "your-master-key",
        "your-secret-key",
        "master-key",
        "masterkey",
        "secret",
        "password",
        "sk-1234567890abcdef",
        "sk-0123456789abcdef",
    }
)
_YES: Final = frozenset({"true", "1", "yes", "on"})
_MB: Final = 1024 * 1024
_SMALLEST: Final = 1024
_DEFAULTS: Final = Access()


def read_access(
    sections: Sections, environ: Mapping[str, str], reader: Reader, *, look_up: bool
) -> Access:
    """Return who may come in.

    Args:
        sections: The sections of the file.
        environ: The environment variables.
        reader: Where findings and the report go.
        look_up: False for `--no-env`.
    """
    metrics = reader.pick("require_auth_for_metrics_endpoint", sections.litellm, sections.general)
    metrics_auth = reader.typed.flag(metrics)
    reader.show(
        "litellm_settings.require_auth_for_metrics_endpoint",
        metrics_auth,
        metrics,
        text="on loopback no, else yes" if metrics_auth is None else "",
    )
    return Access(
        master_key=_master_key(sections, environ, reader, look_up=look_up),
        max_body_bytes=_body_bytes(sections, reader),
        max_header_bytes=_bytes(
            sections.general.take("max_request_header_bytes"),
            _DEFAULTS.max_header_bytes,
            "general_settings.max_request_header_bytes",
            reader,
        ),
        metrics_auth=metrics_auth,
        dashboard=_dashboard(sections, environ, reader, look_up=look_up),
    )


def is_weak(key: Secret) -> bool:
    """Return whether a master key is short, monotonous, or a well-known example."""
    text = key.value.strip()
    return (
        len(text) < SHORTEST_KEY or len(set(text)) < _FEWEST_SIGNS or text.lower() in _WELL_KNOWN
    )


def _master_key(
    sections: Sections, environ: Mapping[str, str], reader: Reader, *, look_up: bool
) -> Secret | None:
    spot = sections.general.take("master_key")
    if spot is not None:
        key = reader.typed.secret(spot)
        at, origin = spot.at, ""
    else:
        at, origin, key = At("general_settings.master_key", sections.general.position), "", None
        for name in KEY_VARIABLES:
            value = environ.get(name, "").strip("\r\n")
            if value.strip():
                key, origin = Secret(value), name
                at = At(name, Position("environment", 0))
                break
    _judge_key(key, spot, at, reader, look_up=look_up)
    shown = f"set by {origin}" if origin else "set" if key else "none: callers need no key"
    reader.show("general_settings.master_key", None, spot, text=shown)
    return key


def _judge_key(
    key: Secret | None, spot: Spot | None, at: At, reader: Reader, *, look_up: bool
) -> None:
    if key is None:
        if spot is None and look_up:
            reader.findings.notice(
                NO_KEY,
                at,
                "there is no master key, so the gateway listens on loopback only and asks for "
                "no key",
                f"Set {KEY_VARIABLES[0]} to serve other machines.",
            )
        return
    if not key.value.isascii() or any(char.isspace() for char in key.value):
        reader.findings.error(
            "bad-key-text", at, "has a blank or another sign that no HTTP header carries"
        )
    elif is_weak(key):
        reader.findings.warning(
            WEAK_KEY,
            at,
            f"the master key is a well-known example, or has less than {SHORTEST_KEY} characters",
            "It is refused on any address but loopback; use a long random key.",
        )


def _dashboard(
    sections: Sections, environ: Mapping[str, str], reader: Reader, *, look_up: bool
) -> bool:
    """Return whether there are pages; the file wins over LiteLLM's variable."""
    spot = sections.general.take("dashboard")
    wanted = reader.typed.flag(spot)
    switched_off = look_up and environ.get(NO_PAGES, "").strip().lower() in _YES
    shown = f"no, by {NO_PAGES}" if wanted is None and switched_off else ""
    value = not switched_off if wanted is None else wanted
    reader.show("general_settings.dashboard", value, spot, text=shown)
    return value


def _body_bytes(sections: Sections, reader: Reader) -> int:
    """Return the largest body; of the two keys for it the smaller one holds."""
    own = sections.general.take("max_request_body_bytes")
    by_mb = sections.general.take("max_request_size_mb")
    limit = _bytes(
        own, _DEFAULTS.max_body_bytes, "general_settings.max_request_body_bytes", reader
    )
    megabytes = reader.typed.number(by_mb)
    if megabytes is None or by_mb is None:
        return limit
    size = int(megabytes * _MB)
    if size < _SMALLEST:
        reader.findings.mistake(
            "wrong-type", by_mb.at, f"is smaller than {_SMALLEST} bytes", "Write 32, for instance."
        )
        return limit
    reader.show("general_settings.max_request_size_mb", megabytes, by_mb)
    return size if own is None else min(limit, size)


def _bytes(spot: Spot | None, default: int, path: str, reader: Reader) -> int:
    found = reader.typed.whole(spot, least=_SMALLEST)
    value = default if found is None else found
    reader.show(path, value, spot)
    return value

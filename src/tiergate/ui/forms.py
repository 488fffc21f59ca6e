"""Reads what a browser sends, and refuses forms that are not from a page of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from tiergate.base.errors import Refused
from tiergate.core.catalog import Access
from tiergate.ui.session import is_own_form
from tiergate.web.data_plane import RsgiProtocol, RsgiScope, read_body

ROOT: Final = "/ui"
TOKEN_FIELD: Final = "token"  # noqa: S105 - the name of a field

_MOST_FIELDS: Final = 100
_LARGEST: Final = 64 * 1024
_TYPE: Final = "application/x-www-form-urlencoded"
_FRIENDLY: Final = frozenset({"same-origin", "none"})


async def read_form(
    proto: RsgiProtocol, headers: dict[str, str], access: Access
) -> Mapping[str, str]:
    """Return the fields of a form; of a repeated one the last.

    Raises:
        Refused: 415 for another type, 413 for one that is too large, 400 for one that is none;
            see `read_body` too.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise Refused(415, "This page takes forms only.", code="unsupported_content_type")
    body = await read_body(proto, headers, access)
    if len(body) > _LARGEST:
        raise Refused(413, "The form is too large.", code="request_too_large")
    try:
        fields = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise Refused(400, "The form cannot be read.", code="invalid_form") from None
    return {name: value.strip() for name, value in fields}


def check_form(form: Mapping[str, str], headers: Mapping[str, str], cookie: str) -> None:
    """Let a form pass that a page of ours gave to this browser.

    The token is what decides. What a browser says of where a request comes from is looked at too,
    so that one mistake alone opens nothing.

    Args:
        form: Its fields.
        headers: Lower-cased names.
        cookie: What the browser's forms are tied to; empty where it brought none.

    Raises:
        Refused: 403, when it comes from elsewhere, or is too old.
    """
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get("host", "")
    if foreign or headers.get("sec-fetch-site", "none") not in _FRIENDLY:
        raise Refused(403, "This form came from another site and was not used.", code="foreign")
    if not is_own_form(cookie, form.get(TOKEN_FIELD, "")):
        raise Refused(
            403,
            "This form is too old, or was not made for this browser, and was not used. Go back, "
            "load the page again, and send it once more.",
            code="old_form",
        )


def own_path(wanted: str) -> str:
    """Return where to go after signing in: a page of the dashboard, whatever an address says."""
    inside = wanted == ROOT or wanted.startswith(f"{ROOT}/")
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and "//" not in wanted
    return wanted if inside and plain else ROOT


def address_of(scope: RsgiScope, headers: Mapping[str, str]) -> str:
    """Return who tries a key: the peer, and whom the proxy in front of us says it serves.

    A proxy appends the address that it sees, so the last one counts. Whoever has no proxy can
    write what they want there; the limit for all addresses together holds them up.
    """
    peer = scope.client.rpartition(":")[0] or scope.client
    named = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return f"{peer} for {named}" if named else peer

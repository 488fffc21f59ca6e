"""Judges and shows addresses of stores and services; none that may hold a login is shown whole.

What scheme an address must have, and which options, is decided by whoever asks.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:]*)(?::([0-9]{1,5}))?")
_MOST_PORT: Final = 65_535


def split_address(url: str) -> SplitResult | str:
    """Return the parts of an address, or what is wrong with it.

    Several hosts with commas between them are as good as one. An `@` behind the first `/`, `?`
    or `#` means that a password holds one of these signs: it is told, since the password would
    be taken for a host or a database and be shown.
    """
    if "://" not in url:
        return "does not begin with SCHEME://"
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return "is not an address"
    login, _, hosts = parts.netloc.rpartition("@")
    if "@" in f"{parts.path}{parts.fragment}" or (not login and "@" in parts.query):
        return "has a user name or password with a sign that must be written as % and two digits"
    for host in hosts.split(","):
        found = _HOST.fullmatch(host)
        if found is None:
            return "is not an address"
        if found[1] is not None and not 0 < int(found[1]) <= _MOST_PORT:
            return f"names the port {int(found[1])}"
    return parts


def shown_hosts(parts: SplitResult) -> str:
    """Return the hosts with their ports, without a login; empty for a local socket."""
    return parts.netloc.rpartition("@")[2]


def is_address(text: str) -> bool:
    """Tell whether a text is the address of an HTTP service."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0

"""Decides from the environment whether a target is reached through a proxy; opens nothing.

The rules are curl's (manual page of curl, section ENVIRONMENT, and libcurl's CURLOPT_NOPROXY):
lower-case names win, `ALL_PROXY` is the last resort, an entry of `NO_PROXY` covers a name and
everything below it, addresses are compared as addresses, and `*` alone switches proxies off.
"""

from __future__ import annotations

import ipaddress
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from tiergate.transport.faults import Fault, TransportError
from tiergate.transport.target import Target

_DEFAULT_PORT = 1080  # curl's, for a proxy named without a port


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy: where it listens, and what to show it.

    Attributes:
        host: Name or address, IPv6 without brackets.
        port: TCP port.
        credentials: Value of `Proxy-Authorization`, or None. Secret.
    """

    host: str
    port: int
    credentials: bytes | None = field(repr=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def connect_head(self, target: Target) -> bytes:
        """The request that asks for a tunnel to `target`."""
        authority = target.authority.encode("ascii")
        return b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (
            authority,
            authority,
            self._authorization(),
        )

    def absolute_form(self, target: Target, head: bytes) -> bytes:
        """Rewrite a request head for a plain `http` target so that the proxy can forward it."""
        method, path, rest = head.split(b" ", 2)
        line, fields = rest.split(b"\r\n", 1)
        return b"%b http://%b%b %b\r\n%b%b" % (
            method,
            target.authority.encode("ascii"),
            path,
            line,
            self._authorization(),
            fields,
        )

    def _authorization(self) -> bytes:
        if self.credentials is None:
            return b""
        return b"Proxy-Authorization: %b\r\n" % self.credentials


class Proxies:
    """What the environment says about proxies, read once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        # A CGI process gets the client's "Proxy:" header as HTTP_PROXY; curl and Python's urllib
        # both refuse the upper-case name for that reason.
        in_cgi = "REQUEST_METHOD" in environ
        self._variables = {
            "http": _first_set(environ, "http_proxy", *(() if in_cgi else ("HTTP_PROXY",))),
            "https": _first_set(environ, "https_proxy", "HTTPS_PROXY"),
        }
        self._fallback = _first_set(environ, "all_proxy", "ALL_PROXY")
        exempt = _first_set(environ, "no_proxy", "NO_PROXY")
        self._exempt = () if exempt is None else tuple(exempt[1].replace(",", " ").split())

    def route(self, target: Target) -> Proxy | None:
        """The proxy for `target`, or None for a direct connection.

        Raises:
            TransportError: PROXY, when the variable that applies does not name an HTTP proxy.
        """
        variable = self._variables.get(target.scheme) or self._fallback
        if variable is None or self._exempts(target.host):
            return None
        return _parse(*variable)

    def _exempts(self, host: str) -> bool:
        if self._exempt == ("*",):
            return True
        name = host.rstrip(".").lower()
        address = _address(name)
        if address is not None:
            return any(_covers(entry, address) for entry in self._exempt)
        return any(_names(entry, name) for entry in self._exempt)


def _first_set(environ: Mapping[str, str], *names: str) -> tuple[str, str] | None:
    for name in names:
        value = environ.get(name, "").strip()
        if value:
            return name, value
    return None


def _parse(variable: str, value: str) -> Proxy:
    parts = _split(value)
    if parts is None or not parts.hostname:
        raise TransportError(
            Fault.PROXY,
            f"{variable} does not name a proxy; write it as http://host:port "
            "or http://user:password@host:port",
        )
    if parts.scheme.lower() != "http":
        raise TransportError(
            Fault.PROXY,
            f"{variable} names a proxy of the kind {parts.scheme}://, which is not supported; "
            "name an http:// proxy, or list the host in NO_PROXY",
        )
    credentials = None
    if parts.username is not None or parts.password is not None:
        user = unquote_to_bytes(parts.username or "")
        word = unquote_to_bytes(parts.password or "")
        credentials = b"Basic " + b64encode(user + b":" + word)
    return Proxy(parts.hostname, parts.port or _DEFAULT_PORT, credentials)


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        _ = parts.port  # raises for what is no port number
    except ValueError:
        return None
    return parts


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _covers(entry: str, address: _Address) -> bool:
    """Whether an address or CIDR block of NO_PROXY contains `address`."""
    block = entry.removeprefix("[").replace("]", "")
    try:
        return address in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


def _names(entry: str, name: str) -> bool:
    """Whether `example.com`, `.example.com` or `*.example.com` of NO_PROXY covers `name`."""
    suffix = entry.lower().removeprefix("*").strip(".")
    return bool(suffix) and (name == suffix or name.endswith("." + suffix))

"""Request heads: the parts that never change are made once per deployment and operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from tiergate.base.values import Dialect, Operation
from tiergate.core.catalog import Deployment
from tiergate.ports import Inbound
from tiergate.providers.hosts import endpoint_url, find_host

USER_AGENT = "tiergate"

_VERSION = "anthropic-version"
_BETA = "anthropic-beta"
DEFAULT_VERSION = "2023-06-01"
"""The Messages API version sent for callers that name none (OpenAI clients)."""


@dataclass(frozen=True, slots=True)
class HeadTemplate:
    """The head of one deployment's requests; holds the key, so it has no readable repr."""

    line: bytes = field(repr=False)
    """`POST /path`, without query and version."""
    fixed: bytes = field(repr=False)
    """The header lines that never change, ended with CRLF."""
    anthropic: bool
    version: str
    """The API version for callers that name none."""
    own_beta: tuple[str, ...]
    """Beta flags that the file adds."""
    drop_betas: frozenset[str]
    whole: bytes = field(repr=False)
    """A complete head but for the content length, for calls that add nothing."""

    @staticmethod
    def of(deployment: Deployment, operation: Operation) -> HeadTemplate:
        """Make the template of a deployment.

        Raises:
            ValueError: A header of the file has a line break in it.
        """
        host = find_host(deployment.provider)
        url = urlsplit(endpoint_url(deployment.api_base, deployment.dialect, operation, host))
        path = url.path or "/"
        asked = _query(url.query, deployment)
        query = f"?{asked}" if asked else ""
        headers = _headers(deployment)
        own = tuple(flag.strip() for flag in headers.pop(_BETA, "").split(",") if flag.strip())
        lines = [f"host: {url.netloc.rpartition('@')[2]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError(f"a header of deployment {deployment.id} has a line break")
        fixed = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        if not f"{path}{query}".isascii():
            raise ValueError(
                f"the address of deployment {deployment.id} has letters outside ASCII in its path"
            )
        line = f"POST {path}{query}".encode("ascii")
        return HeadTemplate(
            line=line,
            fixed=fixed,
            anthropic=deployment.dialect is Dialect.ANTHROPIC,
            version=deployment.api_version or DEFAULT_VERSION,
            own_beta=own,
            drop_betas=frozenset(deployment.drop_betas),
            whole=line + b" HTTP/1.1\r\n" + fixed,
        )

    def same(self, inbound: Inbound, length: int) -> bytes:
        """Return the head of a same-dialect call: the caller's query and API headers go on."""
        if not self.anthropic:
            return b"%bcontent-length: %d\r\n\r\n" % (self.whole, length)
        flags: list[str] = list(self.own_beta)
        version = self.version
        for name, value in inbound.forward:
            if name == _BETA:
                flags += [flag.strip() for flag in value.split(",")]
            elif name == _VERSION:
                version = value
        return self._anthropic(inbound.query, version, flags, length)

    def other(self, headers: Sequence[tuple[str, str]], length: int) -> bytes:
        """Return the head of a translated call; `headers` are what the codec asks for."""
        if not self.anthropic:
            return b"%bcontent-length: %d\r\n\r\n" % (self.whole, length)
        flags = list(self.own_beta)
        for name, value in headers:
            if name == _BETA:
                flags += value.split(",")
        return self._anthropic("", self.version, flags, length)

    def _anthropic(self, query: str, version: str, flags: Sequence[str], length: int) -> bytes:
        """Each flag once, in the order first named; dropped ones left out."""
        wanted = [f for f in dict.fromkeys(flags) if f and f not in self.drop_betas]
        beta = f"{_BETA}: {','.join(wanted)}\r\n" if wanted else ""
        line = self.line
        if query:
            line += (b"&" if b"?" in line else b"?") + query.encode("latin-1", "replace")
        return b"%b HTTP/1.1\r\n%b%b%bcontent-length: %d\r\n\r\n" % (
            line,
            self.fixed,
            f"{_VERSION}: {version}\r\n".encode("latin-1"),
            beta.encode("latin-1", "replace"),
            length,
        )


def _query(query: str, deployment: Deployment) -> str:
    """Return the query of the address; chat hosts that want a version have it there (Azure's)."""
    if deployment.api_version is None or deployment.dialect is Dialect.ANTHROPIC:
        return query
    version = f"api-version={quote(deployment.api_version)}"
    return f"{query}&{version}" if query else version


def _headers(deployment: Deployment) -> dict[str, str]:
    """All fixed headers by lower-cased name; the file's own ones win."""
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        # Without it an answer may come in any coding (RFC 9110, 12.5.3), and none is undone here.
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
    }
    host = find_host(deployment.provider)
    if host is not None:
        headers.update({name.lower(): value for name, value in host.headers})
    if deployment.api_key is not None:
        if host is not None and host.auth == "x-api-key":
            headers["x-api-key"] = deployment.api_key.value
        else:
            headers["authorization"] = f"Bearer {deployment.api_key.value}"
    if deployment.organization:
        headers["openai-organization"] = deployment.organization
    headers.update({name.lower(): value for name, value in deployment.extra_headers})
    return headers

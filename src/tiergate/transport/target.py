"""Names the peer of an exchange and how its certificate is judged; carries no path and no key."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """A scheme, host and port. Equal targets share their idle connections.

    Attributes:
        scheme: `http` or `https`.
        host: Lower-case ASCII name, or an IP address (IPv6 without brackets).
        port: TCP port.
        verify: True: the certificate must chain to a system CA. False: any certificate will do.
            A string: path of a CA file or directory used in place of the system's.
    """

    scheme: str
    host: str
    port: int
    verify: bool | str = True
    _hash: int = field(init=False, compare=False, repr=False)  # looked up once per call

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.scheme, self.host, self.port, self.verify)))

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return self.authority

    @property
    def authority(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def from_url(cls, url: str, *, verify: bool | str = True) -> Target:
        """Take the target from an absolute `http` or `https` URL; its path is not kept.

        Raises:
            ValueError: Another scheme, no host, a bad port, or credentials inside the URL.
        """
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        if scheme not in _PORTS:
            raise ValueError("an address must start with http:// or https://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("an address must not carry a user name or password")
        host = parts.hostname
        if not host:
            raise ValueError(f"an address needs a host name after {scheme}://")
        try:
            port = parts.port
        except ValueError:
            raise ValueError(f"the port of {host} is not a number from 1 to 65535") from None
        if port == 0:
            raise ValueError(f"the port of {host} is not a number from 1 to 65535")
        return cls(scheme, _ascii(host), port or _PORTS[scheme], verify)


def _ascii(host: str) -> str:
    """The host as DNS knows it; an IP address stays as it is."""
    if any(character.isspace() or not character.isprintable() for character in host):
        raise ValueError("a host name must not contain blanks or control characters")
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"{host} is not a valid host name") from None

"""Who is signed in: session cookies that any worker or replica can check, and tokens of forms.

Pure: time and chance are arguments. A session is signed with a key made of the master key, so that
a new master key ends all sessions, and nothing has to be stored. A form's token is made of a
cookie that no script and no other site can read; it is good for the browser that got it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from tiergate.base.values import Secret

SESSION_SECONDS: Final = 8 * 3600
"""How long somebody stays signed in: a working day."""

SESSION_COOKIE: Final = "tiergate_session"
VISIT_COOKIE: Final = "tiergate_visit"
"""Stands for the browser where nobody is signed in; forms need something to be tied to."""

NONCE_BYTES: Final = 16
_LONGEST: Final = 200
_FOR_SESSIONS: Final = b"tiergate dashboard session, form 1"
_FOR_FORMS: Final = b"tiergate dashboard form, form 1"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has shown the master key.

    Attributes:
        name: A random name, which says nothing about the key.
        expires: Unix seconds.
        text: The cookie's value.
    """

    name: str
    expires: int
    text: str


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to be set.

    Attributes:
        name: Without prefix.
        value: Letters, digits and `._-` only.
        seconds: How long it lives; 0 removes it; None: until the browser is closed.
        secure: The browser came by HTTPS: the cookie never goes over plain HTTP.
    """

    name: str
    value: str
    seconds: int | None
    secure: bool

    def header(self) -> tuple[str, str]:
        """Return the response header.

        `SameSite=Strict` keeps the cookie out of every request that another site begins.
        `__Host-` keeps other hosts of the domain from setting it.
        """
        parts = [f"{cookie_name(self.name, secure=self.secure)}={self.value}", "Path=/"]
        if self.seconds is not None:
            parts.append(f"Max-Age={self.seconds}")
        parts += ["HttpOnly", "SameSite=Strict"]
        if self.secure:
            parts.append("Secure")
        return ("set-cookie", "; ".join(parts))


def cookie_name(name: str, *, secure: bool) -> str:
    """Return how a cookie is called by HTTPS and by HTTP."""
    return f"__Host-{name}" if secure else name


def read_cookie(header: str, name: str, *, secure: bool) -> str:
    """Return a cookie of a request's `cookie` header; empty where it is not there, or there twice.

    A name that comes twice was set by somebody else too; neither is believed.
    """
    wanted = cookie_name(name, secure=secure)
    # Repeated `cookie` headers were joined by commas; no value of ours has one.
    pairs = (part.strip().partition("=") for part in header.replace(",", ";").split(";"))
    found = [value for each, sign, value in pairs if sign and each == wanted]
    return found[0] if len(found) == 1 and len(found[0]) <= _LONGEST else ""


def session_key(master: Secret) -> bytes:
    """Return the key that sessions are signed with."""
    return hmac.digest(master.value.encode(), _FOR_SESSIONS, hashlib.sha256)


def new_session(key: bytes, now: float, nonce: bytes) -> Session:
    """Return a session that begins now.

    Args:
        key: See `session_key`.
        now: Unix seconds.
        nonce: `NONCE_BYTES` random bytes.
    """
    name, expires = _text(nonce), int(now) + SESSION_SECONDS
    return Session(name, expires, f"{name}.{expires}.{_sign(key, name, expires)}")


def read_session(key: bytes, text: str, now: float) -> Session | None:
    """Return the session of a cookie; None where it is not ours, or is over."""
    name, _, rest = text.partition(".")
    until, _, signature = rest.partition(".")
    if not (text.isascii() and until.isdigit() and len(until) <= 12):
        return None
    expires = int(until)
    if not hmac.compare_digest(signature, _sign(key, name, expires)) or now >= expires:
        return None
    return Session(name, expires, text)


def form_token(cookie: str) -> str:
    """Return the token of forms for the browser that holds a cookie."""
    return _text(hmac.digest(cookie.encode(), _FOR_FORMS, hashlib.sha256))


def is_own_form(cookie: str, token: str) -> bool:
    """Tell whether a form was given to the browser that holds this cookie."""
    return bool(cookie) and hmac.compare_digest(form_token(cookie).encode(), token.encode())


def new_visit(nonce: bytes) -> str:
    """Return the value of a fresh visit cookie."""
    return _text(nonce)


def _sign(key: bytes, name: str, expires: int) -> str:
    return _text(hmac.digest(key, f"{name}.{expires}".encode(), hashlib.sha256))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")

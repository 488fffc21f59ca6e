"""What commands have in common that ask a running gateway: its address, its key, one question."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from tiergate.base.jsontypes import Json, JsonObject

F = TypeVar("F", bound=Callable[..., None])

_TIMEOUT_SECONDS = 10.0
_LONGEST_REFUSAL = 64 * 1024


def gateway_options(command: F) -> F:
    """Add the options that say which gateway is asked, and with which key."""
    for option in (
        click.option(
            "--key",
            envvar=("TIERGATE_MASTER_KEY", "LITELLM_MASTER_KEY"),
            default=None,
            help="Its master key. Default: TIERGATE_MASTER_KEY, else LITELLM_MASTER_KEY.",
        ),
        click.option(
            "--url",
            envvar="TIERGATE_URL",
            default="http://127.0.0.1:4000",
            show_default=True,
            help="The running gateway. Default: TIERGATE_URL.",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Question:
    """What a gateway is asked.

    Attributes:
        path: With its query.
        method: The HTTP method.
        body: Sent as JSON; None: no body.
        headers: Beside the key.
    """

    path: str
    method: str = "GET"
    body: JsonObject | None = None
    headers: tuple[tuple[str, str], ...] = ()


def ask_json(url: str, path: str, key: str | None) -> JsonObject:
    """Ask a gateway for a JSON object.

    Raises:
        click.ClickException: It does not answer, or not with one.
    """
    return ask(url, Question(path), key)


def ask(url: str, question: Question, key: str | None) -> JsonObject:
    """Ask a gateway something that it answers with a JSON object.

    Raises:
        click.ClickException: It does not answer, or not with one; or it refuses, and says why.
    """
    address = url.rstrip("/") + question.path
    if not address.startswith(("http://", "https://")):
        raise click.ClickException(f"{url} is no address; write http://HOST:PORT.")
    try:
        with urllib.request.urlopen(  # noqa: S310 - http(s) only, above
            _request(address, question, key), timeout=_TIMEOUT_SECONDS
        ) as answer:
            body: Json = json.loads(answer.read())
    except urllib.error.HTTPError as exc:
        with exc:
            why = _sentence(exc.read(_LONGEST_REFUSAL))
        hint = " Give the master key with --key." if exc.code in (401, 403) else ""
        raise click.ClickException(
            f"{address} answers {exc.code}{f': {why}' if why else '.'}{hint}"
        ) from None
    except urllib.error.URLError as exc:
        raise click.ClickException(f"{address} does not answer: {exc.reason}.") from None
    except (OSError, ValueError) as exc:
        raise click.ClickException(f"{address} does not answer with JSON: {exc}.") from None
    if not isinstance(body, dict):
        raise click.ClickException(f"{address} does not answer with a JSON object.")
    return body


def _request(address: str, question: Question, key: str | None) -> urllib.request.Request:
    heads = dict(question.headers)
    if key:
        heads["authorization"] = f"Bearer {key}"
    data = None
    if question.body is not None:
        heads["content-type"] = "application/json"
        data = json.dumps(question.body).encode()
    return urllib.request.Request(  # noqa: S310 - http(s) only, above
        address, data=data, headers=heads, method=question.method
    )


def _sentence(body: bytes) -> str:
    """Return the sentence of a gateway's error; empty where there is none."""
    try:
        found: Json = json.loads(body)
    except ValueError:
        return ""
    error = found.get("error") if isinstance(found, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else ""

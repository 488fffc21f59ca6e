"""`tiergate fallback`: shows and changes the fallback routes of a running gateway.

The gateway is asked by its HTTP routes; what a change means is decided there.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlencode

import click

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.cli.fallback_report import change_lines, effect, route_lines
from tiergate.cli.gateway_address import Question, ask, ask_json, gateway_options
from tiergate.core.catalog import ChainKind

F = TypeVar("F", bound=Callable[..., None])

_AUTHOR_HEADER = "litellm-changed-by"
_KINDS = click.Choice([kind.value for kind in ChainKind])

_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_kind_option = click.option(
    "--type",
    "kind",
    type=_KINDS,
    default=ChainKind.GENERAL.value,
    show_default=True,
    help="For which failures the route is.",
)
_which_kind_option = click.option("--type", "kind", type=_KINDS, help="Only routes of this type.")
_model_option = click.option("--model", default="", help="Only the routes of this alias.")
_expiry_option = click.option(
    "--expires-in", default=None, help="How long it holds, such as 30min or 2h. Default: for good."
)


def _author_options(command: F) -> F:
    """Add the options that say who changes something, and why."""
    for option in (
        click.option(
            "--author",
            default=None,
            help="Who changes it, for the audit log. Default: your user name here.",
        ),
        click.option("--note", default="", help="Why, for the audit log."),
    ):
        command = option(command)
    return command


@click.group(short_help="Show and change the fallback routes of a running gateway.")
def fallback() -> None:
    """The fallback routes of a running gateway: those of its file, and those set at run time.

    A change acts within a second on all workers and replicas, and outlives restarts. `*` as alias
    stands for `default_fallbacks`.
    """


@fallback.command(name="list", short_help="Show all routes, and where each comes from.")
@gateway_options
@_which_kind_option
@_model_option
@_json_option
def list_routes(url: str, key: str | None, kind: str | None, model: str, *, as_json: bool) -> None:
    """Show all routes that act, where each comes from, who set it, and until when.

    Below them stands what was switched off, what changes nothing, and where a route that was set
    at run time and the file differ.
    """
    found = ask_json(url, f"/fallback{_query(fallback_type=kind, model=model)}", key)
    _show(found, route_lines(found), as_json=as_json)


@fallback.command(short_help="Set a route, in place of what is there.")
@gateway_options
@click.argument("alias")
@click.argument("targets", nargs=-1, required=True)
@_kind_option
@_expiry_option
@_author_options
@click.option(
    "--allow-cycle", is_flag=True, help="Set it even if it leads back to ALIAS over others."
)
@_json_option
def add(  # noqa: PLR0913 - one argument for each option
    url: str,
    key: str | None,
    alias: str,
    targets: tuple[str, ...],
    kind: str,
    expires_in: str | None,
    author: str | None,
    note: str,
    *,
    allow_cycle: bool,
    as_json: bool,
) -> None:
    """Let calls of ALIAS that fail go to TARGETS, tried in order, in place of what is there."""
    body: JsonObject = {
        "model": alias,
        "fallback_models": list(targets),
        "fallback_type": kind,
        **_why(note, expires_in),
    }
    if allow_cycle:
        body["allow_cycle"] = True
    told = ask(url, Question("/fallback", "POST", body, _author(author)), key)
    _show(told, [effect(told)], as_json=as_json)


@fallback.command(short_help="Let a route act no more, wherever it comes from.")
@gateway_options
@click.argument("alias")
@_kind_option
@_expiry_option
@_author_options
@_json_option
def remove(
    url: str,
    key: str | None,
    alias: str,
    kind: str,
    expires_in: str | None,
    author: str | None,
    note: str,
    *,
    as_json: bool,
) -> None:
    """Let the route of ALIAS act no more. One of the file is switched off until `restore`.

    With --expires-in a route of the file comes back by itself.
    """
    question = Question(
        _one(alias, fallback_type=kind), "DELETE", _why(note, expires_in), _author(author)
    )
    told = ask(url, question, key)
    _show(told, [effect(told)], as_json=as_json)


@fallback.command(short_help="Take back what was set at run time: the file decides again.")
@gateway_options
@click.argument("alias")
@_kind_option
@_author_options
@_json_option
def restore(
    url: str,
    key: str | None,
    alias: str,
    kind: str,
    author: str | None,
    note: str,
    *,
    as_json: bool,
) -> None:
    """Take back what was set for ALIAS at run time, a removal too: the file alone decides."""
    question = Question(
        _one(alias, fallback_type=kind, origin="runtime"),
        "DELETE",
        _why(note, None),
        _author(author),
    )
    told = ask(url, question, key)
    _show(told, [effect(told)], as_json=as_json)


@fallback.command(short_help="Show who changed which route, when, from what to what.")
@gateway_options
@_which_kind_option
@_model_option
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most changes."
)
@_json_option
def audit(
    url: str, key: str | None, kind: str | None, model: str, limit: int, *, as_json: bool
) -> None:
    """Show the last changes, the newest first: who, when, from what to what, and why."""
    query = _query(fallback_type=kind, model=model, limit=str(limit))
    found = ask_json(url, f"/fallback/audit{query}", key)
    _show(found, change_lines(found), as_json=as_json)


def _show(found: JsonObject, lines: list[str], *, as_json: bool) -> None:
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(lines))


def _one(alias: str, *, fallback_type: str, origin: str = "") -> str:
    query = _query(fallback_type=fallback_type, origin=origin)
    return f"/fallback/{quote(alias, safe='')}{query}"


def _query(
    *, fallback_type: str | None = None, model: str = "", origin: str = "", limit: str = ""
) -> str:
    fields = {"fallback_type": fallback_type, "model": model, "origin": origin, "limit": limit}
    given = {name: value for name, value in fields.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _why(note: str, expires_in: str | None) -> JsonObject:
    fields: dict[str, Json] = {"note": note} if note else {}
    if expires_in is not None:
        fields["expires_in"] = expires_in
    return fields


def _author(given: str | None) -> tuple[tuple[str, str], ...]:
    """Return the header that names who changes something.

    Raises:
        click.ClickException: The name cannot stand in a header.
    """
    name = _user() if given is None else given.strip()
    if name.isascii() and name.isprintable():
        return ((_AUTHOR_HEADER, name),) if name else ()
    if given is None:
        return ()
    raise click.ClickException(
        "--author must be printable ASCII characters: it is sent as a header."
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a user without a name
        return ""

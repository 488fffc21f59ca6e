"""`tiergate explain`: what a request would do, said by the code that would do it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Operation
from tiergate.cli.backlog_option import backlog_option
from tiergate.config.backlog_check import Toolkit
from tiergate.core.catalog import Catalog, Settings
from tiergate.core.explain import explain as explain_wish
from tiergate.core.explain import render_text, to_json
from tiergate.core.plan import Wish
from tiergate.core.routing import View
from tiergate.pricing import PriceList
from tiergate.web.requests import Arrival, read_request
from tiergate.wiring.configuration import find_configuration, read_configuration
from tiergate.wiring.work import request_rules


@click.command(short_help="Say what a request would do, without calling anyone.")
@click.option("--model", required=False, help="The alias asked for.")
@click.option("--tag", "tags", multiple=True, help="A tag of the request; may be repeated.")
@click.option("--phase", default="", help="The phase of the work; decides what `auto` means.")
@click.option("--stream", is_flag=True, help="The request asks for a stream.")
@click.option(
    "--body",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the request's JSON body; model, tags and controls are read from it.",
)
@click.option(
    "--protocol",
    type=click.Choice([d.value for d in Dialect]),
    default=Dialect.OPENAI.value,
    show_default=True,
    help="The protocol of --body.",
)
@click.option(
    "--config",
    "-c",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Configuration file, as for serve; may be repeated.",
)
@backlog_option
@click.option("--no-env", is_flag=True, help="Do not look variables up.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(  # noqa: PLR0913 - one for each option
    model: str | None,
    tags: tuple[str, ...],
    *,
    phase: str,
    stream: bool,
    body: Path | None,
    protocol: str,
    configs: tuple[Path, ...],
    backlog: Path | None,
    no_env: bool,
    as_json: bool,
) -> None:
    """Say which deployments are eligible and why the others are not, the chains and the limits.

    Nothing is called and nothing is spent. Cooldowns and spend of a running gateway are not
    looked at: this is what the configuration says.
    """
    loaded = read_configuration(
        find_configuration(configs, os.environ),
        os.environ,
        env=not no_env,
        toolkit=Toolkit(backlog),
    )
    if loaded.settings is None:
        for finding in loaded.findings:
            click.echo(str(finding), err=True)
        sys.exit(1)
    settings = loaded.settings
    try:
        if body is None:
            request = _plain_body(model, stream=stream)
        else:
            _refuse_both(model, stream=stream)
            request = body.read_bytes()
        wish = _wish(settings, request, tags, phase, Dialect(protocol))
        prices = {
            name: price.rates.input + price.rates.output if price is not None else None
            for name, price in PriceList().of(settings.deployments).items()
        }
        view = View(price=lambda deployment: prices.get(deployment.id))
        found = explain_wish(settings, Catalog.of(settings), wish, view, 0.0)
    except Refused as refused:
        click.echo(f"tiergate explain: {refused.message}", err=True)
        sys.exit(1)
    if as_json:
        told: list[Json] = [note.text for note in wish.notes]
        click.echo(json.dumps({"notes": told, **to_json(found)}, indent=2))
        return
    for note in wish.notes:
        click.echo(note.text)
    click.echo(render_text(found))


def _plain_body(model: str | None, *, stream: bool) -> bytes:
    """Make the request that the options speak of."""
    if model is None:
        raise click.UsageError("Name an alias with --model, or a request with --body.")
    body: JsonObject = {
        "model": model,
        "stream": stream,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": ""}],
    }
    return json.dumps(body).encode()


def _refuse_both(model: str | None, *, stream: bool) -> None:
    if model is not None or stream:
        given = "--model" if model is not None else "--stream"
        raise click.UsageError(f"{given} and --body do not go together: the body says it itself.")


def _wish(
    settings: Settings, body: bytes, tags: tuple[str, ...], phase: str, dialect: Dialect
) -> Wish:
    """Read a request as the gateway would."""
    headers = {"x-litellm-tags": ",".join(tags)} if tags else {}
    if phase:
        headers["x-tiergate-phase"] = phase
    rules = request_rules(settings, Catalog.of(settings))
    arrival = Arrival(dialect, Operation.CHAT, headers, "", "explain", 0.0, 0.0)
    return read_request(body, arrival, rules)[1]

"""`tiergate health`: ask a running gateway whether it lives, or is ready; for probes.

An image without curl needs no other program for its health check.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request

import click

from tiergate.base.jsontypes import Json

LIVE = "/health/liveliness"
READY = "/health/readiness"


@click.command(short_help="Ask a running gateway whether it lives, or is ready.")
@click.option(
    "--url",
    default="http://127.0.0.1:4000",
    show_default=True,
    envvar="TIERGATE_URL",
    help="The running gateway. Default from TIERGATE_URL.",
)
@click.option("--ready", is_flag=True, help="Ask whether calls should be sent there now.")
@click.option("--timeout", default=3.0, show_default=True, help="Seconds to wait for the answer.")
def health(url: str, timeout: float, *, ready: bool) -> None:
    """Ask a running gateway whether it lives; with --ready, whether it wants calls.

    The status is 0 for yes and 1 for no. No key is needed.
    """
    address = url.rstrip("/") + (READY if ready else LIVE)
    if not address.startswith(("http://", "https://")):
        raise click.ClickException(f"{url} is no address; write http://HOST:PORT.")
    try:
        with urllib.request.urlopen(address, timeout=timeout) as answer:  # noqa: S310 - http(s) only, above
            status, body = int(answer.status), answer.read()
    except urllib.error.HTTPError as exc:
        with exc:
            status, body = exc.code, exc.read()
    except urllib.error.URLError as exc:
        raise click.ClickException(f"{address} does not answer: {exc.reason}.") from None
    except (OSError, ValueError) as exc:
        raise click.ClickException(f"{address} does not answer: {exc}.") from None
    click.echo(told(status, body))
    if status != 200:
        sys.exit(1)


def told(status: int, body: bytes) -> str:
    """Return the answer of a health route on one line."""
    try:
        found: Json = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return "alive" if status == 200 else f"status {status}"
    words = [str(found.get("status", f"status {status}"))]
    for member in ("unready", "faults"):
        reasons = found.get(member)
        if isinstance(reasons, list):
            words += [str(reason) for reason in reasons]
    return "; ".join(dict.fromkeys(words))

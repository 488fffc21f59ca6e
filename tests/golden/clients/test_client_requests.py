"""Each file here is a request of a real client; every codec must take it.

TIERGATE_UPDATE_GOLDEN=1 with the process tests writes them anew (`support.recordings` says what
is replaced in them).
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from support.recordings import FOLDER, Recording, read
from tiergate.base.values import AliasName, DeploymentId, Dialect, Operation, Secret
from tiergate.core.catalog import Catalog, Deployment, RouterPolicy, Settings
from tiergate.ports import Inbound
from tiergate.providers.codec import ProviderCodec
from tiergate.web.aliases import RequestRules
from tiergate.web.data_plane import ROUTES
from tiergate.web.requests import Arrival, read_request

PATHS = sorted(FOLDER.glob("*.json"))
ALIASES = ("cheap", "balanced", "vectors")
MODELS = {Dialect.ANTHROPIC: "claude-sonnet-4-5", Dialect.OPENAI: "gpt-4o"}
CLIENTS = {"claude-code", "anthropic", "openai"}
TRANSLATED = [path for path in PATHS if "embeddings" not in path.stem and "count" not in path.stem]

each = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def deployment(alias: str, dialect: Dialect) -> Deployment:
    return Deployment(
        id=DeploymentId(f"{alias}-{dialect.value}"),
        alias=AliasName(alias),
        provider=dialect.value,
        dialect=dialect,
        model=MODELS[dialect],
        api_base="http://upstream.invalid",
        api_key=Secret("sk-of-the-provider"),
    )


def inbound_of(recording: Recording) -> Inbound:
    path, _, query = recording.target.partition("?")
    dialect, operation = ROUTES[path]
    all_ = tuple(deployment(alias, dialect) for alias in ALIASES)
    settings = Settings(deployments=all_, router=RouterPolicy())
    rules = RequestRules.of(Catalog.of(settings), settings.router, frozenset())
    arrival = Arrival(dialect, operation, recording.headers, query, "call-1", 0.0, 0.0)
    inbound, _ = read_request(recording.raw, arrival, rules)
    return inbound


def codec() -> ProviderCodec:
    return ProviderCodec(lambda: 1_700_000_000.0, lambda start: f"{start}1")


def other(dialect: Dialect) -> Dialect:
    return Dialect.OPENAI if dialect is Dialect.ANTHROPIC else Dialect.ANTHROPIC


def test_every_client_is_there() -> None:
    assert {read(path).client.split()[0] for path in PATHS} == CLIENTS


@each
def test_nothing_tells_of_a_person_or_a_machine(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"\bsk-[A-Za-z0-9]", text) == []
    paths = re.findall(r'"(/[a-z]+/[^"]+)"', text)
    assert all(found.startswith(("/v1/", "/home/user/")) for found in paths)


@each
def test_the_same_dialect_gets_it_byte_for_byte_but_for_the_model(path: Path) -> None:
    recording = read(path)
    inbound = inbound_of(recording)
    to = deployment(inbound.alias, inbound.dialect)
    asked, served = (f'"model":"{name}"'.encode() for name in (inbound.alias, to.model))
    assert recording.raw.count(asked) == 1

    prepared = codec().prepare(inbound, to)

    assert prepared.body == recording.raw.replace(asked, served)
    assert prepared.losses == ()


@each
def test_the_same_dialect_gets_target_and_beta_flags(path: Path) -> None:
    recording = read(path)
    inbound = inbound_of(recording)

    head = codec().prepare(inbound, deployment(inbound.alias, inbound.dialect)).head.decode()

    wanted = recording.target.removeprefix("/v1")
    assert f"{wanted} HTTP/1.1\r\n" in head
    for name in ("anthropic-beta", "anthropic-version"):
        if name in recording.headers:
            assert f"{name}: {recording.headers[name]}\r\n" in head


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.stem)
def test_the_other_dialect_gets_its_tools_and_words_each_time_the_same(path: Path) -> None:
    recording = read(path)
    inbound = inbound_of(recording)
    assert inbound.operation is Operation.CHAT
    to = deployment(inbound.alias, other(inbound.dialect))

    prepared = codec().prepare(inbound, to)

    body = json.loads(prepared.body)
    assert body["model"] == to.model
    assert names_of(body.get("tools")) == names_of(recording.body.get("tools"))
    assert body["messages"]
    assert codec().prepare(inbound_of(recording), to).body == prepared.body


def names_of(tools: object) -> list[str]:
    """The tools' names, in either dialect."""
    found = tools if isinstance(tools, list) else []
    return [tool.get("function", tool)["name"] for tool in found]

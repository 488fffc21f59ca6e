"""Reads one entry of `model_list` as a deployment: who serves, with what key, and on what terms.

Ids and entries without `litellm_params` are the business of `models`; checks that look at
several deployments are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tiergate.base.jsontypes import Json
from tiergate.base.values import AliasName, DeploymentId, Dialect
from tiergate.config.cache_points import read_points
from tiergate.config.credentials import Origins, read_reach
from tiergate.config.durations import Window
from tiergate.config.environments import split
from tiergate.config.findings import At
from tiergate.config.hosts import Hosts
from tiergate.config.policies import allowed_fails_policy
from tiergate.config.prices import PRICE_KEYS, read_price
from tiergate.config.reading import Reader
from tiergate.config.request_fields import OWN_OF_THE_CALLER, REQUEST_FIELDS
from tiergate.config.section import Section, Spot
from tiergate.config.stores import on_failure_of
from tiergate.config.tree import MapNode, to_json
from tiergate.core.catalog import Deployment, OnStoreFailure

_BIGGEST: Final = 2**63
"""JSON encoders refuse larger integers."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What every deployment is read against.

    Attributes:
        hosts: The table of provider hosts.
        environ: The environment variables.
        look_up: False for `--no-env`.
        process: The environment of this process, or None.
        drop_params: The file's general `drop_params`.
        verify: The file's general `ssl_verify`.
    """

    hosts: Hosts
    environ: Mapping[str, str]
    look_up: bool
    process: str | None = None
    drop_params: bool = False
    verify: bool | str = True


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A deployment with what later checks need to know of its lines.

    Attributes:
        deployment: The deployment.
        at: The place of the entry.
        model_at: The place of `litellm_params.model`.
        window: The window of its own budget, or None.
        budget_at: The place of its own budget, or None.
        origins: Where key and address came from.
        price_model: The model id that prices apply to (`base_model`, else the model).
        windowed: A window is given for it, whether or not it could be read.
        own_id: Its `model_info.id`, or None when the id is a hash.
        on_store_failure: What its own budget does while the store is down, or None.
    """

    deployment: Deployment
    at: At
    model_at: At
    window: Window | None
    budget_at: At | None
    origins: Origins
    price_model: str
    windowed: bool
    own_id: str | None
    on_store_failure: OnStoreFailure | None = None


@dataclass(frozen=True, slots=True)
class EntrySections:
    """The parts of one entry of `model_list`."""

    entry: Section
    params: Section
    info: Section


def read_deployment(
    alias: AliasName, parts: EntrySections, ground: Ground, reader: Reader
) -> ModelEntry | None:
    """Return one deployment, without its final id; None when it has no usable model or address.

    Args:
        alias: The entry's `model_name`.
        parts: The entry, its `litellm_params` and its `model_info`.
        ground: What it is read against.
        reader: Where findings go.
    """
    entry, params, info = parts.entry, parts.params, parts.info
    typed = reader.typed
    # Everything is read even if the model is not usable, so that one run shows all mistakes.
    reach = read_reach(parts.params, ground.hosts, ground.environ, reader, look_up=ground.look_up)
    own_id = typed.name(info.take("id"))
    names = typed.texts(info.take("supported_environments"))
    environments = split(names, ground.process)
    budget = params.take("max_budget")
    duration = params.take("budget_duration")
    window = typed.window(duration)
    on_failure = on_failure_of(params.take("on_store_failure"), reader)
    drop = typed.flag(params.take("drop_params"))
    limit = typed.whole(params.take("default_max_tokens"), least=1)
    cooldown = typed.seconds(reader.pick("cooldown_time", params, info))
    allowed = typed.whole(reader.pick("allowed_fails", params, info))
    timeout = _above_zero(params.take_first("timeout", "request_timeout"), reader)
    price = read_price(params, info, reader)
    base_model = typed.name(info.take("base_model"))
    defaults = _defaults(params, reader)
    points = read_points(params.take("cache_control_injection_points"), reader)
    made = Deployment(
        id=DeploymentId(own_id or ""),
        alias=alias,
        provider=reach.host.provider if reach else "",
        dialect=reach.host.dialect if reach else Dialect.OPENAI,
        model=reach.host.model if reach else "",
        api_base=reach.api_base if reach else "",
        api_key=reach.api_key if reach else None,
        organization=typed.text(params.take("organization")),
        api_version=typed.name(params.take("api_version")),
        weight=typed.number(params.take("weight")),
        rpm=typed.whole(reader.pick("rpm", params, info, entry)),
        tpm=typed.whole(reader.pick("tpm", params, info, entry)),
        order=typed.whole(params.take("order")),
        tags=tuple(dict.fromkeys(typed.texts(params.take("tags")))),
        environments=environments.of_requests,
        off=environments.off,
        timeout=timeout,
        stream_timeout=_above_zero(params.take("stream_timeout"), reader),
        num_retries=typed.whole(params.take("num_retries")),
        cooldown_time=cooldown,
        allowed_fails=allowed,
        allowed_fails_policy=allowed_fails_policy(
            reader.pick("allowed_fails_policy", params, info), reader
        ),
        extra_headers=_headers(params, reader),
        defaults=MappingProxyType(defaults),
        drop_params=ground.drop_params if drop is None else drop,
        additional_drop_params=typed.texts(params.take("additional_drop_params")),
        drop_betas=typed.texts(params.take("drop_betas")),
        default_max_tokens=_limit_of(defaults) or limit,
        breakpoints=points,
        verify=read_verify(params.take("ssl_verify"), reader, ground.verify),
        price=price,
        priced_as=base_model.removeprefix(f"{reach.host.provider}/")
        if base_model and reach
        else None,
        max_budget=typed.usd(budget),
        budget_duration=window.text if window else None,
        info=MappingProxyType(_info(info)),
        source=entry.position,
    )
    if reach is None:
        return None
    return ModelEntry(
        deployment=made,
        at=entry.at,
        model_at=reach.model_at,
        window=window,
        budget_at=budget.at if budget else None,
        origins=reach.origins,
        price_model=made.priced_as or made.model,
        windowed=duration is not None,
        own_id=own_id,
        on_store_failure=on_failure,
    )


def read_verify(spot: Spot | None, reader: Reader, default: bool | str) -> bool | str:
    """Return how certificates are checked: true, false, or a file of authorities."""
    if spot is None or spot.unresolved:
        return default
    value = to_json(spot.node)
    if isinstance(value, str) and value.strip().lower() not in ("true", "false"):
        return reader.typed.text(spot) or default
    flag = reader.typed.flag(spot)
    if flag is False:
        reader.findings.warning(
            "no-tls-check",
            spot.at,
            "certificates are not checked, so anybody on the way can read keys and prompts",
            "Name the file of your own authority instead.",
        )
    return default if flag is None else flag


def _above_zero(spot: Spot | None, reader: Reader) -> float | None:
    length = reader.typed.seconds(spot)
    if length == 0 and spot is not None:
        reader.findings.mistake(
            "wrong-type", spot.at, "0 seconds would end every call", "Remove it for no limit."
        )
        return None
    return length


def _headers(params: Section, reader: Reader) -> tuple[tuple[str, str], ...]:
    """Return the extra headers; a name or value that no HTTP message can carry is an error."""
    found: dict[str, tuple[str, str]] = {}
    for key in ("headers", "extra_headers"):
        spot = params.take(key)
        for name, value in reader.typed.pairs(spot):
            plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
            if spot and not (plain and all(c == "\t" or 31 < ord(c) < 256 for c in value)):
                reader.findings.error(
                    "bad-header", spot.at, f'the header "{name}" cannot be sent in HTTP'
                )
            else:
                found[name.lower()] = (name, value)
    return tuple(found.values())


def _defaults(params: Section, reader: Reader) -> dict[str, Json]:
    """Return the request fields that the deployment sets for its callers."""
    spots: list[Spot] = []
    for name in sorted(REQUEST_FIELDS):
        spot = params.take(name)
        if spot is not None:
            spots.append(spot)
    extra = params.take("extra_body")
    reader.typed.mapping(extra)
    if extra is not None and isinstance(extra.node, MapNode):
        spots += [extra.inside(e.key, e.position, e.node) for e in extra.node.entries]
    defaults: dict[str, Json] = {}
    for spot in spots:
        value = to_json(spot.node)
        if spot.key in OWN_OF_THE_CALLER:
            reader.findings.error(
                "callers-field", spot.at, "belongs to the caller; the file cannot set it"
            )
        elif not _sendable(value):
            reader.findings.error("bad-number", spot.at, "has a number that JSON cannot carry")
        elif not spot.unresolved:
            defaults[spot.key] = value
    return defaults


def _sendable(value: Json) -> bool:
    """Return whether a value can be written as JSON: finite numbers of at most 63 bits."""
    match value:
        case dict():
            return all(_sendable(each) for each in value.values())
        case list():
            return all(_sendable(each) for each in value)
        case float():
            return value - value == 0
        case int():
            return abs(value) < _BIGGEST
        case _:
            return True


def _limit_of(defaults: Mapping[str, Json]) -> int | None:
    """Return the limit that the file puts into requests; it is sent, so it is what counts."""
    for name in ("max_completion_tokens", "max_tokens"):
        value = defaults.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _info(info: Section) -> dict[str, Json]:
    """Return what `model_info` says beyond id, prices and environments, for lists of models."""
    told = {"id", "supported_environments", *PRICE_KEYS}
    return {
        entry.key: to_json(entry.node)
        for entry in info.node.entries
        if entry.key not in told and _sendable(to_json(entry.node))
    }

"""Reads the options of guards that ask a service: `openai_moderation`, `generic_guardrail_api`."""

from __future__ import annotations

from typing import Final

from tiergate.base.values import Secret
from tiergate.config.guard_ground import JUDGES, OptionGround
from tiergate.config.section import Section, Spot
from tiergate.config.typed import items
from tiergate.core.guard_options import ModerationOptions, Reaction, RemoteOptions

_OPENAI: Final = "https://api.openai.com/v1"
_MODERATIONS: Final = "/moderations"
_GENERIC: Final = "/beta/litellm_basic_guardrail_api"


def read_moderation(_kind: str, params: Section, ground: OptionGround) -> ModerationOptions | None:
    """Return the options; None after an error."""
    base_spot = params.take("api_base")
    address = ground.address(base_spot, "OPENAI_API_BASE", _OPENAI)
    key = ground.key(params.take("api_key"), "OPENAI_API_KEY")
    model = ground.reader.typed.firm.text(params.take("model"))
    reaction = ground.reaction(params.take("action"), Reaction.BLOCK, JUDGES)
    if key is None and base_spot is None and ground.look_up and params.look("api_key") is None:
        ground.error(
            "missing-key",
            params,
            "asks OpenAI's moderation endpoint, and there is no key for it",
            "Write api_key: os.environ/OPENAI_API_KEY, or set that variable.",
        )
    return ModerationOptions(
        address=_ended(address, _MODERATIONS),
        key=key,
        model=model or ModerationOptions(address="").model,
        reaction=reaction,
    )


def read_remote(_kind: str, params: Section, ground: OptionGround) -> RemoteOptions | None:
    """Return the options; None after an error."""
    typed = ground.reader.typed
    spot = params.take("api_base")
    address = ground.address(spot, "GENERIC_GUARDRAIL_API_BASE")
    if not address and spot is None and ground.look_up:
        ground.error(
            "missing-key",
            params,
            "asks a guardrail service, and does not say where it is",
            "Write api_base: https://HOST, or set GENERIC_GUARDRAIL_API_BASE.",
        )
    forwarded = typed.texts(params.take("extra_headers"), "a list of names of headers")
    return RemoteOptions(
        address=_ended(address, _GENERIC),
        key=ground.key(params.take("api_key"), "GENERIC_GUARDRAIL_API_KEY"),
        headers=_headers(params.take("headers"), ground),
        forwarded=tuple(name.lower() for name in forwarded),
        params=typed.mapping(params.take("additional_provider_specific_params")),
    )


def _ended(address: str, path: str) -> str:
    """Return an address with the path of the endpoint, unless it has it already."""
    plain = address.rstrip("/")
    return plain if not plain or plain.endswith(path) else plain + path


def _headers(spot: Spot | None, ground: OptionGround) -> tuple[tuple[str, Secret], ...]:
    """Return the headers of a mapping, or of LiteLLM's list of one pair each."""
    if spot is None:
        return ()
    spots = items(spot) or (spot,)
    pairs = [pair for each in spots for pair in ground.reader.typed.firm.pairs(each)]
    for name, value in pairs:
        good = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not good or not value.isprintable():
            ground.error("bad-header", spot, f"the header {name} cannot be sent")
    return tuple((name.lower(), Secret(value)) for name, value in pairs)

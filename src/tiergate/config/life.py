"""Reads how the gateway stops, and what it is not ready without."""

from __future__ import annotations

from typing import Final

from tiergate.config.reading import Reader, Sections
from tiergate.config.section import Spot
from tiergate.config.typed import describe
from tiergate.core.life import Life, Need

_DEFAULTS: Final = Life()
_NEEDS: Final = {need.value: need for need in Need}


def read_life(sections: Sections, reader: Reader) -> Life:
    """Return the settings of `general_settings` that say how the gateway stops."""
    timeout = _seconds("drain_timeout", _DEFAULTS.drain_timeout, sections, reader)
    delay = _seconds("drain_delay", _DEFAULTS.drain_delay, sections, reader)
    spot = sections.general.take("unready_when")
    needs = _needs(spot, reader)
    reader.show("general_settings.unready_when", tuple(sorted(n.value for n in needs)), spot)
    return Life(drain_timeout=timeout, drain_delay=delay, unready_when=needs)


def _seconds(key: str, default: float, sections: Sections, reader: Reader) -> float:
    spot = sections.general.take(key)
    found = reader.typed.seconds(spot)
    value = default if found is None else found
    reader.show(f"general_settings.{key}", value, spot, text=f"{value:g} s")
    return value


def _needs(spot: Spot | None, reader: Reader) -> frozenset[Need]:
    if spot is None:
        return _DEFAULTS.unready_when
    found: set[Need] = set()
    for word in reader.typed.texts(spot, "a list of `stores` and `providers`"):
        if (need := _NEEDS.get(word)) is not None:
            found.add(need)
        else:
            reader.findings.error(
                "unknown-value",
                spot.at,
                f"{describe(spot)} names `{word}`, which is not known",
                f"Write any of {', '.join(_NEEDS)}.",
            )
    return frozenset(found)

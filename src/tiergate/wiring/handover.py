"""How settings travel between the processes of one gateway: as bytes that nobody else can read.

They hold keys, so they are neither arguments nor environment nor a file with a name.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tiergate import __version__
from tiergate.core.catalog import Settings

_VERSION = __version__.encode() + b"\0"


def _read_only(mapping: dict[object, object]) -> Mapping[object, object]:
    """Make a read-only mapping; the type itself has no name that pickles could refer to."""
    return MappingProxyType(mapping)


def _reduce(
    mapping: MappingProxyType[object, object],
) -> tuple[Callable[[dict[object, object]], Mapping[object, object]], tuple[dict[object, object]]]:
    """Say how a read-only mapping is made again; settings have many, and pickle knows none."""
    return _read_only, (dict(mapping),)


def pack_settings(settings: Settings) -> bytes:
    """Return settings as bytes for another process of this gateway."""
    out = io.BytesIO()
    out.write(_VERSION)
    pickler = pickle.Pickler(out, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**copyreg.dispatch_table, MappingProxyType: _reduce}
    pickler.dump(settings)
    return out.getvalue()


def unpack_settings(data: bytes) -> Settings:
    """Read what `pack_settings` wrote in a process of the same gateway.

    Raises:
        ValueError: They were written by another version: the program was replaced on disk while
            it ran.
    """
    if not data.startswith(_VERSION):
        raise ValueError(
            f"this is Tiergate {__version__}, but the running supervisor is of another version: "
            "the program was replaced while it ran. Restart the gateway."
        )
    # Written by `pack_settings` in a process of ours, and carried by a private socket pair.
    found: object = pickle.loads(data[len(_VERSION) :])  # noqa: S301 - see above
    if not isinstance(found, Settings):
        raise ValueError("what came from the supervisor is no configuration")  # noqa: TRY004 - a value from outside
    return found

"""Which aliases a failure of the alias asked leads to, and which of them a key is kept from.

A chain never leads the holder of a key to an alias that the key may not use: such members are
passed over, and named in the trail.
"""

from __future__ import annotations

from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind
from tiergate.core.routing import Route, Routes
from tiergate.core.steps import Wish


def members(routes: Routes, route: Route, wish: Wish, kind: ChainKind) -> tuple[AliasName, ...]:
    """Return the aliases that a failure of the alias asked leads to, in order.

    The request's own list takes the place of the configured chain, and nothing is added to it.
    """
    found = _chain(routes, route, wish, kind)
    allowed = wish.allowed
    return found if allowed is None else tuple(name for name in found if name in allowed)


def withheld(routes: Routes, route: Route, wish: Wish, kind: ChainKind) -> tuple[AliasName, ...]:
    """Return the members of a chain that the caller's key may not use."""
    allowed = wish.allowed
    if allowed is None:
        return ()
    return tuple(name for name in _chain(routes, route, wish, kind) if name not in allowed)


def _chain(routes: Routes, route: Route, wish: Wish, kind: ChainKind) -> tuple[AliasName, ...]:
    if wish.disable_fallbacks:
        return ()
    own = wish.own(kind)
    if own is None:
        return route.chains[kind]
    found = ((name, routes.of(name)) for name in own)
    names = dict.fromkeys(name if to is None else to.alias for name, to in found)
    return tuple(name for name in names if name != route.alias)

"""Gives each deployment a stable id: its `model_info.id`, or a hash of what it is.

The hash covers the alias and everything in `litellm_params` except secret values; a reference
such as `os.environ/KEY_2` counts as the name it is. So an id stays the same over restarts,
machines and a change of key, and says nothing about the key.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from tiergate.base.jsontypes import Json
from tiergate.config.environment import PREFIX
from tiergate.config.section import Section
from tiergate.config.tree import ListNode, MapNode, Node, ScalarNode

_SECRET_WORDS: Final = ("api_key", "secret", "password", "credential", "headers")
_AWS_SECRETS: Final = ("aws_access_key_id", "aws_session_token", "azure_ad_token")
_LENGTH: Final = 16
"""Hexadecimal digits: 64 bits, far more than any file has deployments."""


def hashed_id(alias: str, params: Section) -> str:
    """Return the id of a deployment that has none of its own.

    Args:
        alias: Its alias.
        params: Its `litellm_params`.
    """
    plain: Json = {"alias": alias, "params": _plain(params.node, secret=False)}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def _plain(node: Node, *, secret: bool) -> Json:
    """Return a node as JSON in which secrets are blanks and references are their names."""
    match node:
        case ScalarNode():
            if node.reference is not None:
                return f"{PREFIX}{node.reference}"
            return "" if secret else _number_free(node)
        case ListNode():
            return [_plain(item, secret=secret) for item in node.items]
        case MapNode():
            return {
                entry.key: _plain(entry.node, secret=secret or _is_secret(entry.key))
                for entry in node.entries
            }


def _number_free(node: ScalarNode) -> Json:
    """Return a scalar so that `60` and `60.0` are one, and no number is out of JSON's range."""
    if isinstance(node.value, float):
        return f"{node.value:.17g}"
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return str(node.value)
    return node.value


def _is_secret(key: str) -> bool:
    lowered = key.lower()
    return lowered in _AWS_SECRETS or any(word in lowered for word in _SECRET_WORDS)

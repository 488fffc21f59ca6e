"""Makes answers unreadable for whoever can read the store and has not the key: AES-256-GCM.

Needs the package `cryptography`. A sealed answer is bound to the name it is kept under, so that
nobody can put one answer in another one's place.
"""

from __future__ import annotations

import hashlib
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tiergate.base.values import Secret

_NONCE: Final = 12
_SALT: Final = b"tiergate answers 1"
"""Fixed: gateways that share a store must come to the same key by themselves."""

_WORK: Final = 1 << 14
"""How dear it is to try a pass phrase; takes some 50 ms and 16 MB, once at the start."""


class AnswerSeal:
    """Implements `answer_packing.Seal`.

    Args:
        phrase: `cache_params.encryption_key`, of any length.
    """

    def __init__(self, phrase: Secret) -> None:
        key = hashlib.scrypt(phrase.value.encode(), salt=_SALT, n=_WORK, r=8, p=1, dklen=32)
        self._cipher = AESGCM(key)

    def close(self, data: bytes, name: bytes) -> bytes:
        """Return the sealed bytes, with what is needed to open them in front."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data, name)

    def open(self, data: bytes, name: bytes) -> bytes | None:
        """Return what was sealed; None if it was not sealed with this key under this name."""
        if len(data) <= _NONCE:
            return None
        try:
            return self._cipher.decrypt(data[:_NONCE], data[_NONCE:], name)
        except InvalidTag:
            return None

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from tiergate.base.values import Dialect
from tiergate.config.hosts import HostMatch


def test_a_host_needs_no_key_unless_it_names_variables_for_one() -> None:
    host = HostMatch("ollama", Dialect.OPENAI, "llama3", "http://localhost:11434/v1")

    assert host.key_variables == ()
    assert not host.key_optional


def test_what_a_model_means_cannot_be_changed_afterwards() -> None:
    host = HostMatch("ollama", Dialect.OPENAI, "llama3", None)

    with pytest.raises(FrozenInstanceError):
        host.model = "other"  # pyright: ignore[reportAttributeAccessIssue]

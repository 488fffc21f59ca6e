"""Settings arrive in another process as they were, keys included, or not at all."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import tiergate
from support.attempts import deployments, settings
from tiergate.base.values import Secret
from tiergate.core.catalog import Access
from tiergate.wiring.configuration import read_configuration
from tiergate.wiring.handover import pack_settings, unpack_settings

KEY = "sk-9hQ2vK7xLw4ZpTb8RmYc3NfD"
DEMO = Path(tiergate.__file__).parent / "demo" / "demo.yaml"


def test_settings_survive_with_their_keys():
    given = settings(deployments(cheap="a"), access=Access(master_key=Secret(KEY)))
    found = unpack_settings(pack_settings(given))
    assert found == given
    assert found.access.master_key == Secret(KEY)


def test_the_settings_of_a_whole_file_survive():
    environ = {"ANTHROPIC_API_KEY": "k-0123456789", "OPENAI_API_KEY": "k-0123456789"}
    given = read_configuration((DEMO,), environ, lenient=True).settings
    assert given is not None
    assert unpack_settings(pack_settings(given)) == given


def test_another_version_of_the_program_is_told():
    data = b"0.0.0" + pack_settings(settings(deployments(cheap="a")))
    with pytest.raises(ValueError, match="Restart the gateway"):
        unpack_settings(data)


def test_something_else_is_no_configuration():
    head = pack_settings(settings(deployments(cheap="a"))).partition(b"\0")[0]
    with pytest.raises(ValueError, match="no configuration"):
        unpack_settings(head + b"\0" + pickle.dumps("text"))

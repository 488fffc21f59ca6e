from __future__ import annotations

from support.config_world import key_table
from tiergate.config.request_fields import OWN_OF_THE_CALLER, REQUEST_FIELDS

PARAMS = ("model_list", "0", "litellm_params")


def test_the_file_never_says_what_is_asked_and_of_whom() -> None:
    assert not REQUEST_FIELDS & OWN_OF_THE_CALLER
    assert {"model", "messages", "stream", "api_base", "api_key"} <= OWN_OF_THE_CALLER


def test_every_field_that_acts_is_in_the_table_of_keys_as_acting() -> None:
    """The table may lag behind for fields that it does not know at all; never contradict."""
    known = {name: key_table().find((*PARAMS, name)) for name in REQUEST_FIELDS}

    assert [name for name, entry in known.items() if entry is not None and not entry.acts] == []

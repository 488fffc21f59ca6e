"""A recording keeps the shape of a request and nobody's words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import recordings
from support.relay import Sent

BODY = {
    "model": "cheap",
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": 'Dear Jane,\n\t"call" 555-0199 – Grüße 🌍'}],
        }
    ],
    "tools": [
        {
            "name": "Read",
            "description": "Reads. " * 100,
            "input_schema": {
                "properties": {"description": {"type": "string", "description": "Why?"}},
                "required": ["description"],
            },
        }
    ],
    "metadata": {"user_id": '{"device_id":"' + "9f" * 32 + '","name":"dave"}'},
    "file": "/home/jane/secret.txt",
}


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> recordings.Recording:
    monkeypatch.setattr(recordings, "FOLDER", tmp_path)
    monkeypatch.setattr(recordings, "UPDATE", True)
    headers = (("X-Api-Key", "sk-secret"), ("Anthropic-Beta", "a,b"), ("Host", "here"))
    sent = Sent("POST", "/v1/messages?beta=true", headers, recordings.compact(BODY))
    recordings.record("one", "client 1.2", sent, {"/home/jane": "/home/user"})
    return recordings.read(tmp_path / "one.json")


def test_words_become_filler_of_the_same_shape(recording: recordings.Recording) -> None:
    text = recording.body["messages"][0]["content"][0]["text"]
    assert text == 'Lore Lore,\n\t"lore" 000-0000 – Loüßl 🌍'
    description = recording.body["tools"][0]["description"]
    assert description.startswith("Lorem. Lorem. ")
    assert len(description) == recordings.LONGEST_PROSE


def test_structure_names_and_types_stay(recording: recordings.Recording) -> None:
    (tool,) = recording.body["tools"]
    assert tool["name"] == "Read"
    assert tool["input_schema"]["required"] == ["description"]
    assert tool["input_schema"]["properties"]["description"]["type"] == "string"
    assert list(recording.body) == list(BODY)


def test_ids_paths_and_keys_are_gone(recording: recordings.Recording) -> None:
    user = json.loads(recording.body["metadata"]["user_id"])
    assert user == {"device_id": "0" * 64, "name": "dave"}
    assert recording.body["file"] == "/home/user/secret.txt"
    assert recording.headers == {"anthropic-beta": "a,b"}
    assert (recording.client, recording.target) == ("client 1.2", "/v1/messages?beta=true")


def test_nothing_is_written_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "FOLDER", tmp_path)
    monkeypatch.setattr(recordings, "UPDATE", False)
    recordings.record("one", "client 1.2", Sent("POST", "/", (), b"{}"))
    assert list(tmp_path.iterdir()) == []

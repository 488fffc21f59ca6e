"""What used to match and comes back changed is told; what is new is only remembered."""

from __future__ import annotations

import pytest

from tiergate.core import prefix_memory
from tiergate.core.drift import Change, Difference, Part
from tiergate.core.prefix_memory import PrefixMemory, Prompt

KEY = ("key", "cheap", "")
RULES = b"\n".join(b"Rule %d: be careful with everything." % n for n in range(60))


class Sender:
    """Sends prompts, as the watch does, and remembers what was said of them."""

    def __init__(self) -> None:
        self.memory = PrefixMemory()

    def send(
        self,
        system: bytes = RULES,
        messages: tuple[int, ...] = (1,),
        tools: tuple[int, ...] = (1, 2, 3),
        key: tuple[str, str, str] = KEY,
    ) -> Difference | None:
        prompt = Prompt(tools, (hash(system),), messages)
        return self.memory.see(key, prompt, lambda _: system)


def test_a_head_that_came_twice_used_to_match() -> None:
    sender = Sender()
    assert sender.send() is None
    assert sender.send(RULES + b" 09:30") is None  # the first one came only once
    assert sender.send() is None
    found = sender.send(RULES + b" 09:31", (2,))
    assert found is not None
    assert (found.part, found.hint) == (Part.SYSTEM, "timestamp")


def test_every_new_timestamp_is_a_drift_from_what_used_to_match() -> None:
    sender = Sender()
    for talk in range(3):
        assert sender.send(messages=(talk,)) is None
    found = [sender.send(RULES + b" 09:%02d" % n, (10 + n,)) for n in range(20)]
    assert all(each is not None and each.hint == "timestamp" for each in found)
    assert sender.send(messages=(99,)) is None, "what used to match is still known"


def test_a_new_prompt_that_stays_is_told_once() -> None:
    sender = Sender()
    sender.send(messages=(1,))
    sender.send(messages=(2,))
    told = [sender.send(RULES + b" And be brief.", (10 + n,)) for n in range(5)]
    assert [each is not None for each in told] == [True, False, False, False, False]


def test_two_agents_of_one_key_do_not_drift() -> None:
    sender = Sender()
    other = bytes(reversed(RULES))
    told = [
        sender.send(system, (10 * n + at,), tools)
        for n in range(5)
        for at, (system, tools) in enumerate([(RULES, (1, 2, 3)), (other, (1, 2, 7))])
    ]
    assert told == [None] * 10


def test_keys_aliases_and_phases_are_apart() -> None:
    sender = Sender()
    sender.send()
    sender.send()
    for key in (("other", "cheap", ""), ("key", "dear", ""), ("key", "cheap", "draft")):
        assert sender.send(RULES + b"!", key=key) is None


def test_a_rewritten_message_is_told_once() -> None:
    sender = Sender()
    sender.send(messages=(1, 2, 3))
    assert sender.send(messages=(1, 2, 3, 4, 5)) is None
    assert sender.send(messages=(1, 9, 3, 4, 5, 6, 7)) == Difference(
        Part.MESSAGE, 2, Change.CHANGED
    )
    assert sender.send(messages=(1, 9, 3, 4, 5, 6, 7, 8, 9)) is None


def test_conversations_with_the_same_questions_and_other_answers_do_not_drift() -> None:
    sender = Sender()
    for turn in range(1, 5):
        for talk in range(3):
            answers = [100 * talk + at for at in range(turn)]
            said = (1, *(each for at, a in enumerate(answers) for each in (1000 + a, 2 + at)))
            assert sender.send(messages=said) is None


def test_a_first_message_that_changes_is_found_by_the_answer_to_it() -> None:
    sender = Sender()
    sender.send(messages=(1, 2, 3))
    assert sender.send(messages=(9, 2, 3, 4, 5)) == Difference(Part.MESSAGE, 1, Change.CHANGED)


def test_an_earlier_turn_sent_again_does_not_shorten_what_is_known() -> None:
    sender = Sender()
    sender.send(messages=(1, 2, 3, 4, 5))
    assert sender.send(messages=(1, 2, 3)) is None
    assert sender.send(messages=(1, 2, 3, 9, 5, 6, 7)) == Difference(
        Part.MESSAGE, 4, Change.CHANGED
    )


def test_everything_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix_memory, "MOST_STREAMS", 3)
    monkeypatch.setattr(prefix_memory, "MOST_TALKS", 2)
    sender = Sender()
    for number in range(20):
        for _ in range(2):
            sender.send(messages=(number, number + 1), key=(str(number), "a", ""))
    assert len(sender.memory._streams) == 3
    assert len(sender.memory._talks) <= 4
    assert sender.send(RULES + b"!", key=("19", "a", "")) is not None
    assert sender.send(RULES + b"!", key=("1", "a", "")) is None, "it was forgotten"


def test_what_used_to_match_outlives_what_came_once() -> None:
    sender = Sender()
    sender.send()
    sender.send()
    for number in range(prefix_memory.MOST_HEADS * 3):
        sender.send(bytes([33 + number]) * 2000, (number,), (50 + number,))
    assert sender.send(RULES + b"!", (77,)) is not None


def test_a_prompt_without_messages_is_no_conversation() -> None:
    sender = Sender()
    assert [sender.send(messages=()) for _ in range(3)] == [None] * 3


def test_one_hash_stands_for_alias_tools_and_system_prompt() -> None:
    one = Prompt((1,), (2,), (3,))
    assert one.head("a") == Prompt((1,), (2,), (9,)).head("a")
    assert len({one.head("a"), one.head("b"), Prompt((1, 2), (), (3,)).head("a")}) == 3

"""Which words must not differ between two questions that mean nearly the same."""

from __future__ import annotations

import pytest

from tiergate.core.likeness import contradict, marks, sides


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "How do I list the files of a folder?",
            "What is the way to show all files in a directory?",
        ),
        ("What is the capital of France?", "What's France's capital city?"),
        ("What\u2019s France\u2019s capital?", "What's France's capital?"),
        ("Is 1,000 enough?", "Would 1000 be enough?"),
        ("every five seconds", "every 5 seconds"),
        ("Please explain recursion.", "Explain recursion, please."),
        ("I'm lost. How do I start?", "How do I start? I am lost."),
        ("Tell me about Python", "tell me about python"),
    ],
)
def test_a_paraphrase_has_the_same_marks(one, other):
    assert marks(one) == marks(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 5 plus 3?", "What is 5 plus 4?"),
        ("What is 15 percent of 80?", "What is 80 percent of 15?"),
        ("What is the capital of France?", "What is the capital of Spain?"),
        ("Convert USD to EUR.", "Convert EUR to USD."),
        ("Is it safe?", "Is it not safe?"),
        ("Does it work?", "Doesn't it work?"),
        ("a cake with eggs", "a cake without eggs"),
        ("reverse a string in python", "reverse a string in java"),
        ("convert json to xml", "convert xml to json"),
        ("install it on linux", "install it on windows"),
        ("install it", "install it on windows"),
        ("What does foo_bar do?", "What does foo_baz do?"),
        ("open a/b.txt", "open a/c.txt"),
        ('say "good day"', 'say "good night"'),
        ("Say “yes”", "Say “perhaps”"),
        ("run `ls -l`", "run `ls -a`"),
        ("gpt-4 prices", "gpt-5 prices"),
        ("Paris weather?", "London weather?"),
        ("wait two days", "wait three days"),
        ("the weather tomorrow", "the weather today"),
    ],
)
def test_what_must_not_differ_makes_other_marks(one, other):
    assert marks(one) != marks(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("enable logging", "disable logging"),
        ("increase the limit", "reduce the limit"),
        ("the largest planet", "the smallest planet"),
        ("the average wage", "the minimum wage"),
        ("who wrote it", "when was it written"),
        ("how many days", "how many weeks"),
        ("buy shares", "sell shares"),
        ("translate it into German", "translate it from German"),
        ("the start and the end", "the start"),
    ],
)
def test_two_sides_of_one_thing_contradict(one, other):
    assert contradict(sides(one), sides(other))
    assert contradict(sides(other), sides(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("enable logging", "activate logging"),
        ("enable logging", "how does logging work"),
        ("start the server", "start the server before noon"),
        ("how long should I boil it", "how many minutes should I boil it"),
        ("", ""),
    ],
)
def test_one_side_or_the_same_do_not(one, other):
    assert not contradict(sides(one), sides(other))


def test_sides_tell_no_word_of_the_question():
    assert sides("Enable the Maximum of my secret") == ("most-a", "on-a")
    assert sides("nothing of the kind") == ()

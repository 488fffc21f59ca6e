"""What this installation knows of guards."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tiergate.wiring.guard_facts import InstalledGuards

FACTS = InstalledGuards()


def test_names_are_those_of_the_guards():
    assert {"email", "us_ssn", "aws_access_key", "iban_code"} <= FACTS.patterns()
    assert "aws_access_key" in FACTS.secrets()
    assert "email" not in FACTS.secrets()
    assert {"EMAIL_ADDRESS", "US_SSN"} <= FACTS.entities()
    assert "AWSKeyDetector" in FACTS.detectors()


def test_patterns_are_judged():
    assert FACTS.pattern_fault("a+") == ""
    assert FACTS.pattern_fault("(").startswith("is no regular expression")
    assert FACTS.pattern_slow("(a+)+b") == "4000 characters of 'a'"
    assert FACTS.pattern_slow("ab") == ""
    assert FACTS.pattern_bounded("ab{1,3}")
    assert not FACTS.pattern_bounded("ab+")
    assert FACTS.tool_pattern("a_*") == "a_.*"


@pytest.mark.parametrize("model", ["xx_no_such_model", "no/such/folder", "a b"])
def test_a_model_that_is_not_there_is_told(model):
    assert FACTS.model_fault(model) == (
        f"the spaCy model {model} is neither an installed package nor a folder"
    )


def test_a_model_may_be_a_folder_or_a_package(tmp_path):
    assert FACTS.model_fault(str(tmp_path)) == ""
    assert FACTS.model_fault("json") == ""


def test_nothing_is_imported_before_it_is_asked_for():
    """`regex` takes 20 to 60 ms to import, Presidio seconds; without guards nobody pays."""
    program = (
        "import sys, tiergate.wiring.configuration as c; c.known(); "
        "print(*sorted({'regex', 'spacy', 'detect_secrets'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "")

"""Options of the content filter, in LiteLLM's spelling and the plain one."""

from __future__ import annotations

import pytest

from support.guarded import Options
from tiergate.core.guard_options import FilterOptions, PatternRule, Reaction, WordRule

BLOCK, MASK, LOG = Reaction.BLOCK, Reaction.MASK, Reaction.LOG


def read(tmp_path, text: str) -> tuple[FilterOptions | None, Options]:
    options = Options(tmp_path)
    found = options.read(text)
    assert found is None or isinstance(found, FilterOptions)
    return found, options


def good(tmp_path, text: str) -> FilterOptions:
    found, options = read(tmp_path, text)
    assert found is not None
    assert options.said() == []
    assert options.left == []
    return found


def test_litellms_spelling(tmp_path):
    found = good(
        tmp_path,
        r"""
guardrail: litellm_content_filter
patterns:
  - {pattern_type: prebuilt, pattern_name: us_ssn, action: BLOCK}
  - {pattern_type: prebuilt, pattern_name: email, action: MASK}
  - {pattern_type: regex, name: ticket, pattern: 'T-\d{4}', action: log, description: ours}
  - {pattern_type: regex, pattern: 'X', action: LOG, ignore_case: false}
blocked_words:
  - {keyword: confidential, action: BLOCK, description: secret}
  - {keyword: 4711, action: MASK}
pattern_redaction_format: '***{pattern_name}***'
keyword_redaction_tag: '***'
timeout: 2s
""",
    )
    assert found.patterns == (
        PatternRule(name="us_ssn", reaction=BLOCK),
        PatternRule(name="email", reaction=MASK),
        PatternRule(name="ticket", reaction=LOG, pattern=r"T-\d{4}", ignore_case=True),
        PatternRule(name="regex", reaction=LOG, pattern="X"),
    )
    assert found.words == (
        WordRule(word="confidential", reaction=BLOCK),
        WordRule(word="4711", reaction=MASK),
    )
    assert (found.pattern_format, found.word_tag) == ("***{pattern_name}***", "***")
    assert found.seconds == 2


def test_the_plain_spelling(tmp_path):
    found = good(
        tmp_path,
        r"{guardrail: regex, patterns: ['SECRET-\d{6}'], words: [a b], action: mask, "
        "whole_words: false}",
    )
    assert found.patterns == (PatternRule(name="regex", reaction=MASK, pattern=r"SECRET-\d{6}"),)
    assert found.words == (WordRule(word="a b", reaction=MASK, whole=False),)


def test_the_usual_deed_is_to_block(tmp_path):
    found = good(tmp_path, "{guardrail: deny_words, words: [x], ignore_case: true}")
    assert found.words == (WordRule(word="x", reaction=BLOCK),)


def test_words_of_a_file_join_in(tmp_path):
    (tmp_path / "words.yaml").write_text(
        "blocked_words:\n  - {keyword: apollo, action: BLOCK}\n  - gemini\n"
    )
    found = good(tmp_path, "{guardrail: regex, blocked_words_file: words.yaml, action: LOG}")
    assert found.words == (
        WordRule(word="apollo", reaction=BLOCK),
        WordRule(word="gemini", reaction=LOG),
    )


def test_a_file_may_be_a_list_alone(tmp_path):
    (tmp_path / "words.yaml").write_text("[apollo]")
    found = good(tmp_path, "{guardrail: regex, blocked_words_file: words.yaml}")
    assert [word.word for word in found.words] == ["apollo"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{guardrail: regex}", "error : looks for nothing"),
        (
            "{guardrail: regex, patterns: abc}",
            'error patterns: expected a list of patterns, got the text "abc"',
        ),
        (
            "{guardrail: regex, words: abc}",
            'error words: expected a list of words, got the text "abc"',
        ),
        (
            "{guardrail: regex, patterns: ['[z']}",
            (
                "error patterns[0]: is no regular expression: unterminated character set at "
                "position 2"
            ),
        ),
        (
            "{guardrail: regex, patterns: [{pattern: '(' }]}",
            "error patterns[0].pattern: is no regular expression: missing ) at position 1",
        ),
        ("{guardrail: regex, patterns: [{name: x}]}", "error patterns[0]: is no pattern"),
        (
            "{guardrail: regex, patterns: [{pattern_name: religion}]}",
            'error patterns[0].pattern_name: there is no built-in pattern "religion"',
        ),
        (
            "{guardrail: regex, patterns: [{pattern_name: emial}]}",
            'error patterns[0].pattern_name: there is no built-in pattern "emial"',
        ),
        (
            "{guardrail: regex, patterns: [{pattern_name: email, action: ALLOW}]}",
            'error patterns[0].action: "ALLOW" is no action here',
        ),
        (
            "{guardrail: regex, patterns: [{pattern_name: email, actoin: MASK}]}",
            "error patterns[0].actoin: is not read here",
        ),
        (
            "{guardrail: regex, patterns: [a], pattern_redaction_format: XXX}",
            "error pattern_redaction_format: does not contain {pattern_name}",
        ),
        (
            "{guardrail: regex, blocked_words: [{action: MASK}]}",
            "error blocked_words[0]: has no keyword",
        ),
        (
            "{guardrail: regex, words: [a], blocked_words_file: none.yaml}",
            "error blocked_words_file: FOLDER/none.yaml cannot be read: no such file or directory",
        ),
    ],
)
def test_what_cannot_be_understood_is_an_error(text, said, tmp_path):
    _, options = read(tmp_path, text)
    assert said.replace("FOLDER", str(tmp_path)) in options.said()


def test_a_file_without_words_is_an_error(tmp_path):
    (tmp_path / "words.yaml").write_text("words: [a]")
    _, options = read(tmp_path, "{guardrail: regex, blocked_words_file: words.yaml}")
    assert (
        f"error blocked_words_file: {tmp_path}/words.yaml has no blocked_words" in options.said()
    )


def test_a_pattern_that_runs_away_is_a_warning(tmp_path):
    _, options = read(tmp_path, "{guardrail: regex, patterns: ['(a+)+b']}")
    assert options.said()[0] == (
        "warning patterns[0]: takes very long with 4000 characters of 'a': a call with such a "
        "text will fail"
    )


def test_a_pattern_without_an_end_is_a_notice(tmp_path):
    _, options = read(tmp_path, "{guardrail: regex, patterns: ['ab+']}")
    assert options.said() == [
        (
            "notice patterns[0]: has no longest match: in streams it is looked for within 256 "
            "characters"
        )
    ]


def test_the_name_of_a_pattern_in_place_of_one_is_a_warning(tmp_path):
    found, options = read(tmp_path, "{guardrail: regex, patterns: [email]}")
    assert found is not None
    assert options.said() == ['warning patterns[0]: looks for the word "email" itself']
    assert options.advice() == ["For the built-in pattern write {pattern_name: email}."]

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.config.findings import Findings
from tiergate.config.source import MOST_BYTES, MOST_FILES, Source, read
from tiergate.config.tree import to_json


def read_files(folder: Path, *names: str) -> tuple[Source, list[str]]:
    findings = Findings()
    source = read([folder / name for name in names], findings)
    return source, [str(each).replace(f"{folder}/", "") for each in findings.result()]


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)


def test_files_are_merged_in_the_order_given(tmp_path: Path) -> None:
    write(tmp_path, a="list: [1]\nmap: {x: 1}\n", b="list: [2]\nmap: {y: 2}\n")

    source, findings = read_files(tmp_path, "a.yaml", "b.yaml")

    assert source.root is not None
    assert to_json(source.root) == {"list": [1, 2], "map": {"x": 1, "y": 2}}
    assert findings == []


def test_included_files_are_found_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text("include: [sub/b.yaml]\nx: [1]\n")
    (tmp_path / "sub" / "b.yaml").write_text("include: c.yaml\nx: [2]\n")
    (tmp_path / "sub" / "c.yaml").write_text("x: [3]\n")

    source, findings = read_files(tmp_path, "a.yaml")

    assert source.root is not None
    assert to_json(source.root) == {"x": [1, 2, 3]}
    assert findings == []
    assert [Path(file).name for file in source.files] == ["a.yaml", "b.yaml", "c.yaml"]


def test_files_that_include_each_other_are_each_read_once(tmp_path: Path) -> None:
    write(tmp_path, a="include: [b.yaml]\nx: [1]\n", b="include: [a.yaml]\nx: [2]\n")

    source, findings = read_files(tmp_path, "a.yaml")

    assert source.root is not None
    assert to_json(source.root) == {"x": [1, 2]}
    assert [line.split(": ")[1] for line in findings] == ["warning"]


def test_one_file_under_two_names_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, a="x: [1]\n")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "a.yaml")

    source, findings = read_files(tmp_path, "a.yaml", "b.yaml")

    assert source.root is not None
    assert to_json(source.root) == {"x": [1]}
    assert len(findings) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"# x", "the file is empty"),
        (b"~", "the file is empty"),
        (b"[1]", "got a list"),
        (b"hello", "got text"),
        (b"a: 1\nb: \xff\n", "not UTF-8"),
        (b"a: \x00", "not valid YAML"),
        (b"x" * (MOST_BYTES + 1), "larger than 4 MB"),
    ],
)
def test_what_is_no_configuration_is_one_error(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.yaml").write_bytes(content)

    source, findings = read_files(tmp_path, "a.yaml")

    assert source.root is None
    assert len(findings) == 1
    assert ": error: " in findings[0]
    assert words in findings[0]


def test_bad_bytes_are_reported_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: 1\nb: 2\nc: \xff\n")

    _, findings = read_files(tmp_path, "a.yaml")

    assert findings[0].startswith("a.yaml:3: error:")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")

    source, _ = read_files(tmp_path, "a.yaml")

    assert source.root is not None
    assert to_json(source.root) == {"a": 1}


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    _, findings = read_files(tmp_path, "nowhere.yaml", ".")

    assert "nowhere.yaml cannot be read: no such file or directory" in findings[0]
    assert "is a directory" in findings[1]


def test_an_empty_file_beside_a_full_one_is_only_a_notice(tmp_path: Path) -> None:
    write(tmp_path, a="a: 1\n", b="# later\n")

    source, findings = read_files(tmp_path, "a.yaml", "b.yaml")

    assert source.root is not None
    assert findings == ["b.yaml:1: notice: the file sets nothing"]


def test_several_empty_files_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, a="", b="# later\n")

    source, findings = read_files(tmp_path, "a.yaml", "b.yaml")

    assert source.root is None
    assert "every file is empty" in findings[0]


def test_no_files_at_all_are_an_error() -> None:
    findings = Findings()

    assert read([], findings).root is None
    assert findings.failed


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / f"{number}.yaml").write_text(f"include: {number + 1}.yaml\n")

    source, findings = read_files(tmp_path, "0.yaml")

    assert source.root is None
    assert f"more than {MOST_FILES} files" in findings[0]


def test_one_bad_file_does_not_hide_the_mistakes_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, a="a: [", b="b: {")

    _, findings = read_files(tmp_path, "a.yaml", "b.yaml")

    assert [line[:6] for line in findings] == ["a.yaml", "b.yaml"]

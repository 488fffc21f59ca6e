"""A journal outlives its process, has one owner at a time, and ends with a whole line."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tiergate.ports import JournalFile
from tiergate.stores import journal as module
from tiergate.stores.journal import abandoned, open_journal

WRITER = """
import sys
from pathlib import Path
from tiergate.stores.journal import open_journal
journal = open_journal(Path(sys.argv[1]), "dead")
journal.write(b"one")
journal.restart(b"two")
journal.write(b"three")
print("ready", flush=True)
sys.stdin.read()
"""


def left_behind(directory: Path, name: str, *lines: bytes) -> None:
    """A journal whose process is gone."""
    journal = open_journal(directory, name)
    for line in lines:
        journal.write(line)
    journal.close(drop=False)


def written(path: Path) -> bytes:
    """What is in a journal that is open: the rest of its room is zero."""
    text, _, room = path.read_bytes().partition(b"\0")
    assert not room.strip(b"\0")
    return text


def refusal(fault: int):
    def refuse(*_args: object) -> None:
        raise OSError(fault, os.strerror(fault))

    return refuse


def taken(directory: Path, own: str = "own") -> dict[str, list[bytes]]:
    found = {}
    for one in abandoned(directory, own):
        found[one.name] = one.lines()
        one.release()
    return found


# ------------------------------------------------------------------ writing


def test_lines_are_appended_and_private(tmp_path):
    journal: JournalFile = open_journal(tmp_path / "journals", "w1")
    journal.write(b"one")
    journal.write(b"two\nthree")

    path = tmp_path / "journals" / "w1.journal"
    assert written(path) == b"one\ntwo\nthree\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    journal.close(drop=True)
    assert list(path.parent.iterdir()) == []


def test_a_line_needs_no_call_to_the_operating_system(tmp_path, monkeypatch):
    journal = open_journal(tmp_path, "w1")
    journal.write(b"one")

    def refuse(*args):
        raise AssertionError(args)

    with monkeypatch.context() as closed:
        closed.setattr(module.os, "posix_fallocate", refuse)
        closed.setattr(module.mmap, "mmap", refuse)
        journal.write(b"two")

    assert written(tmp_path / "w1.journal") == b"one\ntwo\n"
    journal.close(drop=True)


def test_a_journal_grows(tmp_path):
    journal = open_journal(tmp_path, "w1")
    lines = [bytes([97 + n % 26]) * 100_000 for n in range(30)]
    for line in lines:
        journal.write(line)
    journal.close(drop=False)

    assert taken(tmp_path) == {"w1": lines}


def test_a_line_may_be_larger_than_what_it_grows_by(tmp_path):
    left_behind(tmp_path, "w1", b"a", b"b" * 3_000_000, b"c")

    assert taken(tmp_path) == {"w1": [b"a", b"b" * 3_000_000, b"c"]}


def test_a_closed_journal_is_as_long_as_what_is_in_it(tmp_path):
    left_behind(tmp_path, "w1", b"one")

    assert (tmp_path / "w1.journal").read_bytes() == b"one\n"


def test_a_closed_journal_takes_nothing(tmp_path):
    journal = open_journal(tmp_path, "w1")
    journal.write(b"one")
    journal.close(drop=False)

    with pytest.raises(OSError, match="Bad file descriptor"):
        journal.write(b"two")


@pytest.mark.parametrize("fault", [errno.EOPNOTSUPP, errno.EINVAL])
def test_where_the_file_system_reserves_no_room_zeros_are_written(tmp_path, monkeypatch, fault):
    monkeypatch.setattr(module.os, "posix_fallocate", refusal(fault))

    left_behind(tmp_path, "w1", b"one", b"b" * 1_500_000, b"two")

    assert taken(tmp_path) == {"w1": [b"one", b"b" * 1_500_000, b"two"]}


def test_where_the_system_cannot_reserve_room_at_all_zeros_are_written(tmp_path, monkeypatch):
    monkeypatch.delattr(module.os, "posix_fallocate")

    left_behind(tmp_path, "w1", b"one", b"two")

    assert taken(tmp_path) == {"w1": [b"one", b"two"]}


def test_there_too_a_disk_can_be_full(tmp_path, monkeypatch):
    monkeypatch.setattr(module.os, "posix_fallocate", refusal(errno.EOPNOTSUPP))
    monkeypatch.setattr(module.os, "pwrite", lambda file, data, at: len(data) - 1)
    journal = open_journal(tmp_path, "w1")

    with pytest.raises(OSError, match="No space left"):
        journal.write(b"one")
    journal.close(drop=True)


def test_a_name_is_used_once(tmp_path):
    journal = open_journal(tmp_path, "w1")

    with pytest.raises(FileExistsError):
        open_journal(tmp_path, "w1")
    journal.close(drop=True)
    journal.close(drop=True)


@pytest.mark.parametrize("name", ["", ".w", "a/b", "../w", "a b", "a\n"])
def test_a_name_must_be_a_files(tmp_path, name):
    with pytest.raises(ValueError, match="cannot be the name of a journal"):
        open_journal(tmp_path, name)


def test_a_line_that_finds_no_room_leaves_nothing_and_may_be_tried_again(tmp_path, monkeypatch):
    journal = open_journal(tmp_path, "w1")
    journal.write(b"one")
    large = b"x" * 2_000_000
    with monkeypatch.context() as full:
        full.setattr(module.os, "posix_fallocate", refusal(errno.ENOSPC))
        with pytest.raises(OSError, match="No space left"):
            journal.write(large)
        journal.write(b"two")
    journal.write(large)
    journal.close(drop=False)

    assert taken(tmp_path) == {"w1": [b"one", b"two", large]}


def test_a_limit_of_the_operating_system_is_a_fault_and_not_the_end(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    journal = open_journal(tmp_path, "w1")
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            journal.write(b"one")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    journal.write(b"two")
    journal.close(drop=False)

    assert taken(tmp_path) == {"w1": [b"two"]}


# ------------------------------------------------------------------ beginning anew


def test_a_restart_leaves_only_the_new_beginning(tmp_path):
    journal = open_journal(tmp_path, "w1")
    journal.write(b"old")

    journal.restart(b"first")
    journal.write(b"second")

    assert [path.name for path in tmp_path.iterdir()] == ["w1.journal"]
    assert written(tmp_path / "w1.journal") == b"first\nsecond\n"
    assert taken(tmp_path) == {}, "the lock is kept"
    journal.close(drop=True)


def test_a_restart_that_fails_keeps_the_old_file(tmp_path, monkeypatch):
    journal = open_journal(tmp_path, "w1")
    journal.write(b"old")
    with monkeypatch.context() as full:
        full.setattr(module.os, "posix_fallocate", refusal(errno.ENOSPC))
        with pytest.raises(OSError, match="No space left"):
            journal.restart(b"first")
    journal.write(b"more")

    assert [path.name for path in tmp_path.iterdir()] == ["w1.journal"]
    assert written(tmp_path / "w1.journal") == b"old\nmore\n"
    journal.close(drop=True)


# ------------------------------------------------------------------ taking over


def test_a_journal_of_the_living_is_left_alone(tmp_path):
    journal = open_journal(tmp_path, "w1")
    journal.write(b"one")

    assert abandoned(tmp_path, "w2") == []
    journal.close(drop=True)


def test_there_need_not_be_a_directory(tmp_path):
    assert abandoned(tmp_path / "none", "own") == []


def test_the_asker_s_own_is_never_its_own_heir(tmp_path):
    left_behind(tmp_path, "own", b"one")

    assert taken(tmp_path, "own") == {}


def test_a_torn_last_line_is_left_out(tmp_path):
    left_behind(tmp_path, "w1", b"one", b"two")
    with (tmp_path / "w1.journal").open("ab") as file:
        file.write(b"thr")

    assert taken(tmp_path) == {"w1": [b"one", b"two"]}


def test_a_line_with_a_hole_in_it_is_left_out(tmp_path):
    """Who dies while it copies may have copied the end before the middle."""
    left_behind(tmp_path, "w1", b"one", b"two")
    with (tmp_path / "w1.journal").open("ab") as file:
        file.write(b"thr" + bytes(5000) + b"ee\n" + bytes(2_000_000))

    assert taken(tmp_path) == {"w1": [b"one", b"two"]}


def test_an_empty_journal_has_no_lines(tmp_path):
    left_behind(tmp_path, "w1")

    assert taken(tmp_path) == {"w1": []}


def test_one_at_a_time_takes_over(tmp_path):
    left_behind(tmp_path, "w1", b"one")
    (first,) = abandoned(tmp_path, "own")

    assert abandoned(tmp_path, "other") == []
    first.release()
    first.release()
    (second,) = abandoned(tmp_path, "other")
    second.drop()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_replaced_meanwhile_is_nobodys(tmp_path, monkeypatch):
    """Between opening a file and locking it, its owner may begin anew."""
    journal = open_journal(tmp_path, "w1")
    lock = module._lock

    def slow(file):
        monkeypatch.setattr(module, "_lock", lock)
        journal.restart(b"new")
        return lock(file)

    monkeypatch.setattr(module, "_lock", slow)

    assert abandoned(tmp_path, "own") == []
    journal.close(drop=True)


def test_a_file_that_was_removed_meanwhile_is_nobodys(tmp_path, monkeypatch):
    left_behind(tmp_path, "w1", b"one")
    lock = module._lock

    def slow(file):
        (tmp_path / "w1.journal").unlink(missing_ok=True)
        return lock(file)

    monkeypatch.setattr(module, "_lock", slow)

    assert abandoned(tmp_path, "own") == []


def test_what_a_dying_process_half_made_is_swept_away(tmp_path):
    (tmp_path / ".w9.journal.new").write_bytes(b"")
    (tmp_path / ".other").write_bytes(b"")

    assert taken(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == [".other"]


def test_the_half_made_file_of_a_restart_goes_with_its_journal(tmp_path):
    left_behind(tmp_path, "w1", b"one")
    (tmp_path / ".w1.journal.new").write_bytes(b"half")
    assert taken(tmp_path) == {"w1": [b"one"]}

    (found,) = abandoned(tmp_path, "own")
    found.drop()

    assert list(tmp_path.iterdir()) == []


def test_an_opener_that_was_swept_begins_again(tmp_path, monkeypatch):
    lock = module._lock

    def swept(file):
        monkeypatch.setattr(module, "_lock", lock)
        (tmp_path / ".w1.journal.new").unlink()
        return lock(file)

    monkeypatch.setattr(module, "_lock", swept)
    journal = open_journal(tmp_path, "w1")
    journal.write(b"one")

    assert written(tmp_path / "w1.journal") == b"one\n"
    journal.close(drop=True)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_bytes(b"secret\n")
    (tmp_path / "w1.journal").symlink_to(tmp_path / "elsewhere")

    assert taken(tmp_path) == {}


def test_a_killed_process_leaves_its_lines_to_the_next(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert abandoned(tmp_path, "own") == []

        process.send_signal(signal.SIGKILL)
        process.wait(10)

    assert taken(tmp_path) == {"dead": [b"two", b"three"]}


def test_many_who_look_at_once_share_the_journals_out(tmp_path):
    for number in range(30):
        left_behind(tmp_path, f"w{number}", b"line")
    found: list[str] = []
    start = threading.Barrier(4)

    def look(own: str) -> None:
        start.wait()
        for one in abandoned(tmp_path, own):
            found.append(one.name)
            one.drop()

    threads = [threading.Thread(target=look, args=(f"own{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == sorted(f"w{number}" for number in range(30))
    assert list(tmp_path.iterdir()) == []


def test_none_is_lost_or_found_alive_while_owners_begin_anew(tmp_path):
    """Owners restart all the time; whoever looks meanwhile never gets one of their journals."""
    journals = [open_journal(tmp_path, f"w{n}") for n in range(3)]
    stolen: list[str] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            stolen.extend(one.name for one in abandoned(tmp_path, "own"))

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(150):
        for journal in journals:
            journal.restart(b"first")
            journal.write(b"second")
    done.set()
    thread.join()

    assert stolen == []
    for number, journal in enumerate(journals):
        assert written(tmp_path / f"w{number}.journal") == b"first\nsecond\n"
        journal.close(drop=True)

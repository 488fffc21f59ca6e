"""Sessions: who holds a cookie of ours is known, and nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import Secret
from tiergate.ui.session import (
    SESSION_COOKIE,
    SESSION_SECONDS,
    Cookie,
    form_token,
    is_own_form,
    new_session,
    new_visit,
    read_cookie,
    read_session,
    session_key,
)

MASTER = Secret("sk-9hQ2vK7xLw4ZpTb8RmYc3NfD6gJsE1aU")
KEY = session_key(MASTER)
NONCE = bytes(range(16))


def test_a_session_is_known_to_every_process_with_the_same_master_key():
    session = new_session(KEY, 1000.0, NONCE)
    assert read_session(session_key(Secret(MASTER.value)), session.text, 2000.0) == session


def test_a_new_master_key_ends_all_sessions():
    session = new_session(KEY, 1000.0, NONCE)
    assert read_session(session_key(Secret("another")), session.text, 2000.0) is None


def test_a_session_ends_by_itself():
    session = new_session(KEY, 1000.0, NONCE)
    assert read_session(KEY, session.text, 1000.0 + SESSION_SECONDS - 1) is not None
    assert read_session(KEY, session.text, 1000.0 + SESSION_SECONDS) is None


def test_nobody_can_make_a_session_last_longer():
    session = new_session(KEY, 1000.0, NONCE)
    later = session.text.replace(str(session.expires), str(session.expires + 1))
    assert read_session(KEY, later, 1000.0) is None


def test_the_cookie_does_not_tell_the_master_key():
    assert MASTER.value not in new_session(KEY, 1000.0, NONCE).text


@given(st.text(max_size=80))
def test_no_other_text_is_a_session(text):
    assert read_session(KEY, text, 0.0) is None


@given(st.text(min_size=1), st.text())
def test_a_form_is_good_for_the_browser_that_got_it_only(cookie, other):
    assert is_own_form(cookie, form_token(cookie))
    assert is_own_form(other, form_token(cookie)) == (other == cookie)


def test_without_a_cookie_no_form_is_good():
    assert not is_own_form("", form_token(""))


def test_a_cookie_is_out_of_reach_for_scripts_and_other_sites():
    name, text = Cookie("n", "v", 60, secure=False).header()
    assert name == "set-cookie"
    assert text == "n=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"


def test_over_https_a_cookie_never_goes_over_http():
    text = Cookie("n", "v", None, secure=True).header()[1]
    assert text == "__Host-n=v; Path=/; HttpOnly; SameSite=Strict; Secure"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"{SESSION_COOKIE}=abc", "abc"),
        (f"other=1; {SESSION_COOKIE}=abc; more=2", "abc"),
        (f"other=1,{SESSION_COOKIE}=abc", "abc"),
        ("", ""),
        (f"x{SESSION_COOKIE}=abc", ""),
        (f"{SESSION_COOKIE}=abc; {SESSION_COOKIE}=def", ""),
        (f"{SESSION_COOKIE}={'a' * 1000}", ""),
        (f"__Host-{SESSION_COOKIE}=abc", ""),
    ],
)
def test_a_cookie_is_read_where_it_is_there_once(header, found):
    assert read_cookie(header, SESSION_COOKIE, secure=False) == found


def test_a_visit_is_as_random_as_its_bytes():
    assert new_visit(NONCE) != new_visit(NONCE[::-1])

"""Foreign errors become short words, without addresses or paths."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from tiergate.transport import Fault, TransportError
from tiergate.transport.faults import reason


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.1', 443)"),
            "connection refused",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file", "/secret/path"),
            "no such file or directory",
        ),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name or service"),
        (
            ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version (_ssl.c:1006)"),
            "tls failure",
        ),
        (ConnectionResetError(), "connection lost"),
        (UnicodeError("label too long"), "cannot be written in dns"),
        (RuntimeError("handler is closed"), "runtimeerror"),
    ],
)
def test_a_foreign_error_is_put_in_words(error, words):
    said = reason(error)

    assert words in said.lower()
    assert "10.0.0.1" not in said
    assert "secret" not in said


def test_a_refused_certificate_is_explained():
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"

    assert reason(error) == "its certificate was refused: self-signed certificate"


def test_an_error_carries_its_fault_and_whether_the_connection_was_used_before():
    error = TransportError(Fault.RESET, "api.example:443: the connection broke", reused=True)

    assert error.fault is Fault.RESET
    assert error.reused
    assert str(error) == "api.example:443: the connection broke"

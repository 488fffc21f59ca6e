"""A TLS session in memory: who is trusted, and what comes out of bytes however they are cut."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiergate.transport import Fault, TransportError
from tiergate.transport.tls import Contexts


def decrypted(session) -> bytes:
    parts = []
    while part := session.decrypt():
        parts.append(part)
    return b"".join(parts)


def test_a_trusted_peer_is_spoken_to_in_http_1_1(memory_server, certificate):
    server, session = memory_server(), Contexts().session("localhost", str(certificate))

    server.join(session)
    server.incoming.write(session.encrypt(b"request"))

    assert server.object.read() == b"request"
    assert server.object.selected_alpn_protocol() == "http/1.1"
    session.receive(server.sends(b"answer"))
    assert decrypted(session) == b"answer"


def test_the_peer_is_told_the_name_that_is_asked_for(memory_server, tls_server_context):
    names = []
    tls_server_context.sni_callback = lambda _object, name, _context: names.append(name)

    memory_server().join(Contexts().session("provider.example", verify=False))

    assert names == ["provider.example"]


def test_a_certificate_of_an_unknown_authority_is_refused(memory_server):
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        memory_server().join(Contexts().session("localhost", verify=True))


def test_a_certificate_for_another_name_is_refused(memory_server, certificate):
    session = Contexts().session("provider.example", str(certificate))

    with pytest.raises(ssl.SSLCertVerificationError, match=r"provider\.example"):
        memory_server().join(session)


def test_an_address_is_checked_against_the_certificate(memory_server, certificate):
    contexts = Contexts()

    memory_server().join(contexts.session("127.0.0.1", str(certificate)))
    with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.2"):
        memory_server().join(contexts.session("127.0.0.2", str(certificate)))


def test_a_folder_of_authorities_may_be_named(memory_server, certificate, tmp_path):
    session = Contexts().session("localhost", str(tmp_path))

    with pytest.raises(ssl.SSLCertVerificationError):  # the folder is read, and holds none
        memory_server().join(session)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_read_are_an_error_that_names_the_file(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(TransportError) as caught:
        Contexts().session("localhost", str(path))

    assert caught.value.fault is Fault.TLS
    assert str(path) in str(caught.value)


def test_a_context_is_made_once_per_way_of_judging():
    contexts = Contexts()

    def context_of(*, verify: bool) -> ssl.SSLContext:
        return contexts.session("localhost", verify)._object.context

    assert context_of(verify=False) is context_of(verify=False)
    assert context_of(verify=True) is context_of(verify=True)
    assert context_of(verify=True) is not context_of(verify=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=20_000), max_size=4), st.data())
def test_the_plain_bytes_are_the_same_however_the_records_are_cut(memory_server, pieces, data):
    server, session = memory_server(), Contexts().session("localhost", verify=False)
    server.join(session)
    stream = b"".join(server.sends(piece) for piece in pieces)
    points = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))

    got = []
    edges = sorted({0, len(stream), *points})
    for start, end in zip(edges, edges[1:], strict=False):  # noqa: RUF007 - edges may be a single 0
        session.receive(stream[start:end])
        got.append(decrypted(session))

    assert b"".join(got) == b"".join(pieces)
    assert not session.closed


def test_a_large_body_is_carried_whole_in_both_directions(memory_server):
    server, session = memory_server(), Contexts().session("localhost", verify=False)
    server.join(session)
    body = bytes(range(256)) * 2000

    server.incoming.write(session.encrypt(memoryview(body)))
    received = b""
    while server.incoming.pending:
        received += server.object.read(1 << 20)
    session.receive(server.sends(body))

    assert received == body
    assert decrypted(session) == body


def test_what_follows_close_notify_does_not_count(memory_server):
    server, session = memory_server(), Contexts().session("localhost", verify=False)
    server.join(session)
    last = server.sends(b"last words")

    session.receive(last + server.closes() + b"anything")

    assert decrypted(session) == b"last words"
    assert session.closed
    assert session.decrypt() == b""


def test_a_damaged_record_is_an_error(memory_server):
    server, session = memory_server(), Contexts().session("localhost", verify=False)
    server.join(session)
    record = bytearray(server.sends(b"answer"))
    record[-1] ^= 1

    session.receive(bytes(record))

    with pytest.raises(ssl.SSLError):
        decrypted(session)


def test_a_peer_that_ends_during_the_handshake_is_an_error():
    session = Contexts().session("localhost", verify=False)
    assert not session.handshake()

    session.receive(b"")

    with pytest.raises(ssl.SSLError):
        session.handshake()

"""What is a request, what is not, and that it does not matter how the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.front.limits import Limits
from tiergate.front.reader import Reader


class Requests:
    """Collects what a reader tells."""

    def __init__(self) -> None:
        self.all: list[dict[str, object]] = []

    def request_begun(self, request) -> None:
        self.all.append({"request": request, "body": b"", "complete": False})

    def body_received(self, pieces) -> None:
        self.all[-1]["body"] += b"".join(pieces)

    def request_complete(self, pieces) -> None:
        self.body_received(pieces)
        self.all[-1]["complete"] = True

    @property
    def plain(self) -> list[tuple[object, ...]]:
        return [
            (
                seen["request"].method,
                seen["request"].path,
                seen["request"].query_string,
                seen["request"].http_version,
                seen["request"].headers.items(),
                seen["request"].keep_alive,
                seen["body"],
                seen["complete"],
            )
            for seen in self.all
        ]


def read(*pieces: bytes, limits: Limits | None = None) -> tuple[Requests, Reader]:
    requests = Requests()
    reader = Reader(requests, limits or Limits(), "192.0.2.1:7", "http")
    for piece in pieces:
        reader.feed(piece)
    return requests, reader


HOST = b"Host: x\r\n"


def test_a_head_is_taken_apart() -> None:
    requests, reader = read(
        b"GET /a%20b?c=d&e HTTP/1.1\r\nHost: x\r\nX-One:  two \t\r\nEMPTY:\r\nx-one: 3\r\n\r\n"
    )
    assert requests.plain == [
        (
            "GET",
            "/a%20b",
            "c=d&e",
            "1.1",
            [("host", "x"), ("x-one", "two"), ("empty", ""), ("x-one", "3")],
            True,
            b"",
            True,
        )
    ]
    request = requests.all[0]["request"]
    assert (request.client, request.scheme, request.proto) == ("192.0.2.1:7", "http", "http")
    assert reader.fault is None


def test_header_values_are_latin_1() -> None:
    requests, _ = read(b"GET / HTTP/1.1\r\nHost: x\r\nA: caf\xe9\r\n\r\n")
    assert requests.plain[0][4] == [("host", "x"), ("a", "caf\xe9")]


def test_a_chunked_body_is_put_together_and_its_trailers_are_dropped() -> None:
    requests, _ = read(
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: Chunked\r\n\r\n"
        b"3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nHost: evil\r\nUpgrade: x\r\n\r\n"
        b"GET /2 HTTP/1.1\r\n" + HOST + b"\r\n"
    )
    assert [(seen[1], seen[6], seen[7]) for seen in requests.plain] == [
        ("/", b"abc0123456789", True),
        ("/2", b"", True),
    ]
    assert requests.plain[1][4] == [("host", "x")]


POST = b"POST / HTTP/1.1\r\n" + HOST
BAD = {
    "bare LF": b"GET / HTTP/1.1\nHost: x\n\n",
    "bare LF after a header": b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "bare CR": b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
    "space before the first header": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "no header name": b"GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "two hosts in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
    "space in the path": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "not a path": b"GET abc HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw UTF-8 in the path": b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown method": b"MAKE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "lower-case method": b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    "version 1.2": b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "length and coding": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\n" * 2 + b"\r\n",
    "list of lengths": POST + b"Content-Length: 3, 3\r\n\r\n",
    "signed length": POST + b"Content-Length: +3\r\n\r\n",
    "negative length": POST + b"Content-Length: -3\r\n\r\n",
    "empty length": POST + b"Content-Length:\r\n\r\n",
    "length over 64 bits": POST + b"Content-Length: " + b"9" * 20 + b"\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n",
    "coding after chunked": POST + b"Transfer-Encoding: chunked, x\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n",
    "coding in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("sent", BAD.values(), ids=BAD)
def test_ambiguous_or_broken_heads_are_400(sent) -> None:
    requests, reader = read(sent)
    assert reader.fault is not None
    assert reader.fault.status == 400
    assert requests.all == []


CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"-1\r\n", b"0x1\r\n", b"1 \r\n", b"g\r\n", b"\r\n", b"1\na", b"1\r\nab", b"1\r\na\n",
        b"1;x\na", b"ffffffffffffffffff\r\n", b"0\r\nA\r\n\r\n", b"0\n\n",
    ],
)  # fmt: skip
def test_broken_chunks_are_400_and_the_body_is_not_complete(body) -> None:
    requests, reader = read(CHUNKED, body)
    assert reader.fault is not None
    assert reader.fault.status == 400
    assert not requests.plain[0][7]


@pytest.mark.parametrize("coding", [b"gzip", b"identity", b"xchunked", b"gzip, chunked"])
def test_other_transfer_codings_are_501(coding) -> None:
    requests, reader = read(
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: " + coding + b"\r\n\r\n"
    )
    assert reader.fault is not None
    assert reader.fault.status == 501
    assert requests.all == []


@pytest.mark.parametrize("version", [b"", b" HTTP/0.9", b" HTTP/2.0"])
def test_other_versions_are_505(version) -> None:
    _, reader = read(b"GET /" + version + b"\r\n" + HOST + b"\r\n")
    assert reader.fault is not None
    assert reader.fault.status == 505


def test_connect_is_501() -> None:
    requests, reader = read(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nraw")
    assert reader.fault is not None
    assert reader.fault.status == 501
    assert requests.all == []


def test_a_fault_tells_what_was_read_of_its_request() -> None:
    _, reader = read(b"GET /a?b HTTP/1.1\r\nHost: x\r\nA: b\r\nbad header\r\n\r\n")
    assert reader.fault is not None
    assert (reader.fault.path, reader.fault.headers) == ("/a", [("host", "x")])
    assert reader.fault.sentence.startswith("The request is not HTTP/1.1: ")


def test_a_fault_in_a_body_belongs_to_its_request() -> None:
    requests, reader = read(CHUNKED, b"nonsense\r\n")
    assert reader.fault is not None
    fault = reader.fault.inside(requests.all[0]["request"])
    assert (fault.status, fault.sentence) == (400, reader.fault.sentence)
    assert (fault.path, [name for name, _ in fault.headers]) == (
        "/",
        ["host", "transfer-encoding"],
    )


def test_after_a_fault_nothing_is_read() -> None:
    requests, reader = read(b"NO\r\n\r\n")
    fault = reader.fault
    reader.feed(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert requests.all == []
    assert reader.fault is fault


# -- limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 100, 1000])
def test_a_head_over_the_limit_is_431(cut) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 600 + b"\r\n\r\n"
    pieces = [head[at : at + cut] for at in range(0, len(head), cut)]
    requests, reader = read(*pieces, limits=Limits(max_head_bytes=600))
    assert reader.fault is not None
    assert reader.fault.status == 431
    assert requests.all == []


def test_a_head_that_never_ends_is_431() -> None:
    _, reader = read(b"GET /", *[b"a" * 100] * 20, limits=Limits(max_head_bytes=1000))
    assert reader.fault is not None
    assert reader.fault.status == 431


def test_a_head_within_the_limit_may_come_with_a_large_body() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
    requests, reader = read(head + b"x" * 5000, limits=Limits(max_head_bytes=100))
    assert reader.fault is None
    assert requests.plain[0][6] == b"x" * 5000


def test_too_many_headers_are_431() -> None:
    _, reader = read(
        b"GET / HTTP/1.1\r\n" + HOST + b"a: b\r\n" * 10 + b"\r\n", limits=Limits(max_headers=10)
    )
    assert reader.fault is not None
    assert reader.fault.status == 431


@pytest.mark.parametrize("flood", [b"x" * 100, b"1;" + b"x" * 98])
def test_chunk_extensions_and_trailers_without_end_are_400(flood) -> None:
    start = CHUNKED + (b"0\r\nA: " if flood[:1] == b"x" else b"")
    _, reader = read(start, *[flood] * 20, limits=Limits(max_head_bytes=1000))
    assert reader.fault is not None
    assert reader.fault.status == 400


def test_a_long_body_in_small_pieces_is_not_taken_for_a_flood() -> None:
    pieces = [b"1\r\nx\r\n"] * 500
    requests, reader = read(CHUNKED, *pieces, b"0\r\n\r\n", limits=Limits(max_head_bytes=200))
    assert reader.fault is None
    assert requests.plain[0][6] == b"x" * 500


# -- expectations and upgrades ---------------------------------------------------------------


def test_only_a_client_that_waits_for_it_expects_100_continue() -> None:
    line = b"Expect: 100-Continue\r\n"
    requests, _ = read(
        b"POST / HTTP/1.1\r\n" + HOST + line + b"\r\n",
        b"POST / HTTP/1.0\r\nConnection: keep-alive\r\n" + line + b"\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Expect: tea\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"\r\n",
    )
    assert [seen["request"].expects for seen in requests.all] == [True, False, False, False]


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
NEXT = b"GET /next HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.mark.parametrize(
    ("framing", "sent", "body"),
    [
        (b"", b"", b""),
        (b"Content-Length: 3\r\n", b"abc", b"abc"),
        (b"Content-Length: 0\r\n", b"", b""),
        (b"Transfer-Encoding: chunked\r\n", b"2\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n", b"abc"),
    ],
)
@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_an_upgrade_is_passed_over_and_its_body_is_kept(framing, sent, body, cut) -> None:
    data = b"POST /u HTTP/1.1\r\n" + HOST + UPGRADE + framing + b"\r\n" + sent + NEXT + NEXT
    requests, reader = read(*[data[at : at + cut] for at in range(0, len(data), cut)])
    assert reader.fault is None
    assert [(seen[0], seen[1], seen[6], seen[7]) for seen in requests.plain] == [
        ("POST", "/u", body, True),
        ("GET", "/next", b"", True),
        ("GET", "/next", b"", True),
    ]


def test_an_upgrade_with_two_framings_is_400() -> None:
    _, reader = read(
        b"POST / HTTP/1.1\r\n" + HOST + UPGRADE
        + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    )  # fmt: skip
    assert reader.fault is not None
    assert reader.fault.status == 400


# -- cuts ------------------------------------------------------------------------------------

TOKEN = st.text("abcdefXYZ-_0", min_size=1, max_size=12)
VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
REQUESTS = st.builds(
    lambda method, path, headers, body, chunked: (method, path, headers, body, chunked),
    st.sampled_from(["GET", "POST", "PUT", "OPTIONS"]),
    st.text("abc/%20", max_size=20),
    st.lists(st.tuples(TOKEN.map("x-{}".format), VALUE), max_size=5),
    st.binary(max_size=60),
    st.booleans(),
)


def as_bytes(method, path, headers, body, chunked) -> bytes:
    lines = [f"{method} /{path} HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in headers)]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        half = len(body) // 2
        parts = [part for part in (body[:half], body[half:]) if part]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    else:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@given(made=st.lists(REQUESTS, min_size=1, max_size=3), cuts=st.lists(st.integers(0, 400)))
def test_it_does_not_matter_how_the_bytes_are_cut(made, cuts) -> None:
    data = b"".join(as_bytes(*one) for one in made)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    whole, _ = read(data)
    parts, reader = read(*(data[a:b] for a, b in pairwise(edges)))
    assert reader.fault is None
    assert parts.plain == whole.plain
    assert [(seen[0], seen[1], seen[6], seen[7]) for seen in parts.plain] == [
        (method, f"/{path}", body, True) for method, path, _, body, _ in made
    ]
    assert [[(k, v) for k, v in seen[4] if k.startswith("x-")] for seen in parts.plain] == [
        [(k.lower(), v) for k, v in headers] for _, _, headers, _, _ in made
    ]


@given(st.lists(st.binary(max_size=100), max_size=6))
def test_bytes_that_mean_nothing_raise_nothing(pieces) -> None:
    _, reader = read(*pieces)
    assert reader.fault is None or reader.fault.status in {400, 431, 501, 505}

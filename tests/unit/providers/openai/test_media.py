"""Data URLs and files."""

from __future__ import annotations

import pytest

from tiergate.base.chat import Bytes64, Link
from tiergate.base.errors import Refused
from tiergate.providers.openai.media import data_url, file_source, source_of, text_of


def test_a_data_url_becomes_bytes_and_back() -> None:
    url = "data:image/png;base64,AAAA"
    source = source_of(url, "here")
    assert source == Bytes64("image/png", "AAAA")
    assert data_url(source) == url


def test_parameters_and_capitals_of_a_data_url_are_understood() -> None:
    url = "DATA:image/SVG+xml;charset=utf-8;base64,QUJD"
    assert source_of(url, "here") == Bytes64("image/svg+xml", "QUJD")


def test_an_address_stays_an_address() -> None:
    assert source_of("https://images.example/cat.png", "x") == Link(
        "https://images.example/cat.png"
    )


@pytest.mark.parametrize("url", ["data:image/png,plain", "data:;base64,AAAA", "data:nonsense", ""])
def test_a_data_url_without_type_or_base64_is_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        source_of(url, "messages.0.content.1.image_url.url")
    assert caught.value.param == "messages.0.content.1.image_url.url"


def test_a_data_url_of_a_hundred_thousand_semicolons_is_refused_at_once() -> None:
    with pytest.raises(Refused):
        source_of("data:image/png" + ";a" * 100_000, "x")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.pdf", "application/pdf"), ("notes.txt", "text/plain"), (None, "application/pdf")],
)
def test_bare_base64_takes_its_type_from_the_file_name(name: str | None, media_type: str) -> None:
    assert file_source("QUJD", name, "x") == Bytes64(media_type, "QUJD")


def test_file_data_may_be_an_address() -> None:
    assert file_source("https://files.example/a.pdf", None, "x") == Link(
        "https://files.example/a.pdf"
    )


def test_only_plain_text_files_have_a_text() -> None:
    assert text_of(Bytes64("text/plain", "aMOkdHRl")) == "hätte"
    assert text_of(Bytes64("application/pdf", "QUJD")) is None
    assert text_of(Bytes64("text/plain", "not base64!")) is None
    assert text_of(Bytes64("text/plain", "/////w==")) is None

"""Numbers that were given out, and those that only look alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.guards import checksums

GOOD = [
    (checksums.card, "4111 1111 1111 1111"),
    (checksums.card, "5555-5555-5555-4444"),
    (checksums.card, "2223003122003222"),
    (checksums.card, "378282246310005"),
    (checksums.card, "6011111111111117"),
    (checksums.card, "30569309025904"),
    (checksums.card, "3530111333300000"),
    (checksums.card_number, "4012888888881881"),
    (checksums.iban, "GB82 WEST 1234 5698 7654 32"),
    (checksums.iban, "DE89370400440532013000"),
    (checksums.nhs, "943 476 5919"),
    (checksums.cpf, "529.982.247-25"),
    (checksums.cnpj, "11.222.333/0001-81"),
    (checksums.tfn, "123 456 782"),
    (checksums.abn, "51 824 753 556"),
    (checksums.medicare, "2123 45670 1"),
    (checksums.nir, "2 55 08 14 168 025 38"),
    (checksums.nir, "1 80 01 2A 168 025 " + f"{97 - 1800119168025 % 97:02}"),
    (checksums.nir, "1 80 01 2B 168 025 " + f"{97 - 1800118168025 % 97:02}"),
    (checksums.bsn, "111222333"),
    (checksums.pesel, "44051401359"),
    (checksums.nif, "12345678Z"),
    (checksums.nif, "X1234567L"),
    (checksums.fiscal_code, "RSSMRA85T10A562S"),
    (checksums.nric, "S1234567D"),
    (checksums.aadhaar, "2341 2341 2346"),
    (checksums.finnish, "131052-308T"),
    (checksums.dea, "AB1234563"),
    (checksums.routing, "021000021"),
    (checksums.ssn, "219-09-9999"),
    (checksums.phone, "+49 30 1234567"),
    (checksums.address, "8.8.8.8"),
    (checksums.address, "2001:db8::1"),
    (checksums.mail, "jane@example.com"),
    (checksums.coin, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    (checksums.coin, "0x52908400098527886E0F7030069857D2E4169EE7"),
]


@pytest.mark.parametrize(
    ("check", "text"), GOOD, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_number_that_was_given_out_counts_in_full(check, text):
    assert check(text) == len(text)


DIGIT_CHECKED = [
    pair for pair in GOOD if pair[0].__name__ not in ("ssn", "phone", "address", "mail")
]


@pytest.mark.parametrize(
    ("check", "text"), DIGIT_CHECKED, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_number_with_one_digit_changed_is_none(check, text):
    if check is checksums.coin and text.startswith("0x"):
        return
    place = max(i for i, sign in enumerate(text[:-3]) if sign.isdigit())
    changed = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    assert check(changed) == 0


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (checksums.card, "0000 0000 0000 0000"),
        (checksums.card, "9999999999999995"),
        (checksums.card, "411111111111111"),
        (checksums.iban, "ZZ82 WEST 1234 5698 7654 32"),
        (checksums.iban, "GB82 WEST 1234"),
        (checksums.iban, "DE89370400440532013000X"),
        (checksums.ssn, "000-12-3456"),
        (checksums.ssn, "666-12-3456"),
        (checksums.ssn, "987-65-4321"),
        (checksums.ssn, "219-00-9999"),
        (checksums.ssn, "219-09-0000"),
        (checksums.phone, "1111111111"),
        (checksums.phone, "123456"),
        (checksums.address, "127.0.0.1"),
        (checksums.address, "0.0.0.0"),
        (checksums.address, "255.255.255.255"),
        (checksums.address, "::1"),
        (checksums.address, "a::b"),
        (checksums.address, "1:2"),
        (checksums.mail, "git@github.com"),
        (checksums.cpf, "111.111.111-11"),
        (checksums.bsn, "000000000"),
        (checksums.pesel, "44991401359"),
        (checksums.coin, "bc1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"),
        (checksums.coin, "3zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"),
    ],
)
def test_a_number_that_nobody_has_is_none(check, text):
    assert check(text) == 0


def test_words_behind_a_bank_account_do_not_count():
    assert checksums.iban("DE89 3704 0044 0532 0130 00 AND") == len("DE89 3704 0044 0532 0130 00")


@given(st.integers(0, 10**15 - 1))
def test_exactly_one_check_digit_of_ten_is_good(number):
    assert sum(checksums.luhn(f"{number}{digit}") for digit in range(10)) == 1


@given(st.text("0123456789 -", max_size=30))
def test_digits_are_the_digits(text):
    assert checksums.digits_of(text) == text.replace(" ", "").replace("-", "")

"""Tells numbers that were given out from numbers that only look alike, by their check digits.

Each function takes a candidate as it stands in a text, signs between its digits included, and
returns how many of its characters count: all, fewer where the pattern took too much, or 0 where
it is none.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Final

_CARDS: Final = (
    ("4", (13, 16, 19)),
    ("34", (15,)),
    ("37", (15,)),
    ("36", (14,)),
    ("38", (14,)),
    ("39", (14,)),
    ("35", (16,)),
    ("62", (16, 17, 18, 19)),
    ("6011", (16,)),
    ("65", (16,)),
    *((str(prefix), (16,)) for prefix in range(644, 650)),
    *((str(prefix), (14,)) for prefix in range(300, 306)),
    *((str(prefix), (16,)) for prefix in range(51, 56)),
    *((str(prefix), (16,)) for prefix in range(2221, 2721)),
)
"""First digits and lengths of Visa, American Express, Diners, JCB, UnionPay, Discover and
Mastercard (ISO/IEC 7812; the issuers' public ranges, seen November 2026)."""
_CARD_PREFIXES: Final = frozenset(prefix for prefix, _ in _CARDS)
_CARD_LENGTHS: Final = dict(_CARDS)

_IBAN_COUNTRIES: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 "
    "EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 "
    "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 "
    "NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 "
    "TN24 TR26 UA29 VA22 VG24 XK20"
)
_IBAN_LENGTHS: Final = {each[:2]: int(each[2:]) for each in _IBAN_COUNTRIES.split()}
"""Characters of an IBAN by country (SWIFT's IBAN registry)."""

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_NIF_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_FINNISH: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_ODD_PLACES: Final = (
    "1 0 5 7 9 13 15 17 19 21 1 0 5 7 9 13 15 17 19 21 2 4 18 20 11 3 6 8 12 14 16 10 22 25 24 23"
)
_FISCAL_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (int(value) for value in _ODD_PLACES.split()),
        strict=True,
    )
)
"""What a sign at an odd place counts (Italian ministerial decree of 23 December 1976)."""
_VERHOEFF_TIMES: Final = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_VERHOEFF_PLACES: Final = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)
"""The dihedral group of order ten and its permutations (Verhoeff, 1969)."""


def digits_of(text: str) -> str:
    """Return the ASCII digits of a text."""
    return "".join(sign for sign in text if "0" <= sign <= "9")


def letters_and_digits(text: str) -> str:
    """Return the letters and digits of a text, in capitals."""
    return "".join(sign for sign in text if sign.isalnum()).upper()


def luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the rest (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def weighted(digits: str, weights: tuple[int, ...]) -> int:
    """Return the sum of the digits, each times its weight."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def card(text: str) -> int:
    """A payment card of a known issuer, with a good check digit."""
    digits = digits_of(text)
    lengths = next(
        (_CARD_LENGTHS[digits[:n]] for n in (4, 3, 2, 1) if digits[:n] in _CARD_PREFIXES), ()
    )
    good = len(digits) in lengths and len(set(digits)) > 1 and luhn(digits)
    return len(text) if good else 0


def card_number(text: str) -> int:
    """Any number with a good check digit, for patterns that know the issuer already."""
    return len(text) if luhn(digits_of(text)) else 0


def iban(text: str) -> int:
    """An international bank account number; a word behind it does not count (ISO 13616)."""
    length = _IBAN_LENGTHS.get(text[:2])
    if length is None:
        return 0
    taken = end = 0
    for place, sign in enumerate(text):
        if sign.isalnum():
            taken += 1
            if taken == length:
                end = place + 1
                break
    else:
        return 0
    if text[end : end + 1].isalnum():
        return 0
    plain = letters_and_digits(text[:end])
    turned = "".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])
    return end if int(turned) % 97 == 1 else 0


def ssn(text: str) -> int:
    """A US social security number that can have been given out."""
    digits = digits_of(text)
    area = digits[:3]
    bad = area in ("000", "666") or area[0] == "9" or digits[3:5] == "00" or digits[5:] == "0000"
    return 0 if bad else len(text)


def mail(text: str) -> int:
    """An address of a person; `git@` is how repositories are addressed."""
    return 0 if text.startswith("git@") else len(text)


def phone(text: str) -> int:
    """A telephone number: 7 to 15 digits (E.164), and not all the same."""
    digits = digits_of(text)
    if not 7 <= len(digits) <= 15 or len(set(digits)) < 3:
        return 0
    return len(text) - (text.endswith(")") and text.count(")") > text.count("("))


def link(text: str) -> int:
    """An address on the web; signs behind it that end a sentence or a bracket do not count."""
    return len(text.rstrip(").,;:!?]}»。、"))


def address(text: str) -> int:
    """An IP address of somebody: not loopback, not unspecified, not reserved."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return 0
    reserved = found.version == 6 and found.is_reserved
    nobody = found.is_loopback or found.is_unspecified or reserved or text == "255.255.255.255"
    return 0 if nobody else len(text)


def nhs(text: str) -> int:
    """A number of the British health service (modulus 11)."""
    digits = digits_of(text)
    key = 11 - weighted(digits[:9], (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return len(text) if key % 11 == int(digits[9]) and key != 10 else 0


def cpf(text: str) -> int:
    """A Brazilian tax number of a person (two check digits)."""
    digits = digits_of(text)
    if len(digits) != 11 or len(set(digits)) == 1:
        return 0
    good = all(
        weighted(digits[:n], tuple(range(n + 1, 1, -1))) * 10 % 11 % 10 == int(digits[n])
        for n in (9, 10)
    )
    return len(text) if good else 0


def cnpj(text: str) -> int:
    """A Brazilian tax number of a company (two check digits)."""
    digits = digits_of(text)
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    for n in (12, 13):
        rest = weighted(digits[:n], weights[13 - n :]) % 11
        if (0 if rest < 2 else 11 - rest) != int(digits[n]):
            return 0
    return len(text)


def tfn(text: str) -> int:
    """An Australian tax file number (modulus 11)."""
    digits = digits_of(text)
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10) if len(digits) == 9 else (10, 7, 8, 4, 6, 3, 5, 1)
    return len(text) if weighted(digits, weights) % 11 == 0 else 0


def abn(text: str) -> int:
    """An Australian business number (modulus 89)."""
    digits = digits_of(text)
    total = weighted(digits, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10
    return len(text) if total % 89 == 0 else 0


def medicare(text: str) -> int:
    """An Australian medicare card."""
    digits = digits_of(text)
    good = digits[0] in "23456" and weighted(digits[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(
        digits[8]
    )
    return len(text) if good else 0


def nir(text: str) -> int:
    """A French social security number: the key completes the rest to a multiple of 97."""
    plain = letters_and_digits(text)
    number = plain[:13].replace("2A", "19", 1) if plain[5:7] == "2A" else plain[:13]
    number = number.replace("2B", "18", 1) if plain[5:7] == "2B" else number
    return len(text) if 97 - int(number) % 97 == int(plain[13:]) else 0


def bsn(text: str) -> int:
    """A Dutch citizen number (the eleven test)."""
    digits = digits_of(text)
    good = weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and len(set(digits)) > 1
    return len(text) if good else 0


def pesel(text: str) -> int:
    """A Polish citizen number: a date of birth and a check digit."""
    digits = digits_of(text)
    month = int(digits[2:4]) % 20
    born = 1 <= month <= 12 and 1 <= int(digits[4:6]) <= 31
    good = weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0
    return len(text) if born and good else 0


def nif(text: str) -> int:
    """A Spanish tax number of a citizen or a foreigner: the letter is the number modulo 23."""
    plain = letters_and_digits(text)
    number = {"X": "0", "Y": "1", "Z": "2"}.get(plain[0], plain[0]) + plain[1:-1]
    return len(text) if _NIF_LETTERS[int(number) % 23] == plain[-1] else 0


def fiscal_code(text: str) -> int:
    """An Italian tax code: the last letter follows from the rest."""
    plain = text.upper()
    total = sum(
        _FISCAL_ODD[sign] if place % 2 == 0 else int(sign, 36) - (10 if sign.isalpha() else 0)
        for place, sign in enumerate(plain[:15])
    )
    return len(text) if chr(ord("A") + total % 26) == plain[15] else 0


def nric(text: str) -> int:
    """A Singaporean identity number: the last letter follows from the rest."""
    plain = text.upper()
    total = weighted(plain[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if plain[0] in "TG" else 0)
    letters = "JZIHGFEDCBA" if plain[0] in "ST" else "XWUTRQPNMLK"
    return len(text) if letters[total % 11] == plain[8] else 0


def aadhaar(text: str) -> int:
    """An Indian resident number (Verhoeff's check digit)."""
    state = 0
    for place, digit in enumerate(reversed(digits_of(text))):
        moved = int(_VERHOEFF_PLACES[place % 8][int(digit)])
        state = int(_VERHOEFF_TIMES[state][moved])
    return len(text) if state == 0 else 0


def finnish(text: str) -> int:
    """A Finnish identity code: the last sign is the number modulo 31."""
    plain = text.upper()
    return len(text) if _FINNISH[int(plain[:6] + plain[7:10]) % 31] == plain[10] else 0


def dea(text: str) -> int:
    """A US medical licence number of the DEA."""
    digits = digits_of(text)
    total = weighted(digits, (1, 2, 1, 2, 1, 2))
    return len(text) if total % 10 == int(digits[6]) else 0


def routing(text: str) -> int:
    """A US bank routing number (weights 3, 7, 1)."""
    digits = digits_of(text)
    good = weighted(digits, (3, 7, 1, 3, 7, 1, 3, 7, 1)) % 10 == 0 and len(set(digits)) > 1
    return len(text) if good else 0


def coin(text: str) -> int:
    """An address for Bitcoin (base 58 with its hash, or bech32) or Ethereum."""
    if text.startswith(("bc1", "0x")):
        return len(text) if sum(sign.isdigit() for sign in text[3:]) > 2 else 0
    number = 0
    for sign in text:
        number = number * 58 + _BASE58.index(sign)
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return 0
    twice = hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()
    return len(text) if twice[:4] == raw[21:] else 0

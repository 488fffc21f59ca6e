"""Patterns of personal data: what each looks like, and the check that follows.

Numbers that many other things look like count only behind a word that says what they are, or
with good check digits. Each pattern is bounded in length, so that streams wait for little.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tiergate.guards import checksums
from tiergate.guards.known import KnownPattern
from tiergate.guards.matching import Measure

_PLAIN: Final = re.compile(r"\w{2,}(?![?*+{\]])")
"""The plain letters that a word of a pattern begins with."""
_NANP: Final = (
    r"[+(1-9](?<![\w+.-].)(?:(?<=\+)1[ .-]?\(?[2-9]\d{2}|(?<=\()[2-9]\d{2}"
    r"|(?<=1)[ .-]?\(?[2-9]\d{2}|(?<=[2-9])\d{2})(?:\) ?|[ .-])[2-9]\d{2}[ .-]?\d{4}(?![\w-]|\.\d)"
)
"""A number of the North American plan whose area code stands apart. It begins with a sign to take,
not with one to look back at: so `regex` skips quickly over what cannot begin one."""
_TELEPHONE: Final = (
    r"phone|telephone|tel|mobile|mob|cell|cellphone|fax|call me at|whatsapp|sms"
    r"|telefon|téléphone|tél|handy|mobil|móvil|teléfono|telefono|telefone|celular"
)
_PASSPORT: Final = (
    r"passport|passeport|reisepass|pasaporte|passaporte|passaporto|paspoort|paszport"
)


def _after(
    words: str, number: str, *, gap: int = 24, measure: Measure | None = None
) -> KnownPattern:
    """Return the pattern of a number that stands in the same line behind one of some words.

    Args:
        words: The words, with `|` between them. Each begins with at least two plain letters,
            which a text must have for the pattern to be looked for.
        number: The pattern of the number.
        gap: Most characters between word and number.
        measure: Says how much of a number counts.
    """
    needs: dict[str, None] = {}
    for word in words.split("|"):
        plain = _PLAIN.match(word)
        if plain is None:
            raise ValueError(f"the word {word} does not begin with plain letters")
        needs[plain[0].casefold()] = None
    pattern = rf"(?i:\b(?:{words})\b)[^\n\d]{{0,{gap}}}?(?<![\w.])({number})(?!\w)"
    return KnownPattern(pattern, group=1, measure=measure, needs=tuple(needs))


def _cards(digits: str) -> KnownPattern:
    return KnownPattern(rf"(?<![\w.-]){digits}(?![\w-]|\.\d)", measure=checksums.card_number)


_QUAD: Final = r"\d{4}"
_MASTERCARD: Final = r"(?:5[1-5]\d{2}|2[2-7]\d{2})"

PERSONAL: Final[Mapping[str, KnownPattern]] = MappingProxyType(
    {
        # ---------------------------------------------------------------- anybody
        "email": KnownPattern(
            r"(?<![\w.+%-])[\w][\w.+%'-]{0,63}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}"
            r"[^\W\d_]{2,24}(?![\w-])",
            measure=checksums.mail,
        ),
        "phone": KnownPattern(
            r"(?<![\w+.-])\+\d{1,3}(?:[ .\-/]?\(?\d{1,4}\)?){2,6}(?![\w-]|\.\d)",
            measure=checksums.phone,
            more=("us_phone", "named_phone"),
        ),
        "named_phone": _after(
            _TELEPHONE, r"\+?\(?\d(?:[ .\-/()]{0,2}\d){6,14}", gap=16, measure=checksums.phone
        ),
        "us_phone": KnownPattern(_NANP, measure=checksums.phone),
        "fr_phone": KnownPattern(
            r"(?<![\w+])(?:\+33|0033|0)[ .]?[1-9](?:[ .-]?\d{2}){4}(?![\w-])",
            measure=checksums.phone,
        ),
        "ipv4": KnownPattern(
            r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
            r"(?![\w]|\.\d)",
            measure=checksums.address,
        ),
        "ipv6": KnownPattern(
            r"[0-9A-Fa-f:](?<![\w:.].)(?=[0-9A-Fa-f]{0,3}:)[0-9A-Fa-f:]{2,38}(?![\w:])",
            measure=checksums.address,
        ),
        "url": KnownPattern(
            r"(?<!\w)(?:https?://|www\.)[^\s<>\"'`]{3,500}", measure=checksums.link
        ),
        "street_address": KnownPattern(
            r"(?<![\w.])\d{1,6}[A-Za-z]? (?:[A-Z][\w.'-]{0,24} ){1,4}"
            r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr|Lane|Ln|Way|Court|Ct|Place"
            r"|Pl|Circle|Cir|Square|Sq|Terrace)(?!\w)"
        ),
        # ---------------------------------------------------------------- money
        "credit_card": KnownPattern(
            r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)", measure=checksums.card
        ),
        "visa": _cards(rf"4\d{{3}}[ -]?{_QUAD}[ -]?{_QUAD}[ -]?{_QUAD}"),
        "mastercard": _cards(rf"{_MASTERCARD}[ -]?{_QUAD}[ -]?{_QUAD}[ -]?{_QUAD}"),
        "amex": _cards(r"3[47]\d{2}[ -]?\d{6}[ -]?\d{5}"),
        "discover": _cards(rf"6(?:011|5\d{{2}}|4[4-9]\d)[ -]?{_QUAD}[ -]?{_QUAD}[ -]?{_QUAD}"),
        "iban": KnownPattern(
            r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{1,4}){3,8}(?!\w)", measure=checksums.iban
        ),
        "crypto": KnownPattern(
            r"(?<!\w)(?:bc1[ac-hj-np-z02-9]{25,62}|0x[0-9a-fA-F]{40}"
            r"|[13][1-9A-HJ-NP-Za-km-z]{25,34})(?!\w)",
            measure=checksums.coin,
        ),
        "us_bank_number": _after(
            r"account|acct|bank|routing|aba|checking|savings", r"\d{8,17}", gap=20
        ),
        "us_routing_number": _after(r"routing|aba|rtn", r"\d{9}", measure=checksums.routing),
        # ---------------------------------------------------------------- United States
        "us_ssn": KnownPattern(
            r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])",
        ),
        "us_ssn_no_dash": _after(
            r"ssn|ss\#|social security|social security number",
            r"\d{3} ?\d{2} ?\d{4}",
            gap=20,
            measure=checksums.ssn,
        ),
        "us_itin": KnownPattern(
            r"(?<![\w-])9\d{2}[- ](?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[- ]\d{4}(?![\w-])"
        ),
        "passport_us": _after(_PASSPORT, r"[A-Z]\d{8}|\d{9}"),
        "us_driver_license": _after(
            r"driver'?s? licen[cs]e|driving licen[cs]e|dl number|license number",
            r"[A-Z]{0,2}\d{6,12}",
        ),
        "medical_license": KnownPattern(
            r"(?<!\w)[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}(?!\w)", measure=checksums.dea
        ),
        # ---------------------------------------------------------------- elsewhere
        "uk_nhs": KnownPattern(
            r"(?<![\w-])\d{3}[ -]\d{3}[ -]\d{4}(?![\w-])", measure=checksums.nhs
        ),
        "uk_nino": KnownPattern(
            r"(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
            r" ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)"
        ),
        "uk_postcode": KnownPattern(r"[A-Z](?<!\w.)[A-Z]?\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}(?!\w)"),
        "passport_uk": _after(_PASSPORT, r"\d{9}"),
        "passport_germany": _after(_PASSPORT, r"[CFGHJKLMNPRTVWXYZ0-9]{9}\d?"),
        "passport_france": _after(_PASSPORT, r"\d{2}[A-Z]{2}\d{5}"),
        "passport_netherlands": _after(_PASSPORT, r"[A-Z]{2}[A-Z0-9]{6}\d"),
        "passport_canada": _after(_PASSPORT, r"[A-Z]{2}\d{6}|[A-Z]\d{6}[A-Z]{2}"),
        "passport_india": _after(_PASSPORT, r"[A-Z]\d{7}"),
        "passport_australia": _after(_PASSPORT, r"[A-Z]{1,2}\d{7}"),
        "passport_china": _after(_PASSPORT, r"[EeGg][A-Z\d]\d{7}"),
        "passport_japan": _after(_PASSPORT, r"[A-Z]{2}\d{7}"),
        "eu_passport_generic": _after(
            _PASSPORT, r"\d{2}[A-Z]{2}\d{5}|[A-Z]{1,3}\d{6,8}|[A-Z0-9]{8,9}"
        ),
        "eu_vat": _after(
            r"vat|tva|iva|btw|mwst|ust|ust-id|vat id|vat number|tax number|tax id",
            r"(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE"
            r"|SI|SK|XI)[0-9A-Z]{8,12}",
        ),
        "fr_nir": KnownPattern(
            r"(?<!\w)[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"
            r"(?!\w)",
            measure=checksums.nir,
        ),
        "fr_postal_code": _after(
            r"code postal|postal code|cp|zip code|postcode", r"\d{5}", gap=10
        ),
        "nl_bsn_contextual": _after(
            r"bsn|burgerservicenummer|sofinummer|citizen service number",
            r"\d{9}",
            measure=checksums.bsn,
        ),
        "es_nif": KnownPattern(r"(?<!\w)\d{8}-?[A-Z](?!\w)", measure=checksums.nif),
        "es_nie": KnownPattern(r"(?<!\w)[XYZ]-?\d{7}-?[A-Z](?!\w)", measure=checksums.nif),
        "it_fiscal_code": KnownPattern(
            r"(?<!\w)[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)",
            measure=checksums.fiscal_code,
        ),
        "pl_pesel": KnownPattern(r"(?<![\w.-])\d{11}(?![\w-]|\.\d)", measure=checksums.pesel),
        "fi_personal_identity_code": KnownPattern(
            r"(?<!\w)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}[-+A-FU-Y]\d{3}[0-9A-Y](?!\w)",
            measure=checksums.finnish,
        ),
        "sg_nric_fin": KnownPattern(r"(?<!\w)[STFG]\d{7}[A-Z](?!\w)", measure=checksums.nric),
        "in_pan": KnownPattern(r"(?<!\w)[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z](?!\w)"),
        "in_aadhaar": KnownPattern(
            r"(?<![\w-])[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}(?![ -]?\d|\w)", measure=checksums.aadhaar
        ),
        "au_tfn": _after(
            r"tfn|tax file|tax file number|tax file no",
            r"\d{3} ?\d{3} ?\d{2,3}",
            measure=checksums.tfn,
        ),
        "au_abn": KnownPattern(
            r"(?<![\w-])\d{2} ?\d{3} ?\d{3} ?\d{3}(?![ -]?\d|\w)", measure=checksums.abn
        ),
        "au_acn": _after(r"acn|company number", r"\d{3} ?\d{3} ?\d{3}"),
        "au_medicare": _after(
            r"medicare", r"\d{4} ?\d{5} ?\d(?: ?\d)?", measure=checksums.medicare
        ),
        "br_cpf": KnownPattern(
            r"(?<![\w.])\d{3}\.\d{3}\.\d{3}[-/]\d{2}(?!\w)", measure=checksums.cpf
        ),
        "br_cpf_unformatted": _after(r"cpf", r"\d{11}", measure=checksums.cpf),
        "br_cnpj": KnownPattern(
            r"(?<![\w.])\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}(?!\w)", measure=checksums.cnpj
        ),
        "br_rg": KnownPattern(r"(?<![\w.])\d{1,2}\.\d{3}\.\d{3}-[\dXx](?!\w)"),
        "br_cep": _after(r"cep", r"\d{5}-?\d{3}"),
    }
)
"""The patterns by name: LiteLLM's names where it has them."""

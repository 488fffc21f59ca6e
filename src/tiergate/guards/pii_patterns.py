"""Finds personal data by patterns and check digits, where Presidio is not installed.

It knows forms, not names: persons, places and dates need Presidio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from tiergate.core.guard_options import PiiOptions, Reaction
from tiergate.guards.known_patterns import rules_of
from tiergate.guards.pii import Entity
from tiergate.guards.scanning import Scanner
from tiergate.ports import Clock

ENTITIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "EMAIL_ADDRESS": ("email",),
        "PHONE_NUMBER": ("phone", "fr_phone"),
        "CREDIT_CARD": ("credit_card",),
        "IBAN_CODE": ("iban",),
        "IP_ADDRESS": ("ipv4", "ipv6"),
        "CRYPTO": ("crypto",),
        "URL": ("url",),
        "STREET_ADDRESS": ("street_address",),
        "MEDICAL_LICENSE": ("medical_license",),
        "US_SSN": ("us_ssn", "us_ssn_no_dash"),
        "US_ITIN": ("us_itin",),
        "US_PASSPORT": ("passport_us",),
        "US_BANK_NUMBER": ("us_bank_number",),
        "US_DRIVER_LICENSE": ("us_driver_license",),
        "UK_NHS": ("uk_nhs",),
        "UK_NINO": ("uk_nino",),
        "UK_PASSPORT": ("passport_uk",),
        "UK_POSTCODE": ("uk_postcode",),
        "ES_NIF": ("es_nif",),
        "ES_NIE": ("es_nie",),
        "IT_FISCAL_CODE": ("it_fiscal_code",),
        "PL_PESEL": ("pl_pesel",),
        "FI_PERSONAL_IDENTITY_CODE": ("fi_personal_identity_code",),
        "FR_NIR": ("fr_nir",),
        "NL_BSN": ("nl_bsn_contextual",),
        "EU_VAT": ("eu_vat",),
        "SG_NRIC_FIN": ("sg_nric_fin",),
        "IN_PAN": ("in_pan",),
        "IN_AADHAAR": ("in_aadhaar",),
        "IN_PASSPORT": ("passport_india",),
        "AU_TFN": ("au_tfn",),
        "AU_ABN": ("au_abn",),
        "AU_ACN": ("au_acn",),
        "AU_MEDICARE": ("au_medicare",),
        "BR_CPF": ("br_cpf", "br_cpf_unformatted"),
        "BR_CNPJ": ("br_cnpj",),
    }
)
"""What can be asked for, in Presidio's names where it has one, with the patterns behind each."""

USUAL: Final = frozenset(ENTITIES) - {"URL", "STREET_ADDRESS", "UK_POSTCODE", "EU_VAT"}
"""What is looked for where nothing is named: the others are in many harmless texts."""

_SURE: Final = 0.9
"""What patterns with a check or a form of their own are worth on Presidio's scale."""


class PatternFinder:
    """Implements `guards.pii.Finder`.

    Args:
        options: What to look for.
        clock: Monotonic seconds.

    Raises:
        KeyError: There is no pattern for an entity.
    """

    def __init__(self, options: PiiOptions, clock: Clock) -> None:
        wanted = options.entities or dict.fromkeys(sorted(USUAL - options.ignored))
        self._scanner = Scanner(
            (
                rule
                for entity in wanted
                for pattern in ENTITIES[entity]
                for rule in rules_of(pattern, Reaction.MASK, said=entity)
            ),
            options.seconds,
            clock,
        )

    @property
    def window(self) -> int | None:
        """The most characters that decide about one finding."""
        return self._scanner.reach

    async def find(self, texts: Sequence[str]) -> list[Entity]:
        """Return what is in some texts.

        Raises:
            GuardError: It took too long.
        """
        found = await self._scanner.find(texts)
        return [Entity(f.passage, f.start, f.end, f.kind, _SURE) for f in found]

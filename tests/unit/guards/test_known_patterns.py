"""All built-in patterns: bounded, quick, silent on harmless texts, the same in pieces."""

from __future__ import annotations

import random
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.guarded import INNOCENT, found_in, settled
from tiergate.core.guard_options import Reaction
from tiergate.guards.known_patterns import KNOWN, NAMES, OTHER_NAMES, rules_of
from tiergate.guards.matching import find_all

EXAMPLES = {
    "email": "jane.doe+x@mail.example.co.uk",
    "phone": "+49 30 1234567",
    "us_phone": "(212) 555-0199",
    "named_phone": "tel: 030/1234567",
    "fr_phone": "06 12 34 56 78",
    "ipv4": "8.8.4.4",
    "ipv6": "2001:db8:85a3::8a2e:370:7334",
    "url": "https://example.com/a?b=c",
    "street_address": "1600 Pennsylvania Avenue",
    "credit_card": "4111-1111-1111-1111",
    "visa": "4012 8888 8888 1881",
    "mastercard": "5555 5555 5555 4444",
    "amex": "3782 822463 10005",
    "discover": "6011 1111 1111 1117",
    "iban": "DE89 3704 0044 0532 0130 00",
    "crypto": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "us_bank_number": "account number 123456789012",
    "us_routing_number": "routing number 021000021",
    "us_ssn": "123-45-6789",
    "us_ssn_no_dash": "SSN 219 09 9999",
    "us_itin": "912-70-1234",
    "passport_us": "passport no. C12345678",
    "us_driver_license": "driver's license D1234567",
    "medical_license": "AB1234563",
    "uk_nhs": "943 476 5919",
    "uk_nino": "AB 12 34 56 C",
    "uk_postcode": "SW1A 1AA",
    "passport_uk": "passport 123456789",
    "passport_germany": "Reisepass C01X00T47",
    "passport_france": "passeport 12AB34567",
    "passport_netherlands": "paspoort NX1234567",
    "passport_canada": "passport GA302922",
    "passport_india": "passport J8369854",
    "passport_australia": "passport N1234567",
    "passport_china": "passport E12345678",
    "passport_japan": "passport TK1234567",
    "eu_passport_generic": "passport 12AB34567",
    "eu_vat": "VAT DE123456789",
    "fr_nir": "2 55 08 14 168 025 38",
    "fr_postal_code": "code postal 75001",
    "nl_bsn_contextual": "BSN 111222333",
    "es_nif": "12345678Z",
    "es_nie": "X1234567L",
    "it_fiscal_code": "RSSMRA85T10A562S",
    "pl_pesel": "44051401359",
    "fi_personal_identity_code": "131052-308T",
    "sg_nric_fin": "S1234567D",
    "in_pan": "ABCPE1234F",
    "in_aadhaar": "2341 2341 2346",
    "au_tfn": "TFN 123 456 782",
    "au_abn": "51 824 753 556",
    "au_acn": "ACN 004 085 616",
    "au_medicare": "medicare 2123 45670 1",
    "br_cpf": "529.982.247-25",
    "br_cpf_unformatted": "CPF 52998224725",
    "br_cnpj": "11.222.333/0001-81",
    "br_rg": "12.345.678-X",
    "br_cep": "CEP 01310-100",
    "private_key": "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END PRIVATE KEY-----",
    "aws_access_key": "AKIAIOSFODNN7EXAMPL3",
    "aws_secret_key": "aws_secret_access_key = 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",
    "github_token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "gitlab_token": "glpat-x7Kq2mZp8LwR4tYb9sVd",
    "slack_token": "xoxb-123456789012-123456789012-aBcDeFgHiJkLmNoPqRsTuVwX",
    "slack_webhook": "https://hooks.slack.com/services/T00000000/B00000000/x7Kq2mZp8LwR4tYb9sVd",
    "openai_key": "sk-proj-x7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8LwR4tYb9sVd",
    "anthropic_key": "sk-ant-api03-x7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8LwR4tYb9sVd",
    "sk_key": "sk-7f3kQ9xV2mZp8LwR4tYb",
    "google_api_key": "AIzaSyD4x7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8Lw",
    "google_oauth": "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",
    "azure_storage_key": "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UV==",
    "stripe_key": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "square_token": "sq0atp-x7Kq2mZp8LwR4tYb9sVdx7",
    "twilio_key": "SK0123456789abcdef0123456789abcdef",
    "sendgrid_key": "SG.x7Kq2mZp8LwR4tYb9sVdx7.x7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8LwR4tYb9sVdx7K",
    "mailgun_key": "key-0123456789abcdef0123456789abcdef",
    "mailchimp_key": "0123456789abcdef0123456789abcdef-us12",
    "npm_token": "npm_x7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8LwR4tYb",
    "pypi_token": "pypi-AgEIcHlwaS5vcmcx7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8LwR4tYb9sVd",
    "huggingface_token": "hf_abcdefGHIJKLmnopqrSTUVWXyzABCDefgh",
    "groq_key": "gsk_x7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8LwR4tYb9sVdx7Kq2mZp",
    "databricks_token": "dapi0123456789abcdef0123456789abcdef",
    "digitalocean_token": "dop_v1_" + "0123456789abcdef" * 4,
    "shopify_token": "shpat_0123456789abcdef0123456789abcdef",
    "telegram_token": "123456789:AAx7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8LwR4",
    "discord_token": "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gx7Kq2.mZp8LwR4tYb9sVdx7Kq2mZp8LwR4tYb9sVd",
    "atlassian_token": "ATATT3xFfGF0" + "x7Kq2mZp8LwR4tYb9sVd" * 4,
    "linear_key": "lin_api_x7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8LwR4tYb9sVd",
    "postman_key": "PMAK-0123456789abcdef01234567-0123456789abcdef0123456789abcdef01",
    "grafana_token": "glsa_x7Kq2mZp8LwR4tYb9sVdx7Kq2mZp8LwR_0123abcd",
    "vault_token": "hvs.x7Kq2mZp8LwR4tYb9sVdx7Kq",
    "age_key": "AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "basic_auth": "postgres://admin:s3cr3tPa55@db.internal/app",
    "bearer_token": "Authorization: Bearer x7Kq2mZp8LwR4tYb9sVdx7Kq",
    "generic_api_key": 'api_key = "x7Kq2mZp8LwR4tYb9sVd"',
    "named_secret": "openai_api_key=sk-1234998222",
    "password": "password: hunter2!x",
}
"""One good text for each built-in pattern."""


def rules(name: str):
    return rules_of(name, Reaction.MASK)


def every_rule():
    return [rule for name in KNOWN for rule in rules(name)]


def test_every_pattern_has_an_example():
    assert set(EXAMPLES) == set(KNOWN)


@pytest.mark.parametrize("name", sorted(KNOWN))
@pytest.mark.parametrize(
    "around", ["{}", "see: {} and so on", "({}),", "\n{}\n", '"{}"', "für {}。"]
)
def test_every_pattern_finds_its_example_in_a_sentence(name, around):
    found = found_in(rules(name), around.format(EXAMPLES[name]))
    assert [kind for kind, _ in found] == [name] * len(found)
    assert found, name
    ends = "。" if name == "password" else ""  # a password may end with nearly anything
    assert all(text.rstrip(ends) in EXAMPLES[name] for _, text in found)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_no_pattern_finds_anything_in_harmless_texts(name):
    if name == "url":
        return  # a link is a link
    for text in INNOCENT:
        assert found_in(rules(name), text) == [], text


@pytest.mark.parametrize("name", sorted(OTHER_NAMES))
def test_another_name_means_the_same_pattern(name):
    known = EXAMPLES[OTHER_NAMES[name]]
    assert {kind for kind, _ in found_in(rules(name), known)} == {name}
    assert name in NAMES


def test_a_finding_may_be_called_otherwise():
    named = rules_of("email", Reaction.MASK, said="EMAIL_ADDRESS")
    assert found_in(named, "a@example.com") == [("EMAIL_ADDRESS", "a@example.com")]


def test_an_unknown_name_is_an_error():
    with pytest.raises(KeyError):
        rules("religion")


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_text_without_the_needed_words_has_no_finding(name):
    known = KNOWN[name]
    assert all(word == word.casefold() for word in known.needs)
    if known.needs:
        assert any(word in EXAMPLES[name].casefold() for word in known.needs)


def test_every_word_in_front_of_a_number_is_looked_for():
    for word in ("tél", "TELEFON", "Móvil", "Handy", "fax", "cellphone"):
        assert found_in(rules("named_phone"), f"{word}: 030 1234567"), word
    for word in ("Reisepass", "passeport", "PASSPORT", "pasaporte"):
        assert found_in(rules("passport_uk"), f"{word} 123456789"), word


def test_no_pattern_looks_further_than_4100_characters():
    widest = {rule.name: rule.reach for rule in every_rule()}
    assert max(widest.values()) < 4100
    assert {name for name, reach in widest.items() if reach > 512} == {"private_key", "jwt"}


HOSTILE = {
    "prose": "The quick brown fox jumps over the lazy dog, number 12345. ",
    "digits": "1234567890 ",
    "one digit": "1",
    "letters and at": "a@b.",
    "colons": "ab:",
    "capitals": "ABCD ",
    "names of secrets": "token=",
    "words for telephones": "phone tel call ",
    "links with logins": "http://a:",
    "begins of keys": "-----BEGIN PRIVATE KEY-----",
    "begins of tokens": "eyJ",
    "blanks": " ",
    "dashes": "-",
    "random": "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=4000)),
}
SIZE = 400_000


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_all_patterns_together_look_at_400_kb_in_a_bounded_time(kind):
    """About half a second on one core that is not busy; fifteen times that is the bound.

    A pattern that takes time with the square of the text needs hours for this size.
    """
    text = (HOSTILE[kind] * (SIZE // len(HOSTILE[kind]) + 1))[:SIZE]
    before = time.process_time()
    find_all(every_rule(), [text], time.monotonic() + 120, time.monotonic)
    assert time.process_time() - before < 8


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_text_in_pieces_has_the_findings_of_the_whole(data):
    """What streams rely on: whether something is a finding depends on its window alone."""
    names = data.draw(st.lists(st.sampled_from(sorted(KNOWN)), min_size=1, max_size=3))
    filler = st.sampled_from(["\n", " and ", " x, ", " 12 ", ". ", "; ", " wörter "])
    parts = data.draw(
        st.lists(st.one_of(st.sampled_from([EXAMPLES[n] for n in names]), filler), max_size=8)
    )
    text = "\n".join(parts)
    chosen = [rule for name in dict.fromkeys(names) for rule in rules(name)]
    sizes = data.draw(st.lists(st.integers(1, 400), max_size=30))
    whole = find_all(chosen, [text], time.monotonic() + 60, time.monotonic)
    assert settled(chosen, text, sizes) == {(f.start, f.end, f.kind) for f in whole}

"""Masking secrets."""

import pytest

from mobjects.marketo.redaction import redact_secrets
from mobjects.marketo.registry import TRANSPORTS
from mobjects.marketo.soap.entry import SOAP


@pytest.mark.parametrize(
    "text",
    [
        "<requestSignature>abc123</requestSignature>",
        '<ns1:requestSignature xmlns:ns1="x">abc123</ns1:requestSignature>',
        "cut off <requestSignature>abc123",
    ],
)
def test_signature_element_is_masked_under_any_prefix(text):
    masked = redact_secrets(text, (), SOAP.masked)
    assert "abc123" not in masked
    assert ">***" in masked


@pytest.mark.parametrize(
    "written",
    [
        'a&b<"c/é',
        'a&amp;b&lt;"c/é',
        'a&b<\\"c/\\u00e9',
        'a&b<\\"c/é',
        "a%26b%3C%22c%2F%C3%A9",
        "a%26b%3C%22c/%C3%A9",
    ],
)
def test_secrets_are_masked_as_they_are_and_as_xml_json_and_addresses_write_them(written):
    assert redact_secrets(f"key {written} / sig", ('a&b<"c/é', "sig")) == "key *** / ***"


@pytest.mark.parametrize("written", ["a b", "a%20b", "a+b"])
def test_a_space_in_a_secret_is_masked_as_forms_write_it_too(written):
    assert redact_secrets(f"secret={written}&x", ["a b"]) == "secret=***&x"


def test_empty_secret_masks_nothing():
    assert redact_secrets("plain text", [""]) == "plain text"


@pytest.mark.parametrize(("word", "pattern"), [finder for entry in TRANSPORTS.values() for finder in entry.masked])
def test_the_word_of_a_pattern_stands_in_whatever_it_finds(word, pattern):
    assert word in pattern.pattern.lower().replace("(?i)", "")
    assert word == word.lower()


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_a_token_is_masked_however_its_header_is_written(name):
    assert redact_secrets(f"{name}: bearer abc123\nnext", (), TRANSPORTS["rest"].masked) == f"{name}: bearer ***\nnext"

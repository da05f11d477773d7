"""Masking secrets."""

import pytest

from mobjects.marketo.redact import redact


@pytest.mark.parametrize(
    "text",
    [
        "<requestSignature>abc123</requestSignature>",
        '<ns1:requestSignature xmlns:ns1="x">abc123</ns1:requestSignature>',
        "cut off <requestSignature>abc123",
    ],
)
def test_signature_element_is_masked_under_any_prefix(text):
    masked = redact(text)
    assert "abc123" not in masked
    assert ">***" in masked


def test_given_secrets_are_masked_raw_and_as_xml_writes_them():
    assert redact("key a&b<c / a&amp;b&lt;c / sig", "a&b<c", "sig") == "key *** / *** / ***"


def test_empty_secret_masks_nothing():
    assert redact("plain text", "") == "plain text"

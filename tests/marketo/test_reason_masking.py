"""What reasons share, without the values of one record."""

from __future__ import annotations

import pytest

from mobjects.marketo.reason_masking import mask_reason, reason_key

CASES = [
    ("Stage “Wun” is not allowed", "Stage “…” is not allowed"),
    ("Invalid value 'x' for field 'Stage__c'", "Invalid value '…' for field 'Stage__c'"),
    ("“Close Date” must be a date, not “soon”", "“Close Date” must be a date, not “…”"),
    ("A value is of the wrong type. (Marketo: 1001 - row 12)", "A value is of the wrong type. (Marketo: 1001 - row #)"),
    ("Object dff23271-f996-47d7-984f-f2676861b5fa of a.b@example.com", "Object # of #"),
    ("Marketo's answer has no result.", "Marketo's answer has no result."),
    ("Opportunity OPP-77 is  not\nthere, HTTP 502.", "Opportunity # is not there, HTTP 502."),
    ("", ""),
]


@pytest.mark.parametrize(("text", "masked"), CASES)
def test_values_are_masked_codes_and_fields_stay_and_masking_twice_changes_nothing(text, masked):
    assert mask_reason(text) == masked
    assert mask_reason(masked) == masked
    assert reason_key(text) == reason_key(masked)


def test_reasons_with_different_words_have_different_keys():
    assert len({reason_key(text) for text, _ in CASES}) == len(CASES)

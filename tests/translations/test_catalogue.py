"""The Korean catalogue has every text, once, translated, and as it was compiled."""

from __future__ import annotations

import gettext

import pytest

from tests.translations.catalogue import PO, find_texts, placeholders, read_po


@pytest.fixture(scope="module")
def entries():
    return read_po(PO)


def test_every_text_of_the_code_is_in_the_catalogue(entries):
    known = {entry.key for entry in entries}
    assert {key: path for key, path in find_texts().items() if key not in known} == {}


def test_every_text_is_translated_and_none_is_only_a_guess(entries):
    assert [entry.key.msgid for entry in entries if entry.is_fuzzy or not all(entry.translations)] == []


def test_no_text_stands_twice(entries):
    keys = [entry.key for entry in entries]
    assert len(set(keys)) == len(keys)


def test_a_translation_has_the_values_of_its_text(entries):
    wrong = [
        entry.key.msgid
        for entry in entries
        for said in entry.translations
        if placeholders(said) != placeholders(entry.plural or entry.key.msgid)
    ]
    assert wrong == []


def test_the_compiled_catalogue_says_the_same(entries):
    with PO.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    said = {}
    for entry in entries:
        msgid, context = entry.key.msgid, entry.key.context
        if entry.plural:
            said[entry.key] = [compiled.ngettext(msgid, entry.plural, 2)]
        else:
            said[entry.key] = [compiled.pgettext(context, msgid) if context else compiled.gettext(msgid)]
    assert {entry.key: entry.translations for entry in entries} == said

"""Every page in Korean, once: no English of our catalogue is left on it, and it fits 390 pixels."""

from __future__ import annotations

import re

import pytest

from mobjects.marketo import attributes
from tests.browser import test_accessibility as walk
from tests.support.site_pages import PAGES
from tests.translations.catalogue import PO, read_po

pytestmark = walk.pytestmark

SHOWN = "() => document.body.innerText"
COLUMNS = frozenset(attributes.OTHER_NAMES.values())
"""Names of columns of files, which are keys and the same in each language; elsewhere they are words."""


def english_texts() -> dict[str, re.Pattern[str]]:
    """Texts of several words, without values in them, that Korean says differently."""
    return {
        entry.key.msgid: re.compile(rf"(?<![\w ]){re.escape(entry.key.msgid)}(?![\w ])")
        for entry in read_po(PO)
        if len(entry.key.msgid.split()) > 1 and "%" not in entry.key.msgid and entry.translations[0] != entry.key.msgid
    }


@pytest.mark.timeout(300)
def test_every_page_is_in_korean_and_fits(open_page, sandbox):
    walk.make_history(sandbox)
    english = english_texts()
    page = open_page("/admin/", language="ko")
    found = {}
    for name, address in PAGES.items():
        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(address())
        assert page.evaluate("document.documentElement.lang") == "ko"
        shown = page.evaluate(SHOWN)
        faults = [text for text, pattern in english.items() if text in shown and pattern.search(shown)]
        faults = [text for text in faults if name != "export" or text not in COLUMNS]
        if faults := faults + walk.overflow(page):
            found[name] = faults
    assert found == {}

"""Every page in Korean, once: no English of ours or of the theme is left on it, and it fits 390 pixels."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

import pytest
from django.contrib.auth.models import User

from mobjects.marketo import attributes
from tests import factories
from tests.browser import test_accessibility as walk
from tests.support.site_pages import FURTHER_PAGES, PAGES, fill_site
from tests.translations.catalogue import PO, read_po

pytestmark = walk.pytestmark

SHOWN = """() => {
  const foreign = "[lang=en], pre, code, script, style, .material-symbols-outlined";
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const part = walker.currentNode.parentElement;
    if (!part.closest(foreign) && (part.tagName === "OPTION" || part.checkVisibility())) {
      texts.push(walker.currentNode.textContent.trim().replace(/\\s+/g, " "));
    }
  }
  for (const name of ["title", "placeholder", "aria-label", "alt"]) {
    document.querySelectorAll(`[${name}]`).forEach((part) => texts.push(part.getAttribute(name).trim()));
  }
  return [...new Set(texts)];
}"""
"""What is read and what a reader of the screen says, text by text; without what is said to be English."""
STANDARD = [(each.name, each.label) for known in attributes.STANDARD.values() for each in known]
COLUMNS = frozenset(text.lower() for pair in (*attributes.OTHER_NAMES.items(), *STANDARD) for text in pair)
"""Names of columns of files, which are keys and the same in each language; elsewhere they are words."""
ZONES = available_timezones()
HELD = re.compile(
    r"(Refused|Taken) by Marketo|Marketo (Admin|GUID|ID|id)|^Marketo$|Webinar|(Influencer|Champion)|Stage: refused|"
    r"sandbox_\w+|operator-1|[oO]lga|Operator|Won|Lost|Region|EMEA|English|Excel|"
    r"Gone|Deal|Here|There|Nightly|Slack|Four eyes|(Stage )?“[^”]*” (is not allowed|may be meant as 15)"
)
"""What the history holds, and names that are the same in each language."""
WORDS = re.compile(r"[A-Za-z]{2,}[,:;]? [a-z]{2,}|^[A-Z][a-z]{3,}$")
"""Two words of English, or one alone."""


def english_texts() -> dict[str, re.Pattern[str]]:
    """Texts of several words, without values in them, that Korean says differently; also as a sentence."""
    texts = {entry.key.msgid: entry.translations[0] for entry in read_po(PO)}
    return {
        text: re.compile(rf"(?<!\w)(?<!\w )[{text[0]}{text[0].upper()}]{re.escape(text[1:])}(?! ?\w)")
        for text, said in texts.items()
        if " " in text and text[0].isalpha() and "%" not in text and said != text
    }


def english_on(page, name: str, english: dict[str, re.Pattern[str]]) -> list[str]:
    """What of a page is said in English: texts of ours anywhere, and whatever has no Korean in it."""
    shown = page.evaluate(SHOWN)
    whole = "\n".join(shown)
    faults = [text for text, pattern in english.items() if text[1:] in whole and pattern.search(whole)]
    if name != "time zone":
        faults += [
            text
            for text in shown
            if text not in ZONES and WORDS.search(HELD.sub("", text)) and not re.search("[가-힣]", text)
        ]
    if name in ("export", "import, its columns"):
        faults = [text for text in faults if " " in text or name != "export"]
        return [text for text in faults if text.lower() not in COLUMNS]
    return faults


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
        if faults := english_on(page, name, english) + walk.overflow(page):
            found[name] = faults
    assert found == {}


@pytest.mark.timeout(300)
def test_every_further_page_of_a_filled_site_is_in_korean_and_fits(open_page):
    fill_site()
    user = factories.user("olga", group="operator")
    further = {
        "new schedule": lambda: "/admin/mobjects/schedule/add/",
        "user": lambda: f"/admin/auth/user/{user.pk}/change/",
        "group": lambda: f"/admin/auth/group/{user.groups.get().pk}/change/",
        "found by the palette": lambda: "/admin/search/?s=Deal",
    }
    english = english_texts()
    page = open_page("/admin/", language="ko")
    User.objects.update(is_superuser=True)
    found = {}
    for name, address in (FURTHER_PAGES | further).items():
        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(address())
        if faults := english_on(page, name, english) + walk.overflow(page):
            found[name] = faults
    assert found == {}

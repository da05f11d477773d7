"""Every page, light, dark and narrow: WCAG 2.2 A and AA by axe, no sideways scrolling, all in reach of the keyboard."""

from __future__ import annotations

import pytest
from axe_core_python.sync_playwright import Axe
from django.contrib.auth.models import Permission

from mobjects.models import Opportunity
from tests import factories
from tests.support.site_pages import FURTHER_PAGES, PAGES, fill_site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

COLOURS = {"runOnly": ["color-contrast"]}
"""All that differs between light and dark."""

OUT_OF_REACH = """() => {
  const clicked = [...document.querySelectorAll("[x-on\\\\:click], [onclick], [role=button]")];
  return clicked.filter((part) => part.getClientRects().length && part.textContent.trim() && part.tabIndex < 0
    && !part.querySelector("a[href], button, input")).map((part) => part.outerHTML.slice(0, 160));
}"""
"""What is clicked and shown, and what the tab key does not come to."""


LEFT_OUT = """() => {
  const controls = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  return controls.filter((part) => part.checkVisibility() && !part.disabled && part.tabIndex >= 0
    && !(part.type === "radio" && !part.checked) && !window.tabbed.has(part)
    && getComputedStyle(part).visibility === "visible").map((part) => part.outerHTML.slice(0, 160));
}"""


def make_history(sandbox) -> None:
    """Records in several states, and a job with accepted, failed and held back results."""
    program = factories.program()
    factories.cost(program)
    factories.tag(program)
    failing = factories.opportunity(name="Refused by Marketo")
    factories.role(failing)
    factories.role(factories.opportunity(name="Taken by Marketo"), role="Champion")
    sandbox.faults.add("bad_row", row=0, text="Stage: refused", operation="syncMObjects", times=2)
    factories.sync()
    Opportunity.objects.filter(name="Taken by Marketo").update(stage="Won")


@pytest.mark.timeout(900)  # A minute where nothing else runs.
def test_every_page_is_accessible_and_fits_and_the_keyboard_reaches_all_of_it(open_page, sandbox):
    """One browser walks through all of them: starting one for each page took most of the time."""
    make_history(sandbox)
    page = open_page("/admin/", rights=["view_auditevent"])
    assert _faults_of_all(page, PAGES) == {}
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert page.evaluate("document.documentElement.classList.contains('dark')")


@pytest.mark.timeout(900)
def test_so_are_those_that_only_a_full_database_has(open_page):
    fill_site()
    page = open_page("/admin/", rights=Permission.objects.values_list("codename", flat=True))
    # What renews itself would be replaced in the midst of the way round.
    page.route("**/live/", lambda route: route.fulfill(status=204))
    assert _faults_of_all(page, FURTHER_PAGES) == {}


def test_the_page_of_strangers_is_accessible_and_within_its_policy(open_page):
    page = open_page("/admin/")
    page.context.clear_cookies()
    assert {look: faults for look, faults in _faults(page, "/admin/login/").items() if faults} == {}


def _faults_of_all(page, addresses) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, address in addresses.items():
        found |= {f"{name}, {look}": faults for look, faults in _faults(page, address()).items() if faults}
        if left_out := _left_out(page):
            found[f"{name}, by the tab key"] = left_out
    return found


def _faults(page, address) -> dict[str, list[str]]:
    """What is wrong with a page, light, dark and narrow."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(address)
    faults = {"light": violations(page) + overflow(page) + _out_of_reach(page)}
    # What the theme does where the system is dark, without loading the page again.
    page.evaluate("document.documentElement.classList.add('dark')")
    faults["dark"] = violations(page, COLOURS)
    page.set_viewport_size({"width": 390, "height": 900})
    faults["narrow"] = violations(page) + overflow(page) + _out_of_reach(page)
    return faults


def overflow(page) -> list[str]:
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{width} pixels too wide"] if width > 0 else []


def _left_out(page) -> list[str]:
    """What the tab key does not come to on its way once round the page."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("""() => {
      window.tabbed = new Set();
      window.round = false;
      document.activeElement?.blur();
      document.addEventListener("focusin", ({ target }) => {
        window.round ||= window.tabbed.has(target);
        window.tabbed.add(target);
      });
    }""")
    while not page.evaluate("window.round"):
        for _ in range(20):
            page.keyboard.press("Tab")
    return page.evaluate(LEFT_OUT)


def _out_of_reach(page) -> list[str]:
    return [f"out of the keyboard's reach: {html}" for html in page.evaluate(OUT_OF_REACH)]


def violations(page, options=WCAG) -> list[str]:
    page.wait_for_load_state()
    found = Axe().run(page, options=options)["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]

"""People read pages in their own language: the one they chose, else their browser's, else English."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mobjects.models import PersonSettings
from tests.views import pages

pytestmark = pytest.mark.django_db
PAGE = "/admin/time-zone/"


@pytest.fixture
def browser(groups):
    return pages.client()


def language(response) -> str:
    return response.headers["Content-Language"]


def test_pages_are_in_english_until_anything_is_known(browser):
    response = browser.get(reverse("admin:index"))
    assert language(response) == "en"
    assert '<html lang="en' in pages.text(response)


@pytest.mark.parametrize(("said", "answered"), [("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("fr,en;q=0.5", "en"), ("", "en")])
def test_pages_are_in_the_browsers_language_where_there_is_one(browser, said, answered):
    response = browser.get(reverse("admin:index"), headers={"accept-language": said})
    assert language(response) == answered


def test_the_chosen_language_wins_until_it_is_taken_back(browser):
    response = browser.post(PAGE, {"language": "ko", "time_zone": ""}, follow=True)
    assert language(response) == "ko"
    assert '<html lang="ko"' in pages.text(response)
    assert PersonSettings.objects.get().language == "ko"
    browser.post(PAGE, {"language": "", "time_zone": ""})
    assert language(browser.get(PAGE, headers={"accept-language": "en"})) == "en"


def test_a_language_that_is_not_offered_is_refused(browser):
    assert browser.post(PAGE, {"language": "xx", "time_zone": ""}).status_code == 400
    assert not PersonSettings.objects.exists()


def test_a_language_that_is_no_longer_offered_is_not_used(browser):
    browser.post(PAGE, {"language": "ko"})
    PersonSettings.objects.update(language="xx")
    assert language(browser.get(PAGE, headers={"accept-language": "en"})) == "en"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ko", "이제부터 페이지는 한국어로 표시됩니다."),
        ("en", "Pages are in English from now on."),
        ("", "Pages are in the language of your browser from now on."),
    ],
)
def test_the_page_says_which_language_was_chosen_in_that_language(browser, language, said):
    answer = browser.post(PAGE, {"language": language, "time_zone": ""}, follow=True)
    assert said in pages.text(answer)

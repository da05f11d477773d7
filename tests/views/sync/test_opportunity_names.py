"""A role names its opportunity by our own id; whoever reads what was sent sees the name, which leads to it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from mobjects.models import Kind, SyncJobState
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "redis_url")]


@pytest.fixture
def sent():
    """A role that was moved from a deal that is deleted by now to one with a name that HTML would misread."""
    deal = factories.opportunity(name="Big <b>deal</b>")
    role = factories.role(deal, accepted={"Opportunity": "our no. 999999", "Role": "Buyer"}, marketo_id=5)
    job = pages.job(state=SyncJobState.PROBLEMS, planned=1, counts={"FAILED": 1})
    return pages.result(
        job,
        kind=Kind.ROLE.value,
        record_id=role.pk,
        label=str(role),
        status="FAILED",
        error="Bad.",
        sent={"Opportunity": f"our no. {deal.pk}", "Role": "our no. 3"},
        diff=[["Opportunity", "our no. 999999", f"our no. {deal.pk}"]],
    )


def addresses(result) -> dict[str, str]:
    return {
        "result": reverse("mobjects:result", args=[result.pk]),
        "job": f"{pages.job_url(result.job)}?status=all",
        "all results": "/admin/mobjects/syncresult/?status=all",
        "history": reverse("mobjects:record-history", args=[result.kind, result.record_id]),
        "preview": f"/admin/sync/?kind={result.kind}",
    }


@pytest.mark.parametrize("page", ["result", "job", "all results", "history", "preview"])
def test_the_name_of_the_opportunity_leads_to_it(sent, page):
    answer = pages.client().get(addresses(sent)[page])
    deal = sent.sent["Opportunity"].removeprefix("our no. ")
    links = pages.tree(answer).xpath(f"//a[@href='/admin/mobjects/opportunity/{deal}/change/']")
    assert "Big <b>deal</b>" in [link.text_content().strip() for link in links]
    words = pages.words(answer)
    # The preview names what it has loaded.
    assert ("our no. 999999 (deleted here)" in words) is (page != "preview")
    assert f" our no. {deal} " not in words


def test_a_value_of_another_field_stays_as_it_is(sent):
    assert "our no. 3" in pages.words(pages.client().get(addresses(sent)["result"]))


def test_whoever_may_not_open_opportunities_reads_the_name_without_a_link(sent):
    browser = pages.client()
    User.objects.get().groups.clear()
    rights = ["view_syncresult", "view_syncjob", "view_opportunitypersonrole"]
    User.objects.get().user_permissions.set(Permission.objects.filter(codename__in=rights))
    answer = browser.get(addresses(sent)["result"])
    assert pages.tree(answer).xpath("//td[contains(@class, 'mo-value')]//a/@href") == []
    assert "Big <b>deal</b>" in pages.words(answer)

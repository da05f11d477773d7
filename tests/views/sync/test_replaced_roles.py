"""The pages say which roles are deleted in Marketo and made anew, before that is done."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from mobjects.models import OpportunityPersonRole
from mobjects.presentation.sync_panel import build_sync_panel
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]


@pytest.fixture
def role(guid_marketo):
    deal = factories.opportunity(external_id="E-1")
    record, _ = factories.role(deal), factories.role(deal, person_id=20)
    factories.sync()
    return factories.fresh(record)


def confirm(browser=None):
    return pages.words((browser or pages.client()).get(reverse("mobjects:sync")))


def test_the_page_that_asks_counts_roles_whose_key_changed(role):
    OpportunityPersonRole.objects.update(is_primary=True)
    assert "made anew" not in confirm()


def test_the_page_that_asks_says_that_one_is_made_anew(role):
    OpportunityPersonRole.objects.filter(pk=role.pk).update(role="Sponsor")
    browser = pages.client()
    assert "1 role will be deleted and made anew in Marketo, because its key changed" in confirm(browser)
    asked = {"kind": "all", "token": str(uuid.uuid4()), "operation": "AUTO", "list": "replaced"}
    listed = browser.post(reverse("mobjects:sync"), asked)
    assert [row.url for row in listed.context["planned"].rows] == [
        reverse("admin:mobjects_opportunitypersonrole_change", args=[role.pk])
    ]


def test_the_panel_of_a_role_whose_key_changed_says_so(role):
    assert build_sync_panel(role, may_pull=True)["replaced"] == ""
    role.role = "Sponsor"
    panel = build_sync_panel(role, may_pull=True)
    assert panel["replaced"].startswith("It is deleted and made anew in Marketo, because its key changed")
    assert panel["may_pull"]

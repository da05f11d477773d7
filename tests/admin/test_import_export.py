"""The way from the lists of records to the import."""

from __future__ import annotations

import pytest
from django.urls import NoReverseMatch, reverse

from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db

KINDS = {
    "program": "programs",
    "programcost": "program-costs",
    "programtag": "program-tags",
    "opportunity": "opportunities",
    "opportunitypersonrole": "roles",
}


def changelist(model):
    return reverse(f"admin:mobjects_{model}_changelist")


@pytest.mark.parametrize("model", KINDS)
def test_the_list_leads_to_the_upload_of_its_kind(groups, model):
    editor = pages.client("editor")
    link = f"{reverse('mobjects:import-new')}?kind={KINDS[model]}"
    assert f'href="{link}"' in pages.text(editor.get(changelist(model)))
    assert f'<option value="{KINDS[model]}" selected>' in pages.text(editor.get(link))


@pytest.mark.parametrize("model", KINDS)
def test_import_takes_its_own_permission(client, model):
    person = factories.user(group="viewer")
    person.user_permissions.add(factories.permission(f"change_{model}"), factories.permission(f"add_{model}"))
    client.force_login(person)
    assert reverse("mobjects:import-new") not in pages.text(client.get(changelist(model)))
    assert client.get(f"{reverse('mobjects:import-new')}?kind={KINDS[model]}").status_code == 403
    person.user_permissions.add(factories.permission(f"import_{model}"))
    assert reverse("mobjects:import-new") in pages.text(client.get(changelist(model)))


@pytest.mark.parametrize("model", KINDS)
@pytest.mark.parametrize("view", ["import", "process_import"])
def test_import_export_s_own_pages_are_gone(model, view):
    with pytest.raises(NoReverseMatch):
        reverse(f"admin:mobjects_{model}_{view}")

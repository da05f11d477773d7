"""Lists are narrowed by their filters and by plain comparisons, not by any look-up that an address names."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db.models import CharField, TextField
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.views import pages

LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)
LOOKUPS = ("regex", "iregex", "contains", "icontains", "startswith", "iexact", "endswith", "range")


@pytest.fixture
def boss(db):
    browser = Client()
    user = factories.user("boss")
    user.is_superuser = True
    user.save()
    browser.force_login(user)
    return browser


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label)
def test_no_list_takes_a_pattern_or_a_part_of_a_text_from_its_address(boss, model, queue):
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    texts = [field.name for field in model._meta.get_fields() if isinstance(field, CharField | TextField)] or ["pk"]
    for lookup in LOOKUPS:
        response = boss.get(address, {f"{texts[0]}__{lookup}": "("})
        assert response.status_code == 400
        said = f"Lists are not narrowed by “{texts[0]}__{lookup}”. Use the filters and the search of the list."
        assert said in pages.text(response)


@pytest.mark.parametrize(
    "query", ["pk__exact=abc", "created_at__year=99999999999", "created_at__gte=x", "id__in=,", "name__isnull=maybe"]
)
def test_values_that_make_no_sense_are_no_error_of_the_site(boss, queue, query):
    assert boss.get(f"/admin/mobjects/opportunity/?{query}").status_code in (200, 302, 400)


def test_a_part_of_the_path_is_looked_at_too_and_exports_are(boss, queue):
    assert boss.get("/admin/mobjects/syncjob/?selection__kinds__icontains=x").status_code == 400
    assert boss.get("/admin/mobjects/opportunity/?opportunitypersonrole__role__regex__x=1").status_code == 400
    assert boss.get("/admin/export/opportunities/?name__regex=(").status_code == 400


def test_what_filters_use_is_taken(boss, queue):
    for query in ("last_status__exact=FAILED", "state=changed", "q=a__regex"):
        assert boss.get(f"/admin/mobjects/opportunity/?{query}").status_code == 200

"""Which conflicts can be decided together."""

from __future__ import annotations

import pytest

from mobjects.models import Conflict
from mobjects.sync.conflicts import alike
from tests.decisions.support import disputed, disputes
from tests.views import pages

pytestmark = [pytest.mark.django_db]


def test_conflicts_with_the_same_fields_are_a_group_and_with_the_same_values_a_group_within():
    job = pages.job()
    disputes(3)
    disputed(11, job, there="Lost")
    disputed(21, job, next_step="Call")
    disputed(22, job, next_step="Call")
    stage, both = alike.list_groups()
    assert (stage.names, stage.count) == (["Stage"], 4)
    assert [(same.count, same.fields[0][2:]) for same in stage.alike] == [(3, ("Open", "Won"))]
    assert (both.names, both.count) == (["NextStep", "Stage"], 2)
    found = alike.conflicts_of_group(stage.kind, stage.fields_key, stage.alike[0].values_key)
    assert [conflict.label for conflict in found] == ["Deal 1", "Deal 2", "Deal 3"]


def test_what_is_decided_or_alone_is_no_group():
    first, *_others = disputes(2)
    Conflict.objects.filter(pk=first.pk).update(decided_at="2026-01-01T00:00Z")
    assert alike.list_groups() == []


def test_conflicts_of_a_release_that_wrote_no_keys_are_found():
    disputes(2)
    Conflict.objects.update(fields_key="", values_key="")
    assert alike.list_groups() == []
    alike.fill_missing_keys()
    (group,) = alike.list_groups()
    assert (group.count, group.names) == (2, ["Stage"])

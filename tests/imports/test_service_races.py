"""Steps of an import that are asked for while somebody else moves it, or after a process that is gone."""

from __future__ import annotations

import io
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from mobjects.imports import service
from mobjects.imports.lifecycle import InvalidState
from mobjects.models import Import, ImportSource, ImportState

pytestmark = pytest.mark.django_db

DECIDED = b"External ID,Name\nA,Alpha\n"


@pytest.fixture
def reviewed():
    """An import that waits for review."""
    asked = {"user": None, "username": "olga", "source": ImportSource.ADMIN, "enqueue": False}
    imported = service.start_import("opportunities", io.BytesIO(DECIDED), "a.csv", **asked)
    change(imported, state=ImportState.REVIEW, checked_at=timezone.now())
    return imported


def change(imported, **values):
    Import.objects.filter(pk=imported.pk).update(**values)
    imported.refresh_from_db()


@contextmanager
def changed_by_somebody_else(**values):
    """The import is changed just before it is first written to."""
    looked = []

    def in_between(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and not looked:
            looked.append(sql)
            Import.objects.update(**values)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(in_between):
        yield


def test_what_was_written_in_part_since_it_was_looked_at_is_not_given_up(reviewed):
    # A commit began, wrote a chunk, and broke off.
    with changed_by_somebody_else(committed_to=2), pytest.raises(InvalidState):
        service.discard_import(reviewed)
    assert reviewed.state == ImportState.REVIEW


def test_the_columns_stay_as_they_are_checked_if_somebody_else_has_just_asked_for_the_check(reviewed):
    with changed_by_somebody_else(state=ImportState.CHECKING), pytest.raises(InvalidState):
        service.set_columns(reviewed, ["", "Name"], {})
    imported = Import.objects.get()
    assert (imported.state, imported.mapping) == (ImportState.CHECKING, ["External ID", "Name"])


def test_a_step_begins_anew_whatever_its_earlier_process_left(reviewed):
    change(reviewed, expired_leases=2)
    service.request_check(reviewed, enqueue=False)
    assert Import.objects.get().expired_leases == 0


def test_a_worker_is_called_once_the_request_can_be_seen(reviewed, queue, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        service.request_check(reviewed)
        assert queue.job_ids == []
    assert len(queue.job_ids) == 1

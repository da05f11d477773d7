"""What may be asked of an import in which of its states."""

from __future__ import annotations

import pytest

from mobjects.imports import service
from mobjects.imports.lifecycle import InvalidState
from mobjects.models import ImportState
from tests.imports.test_service import as_checked

ASK = {
    "columns": lambda imported: service.set_columns(imported, imported.mapping, {}),
    "fix": lambda imported: service.correct_import(imported, [service.Correction("Name", "a", "b")]),
    "unfix": lambda imported: service.correct_import(imported, (), removed=[1], formats={}),
    "check": lambda imported: service.request_check(imported, enqueue=False),
    "commit": lambda imported: service.request_commit(imported, "valid", overwrite=False, user=None, enqueue=False),
    "undo": lambda imported: service.request_undo(imported, None, enqueue=False),
    "discard": service.discard_import,
}
OPEN_STATES = {ImportState.MAPPING, ImportState.REVIEW}
ALLOWED = {
    "columns": OPEN_STATES,
    "fix": OPEN_STATES,
    "unfix": OPEN_STATES,
    "check": OPEN_STATES,
    "commit": {ImportState.REVIEW},
    "undo": {ImportState.COMMITTED},
    "discard": {*OPEN_STATES, ImportState.REFUSED, ImportState.CHECKING},
}


@pytest.mark.django_db
@pytest.mark.parametrize("state", ImportState)
@pytest.mark.parametrize("asked", ASK)
def test_every_step_has_its_states(asked, state):
    imported = as_checked(state)
    if state in ALLOWED[asked]:
        ASK[asked](imported)
        return
    with pytest.raises(InvalidState) as caught:
        ASK[asked](imported)
    assert str(caught.value).endswith(".")
    imported.refresh_from_db()
    assert imported.state == state
    assert not imported.fixes.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [name for name in ASK if name not in ("commit", "undo")])
def test_what_is_written_in_part_can_only_be_finished_or_undone(asked):
    imported = as_checked(committed_to=2)
    with pytest.raises(InvalidState, match="Part of the rows is written already"):
        ASK[asked](imported)


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["commit", "undo"])
def test_what_is_written_in_part_can_be_finished_or_undone(asked):
    imported = as_checked(committed_to=2)
    ASK[asked](imported)
    assert imported.is_working


@pytest.mark.django_db
def test_what_is_undone_in_part_can_only_be_undone():
    imported = as_checked(committed_to=2, undone={"removed": 1})
    with pytest.raises(InvalidState, match="Undo the rest"):
        ASK["commit"](imported)
    ASK["undo"](imported)

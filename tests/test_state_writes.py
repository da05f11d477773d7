"""The state of a job or an import is written in one place."""

from __future__ import annotations

import ast

import pytest

from tests.files import ROOT

WRITING = {"update", "create", "get_or_create", "update_or_create", "bulk_update", "SyncJob", "Import", "aupdate"}
THE_WRITER = ROOT / "mobjects/jobs/state_machine.py"
ELSEWHERE = ("migrations", "sandbox", "marketo")
"""Folders that know no jobs and no imports."""


def is_of_a_batch(node) -> bool:
    return "SyncBatchState." in ast.unparse(node) or ast.unparse(node).startswith("batch.")


def called(node) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def writes(node):
    """What in a piece of code sets a state that is not that of a batch."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "state":
        return not is_of_a_batch(node)
    if not isinstance(node, ast.Call):
        return False
    named = any(keyword.arg == "state" and not is_of_a_batch(keyword.value) for keyword in node.keywords)
    text = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    saved = called(node) in ("save", "bulk_update", "setattr", "__setattr__") and "state" in text
    return (named and called(node) in WRITING) or saved


def found(source):
    return [node.lineno for node in ast.walk(ast.parse(source)) if writes(node)]


def test_only_the_state_machine_writes_the_state_of_a_job_or_an_import():
    files = [path for path in (ROOT / "mobjects").rglob("*.py") if not set(ELSEWHERE) & set(path.parts)]
    assert [str(path) for path in files if path != THE_WRITER and found(path.read_text(encoding="utf-8"))] == []
    assert found(THE_WRITER.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "code",
    [
        "job.state = State.PAUSED",
        "job.state, job.problem = State.PAUSED, ''",
        "SyncJob.objects.filter(pk=1).update(state=State.PAUSED)",
        "this.update(problem='', state=to)",
        "SyncJob.objects.create(state=State.PAUSED)",
        "Import(kind=kind, state='refused')",
        "job.save(update_fields=['wish', 'state'])",
        "setattr(job, 'state', 'paused')",
        "SyncJob.objects.bulk_update(jobs, ['state'])",
    ],
)
def test_a_write_is_found_in_whatever_form(code):
    assert found(code) == [1]


@pytest.mark.parametrize(
    "code", ["jobs.filter(state=State.PAUSED)", "batches.update(state=SyncBatchState.SENDING)", "batch.state = state"]
)
def test_what_reads_or_is_of_a_batch_is_none(code):
    assert found(code) == []

"""What a rule can name, and that nothing gets around the gate."""

from __future__ import annotations

import ast
from decimal import Decimal

import pytest

from mobjects.jobs.approvals.facts import WorkFacts
from mobjects.jobs.approvals.rules import find_match
from mobjects.models import ApprovalRule, Kind
from tests.files import ROOT

FACTS = {
    Kind.PROGRAM: WorkFacts({"UPDATE": 60}, amount=Decimal(10), lost=2),
    Kind.OPPORTUNITY: WorkFacts({"UPDATE": 50, "INSERT": 5}, created=5, deleted=1, amount=Decimal(900)),
}


@pytest.mark.parametrize(
    ("named", "is_held"),
    [
        ({}, True),
        ({"kind": "Opportunity"}, True),
        ({"kind": "OpportunityRole"}, False),
        ({"more_than": 114}, True),
        ({"more_than": 115}, False),
        ({"more_than": 60, "kind": "Program"}, False),
        ({"operation": "INSERT", "more_than": 4}, True),
        ({"operation": "INSERT", "more_than": 5}, False),
        ({"operation": "UPSERT"}, False),
        ({"amount_over": Decimal("899.99")}, True),
        ({"amount_over": Decimal(900)}, False),
        ({"amount_over": Decimal(20), "kind": "Program"}, False),
        ({"creates": True}, True),
        ({"creates": True, "kind": "Program"}, False),
        ({"deletes": True}, True),
        ({"deletes": True, "kind": "Program"}, False),
        ({"loses_tags": True}, True),
        ({"loses_tags": True, "kind": "Opportunity"}, False),
        ({"creates": True, "more_than": 1000}, False),
    ],
)
def test_all_that_a_rule_names_has_to_be_true(named, is_held):
    match = find_match([ApprovalRule(name="x", **named)], lambda _amounts, _losses: FACTS)
    assert (match is not None) is is_held


def test_what_is_not_known_of_losses_holds():
    facts = {Kind.PROGRAM: WorkFacts({"UPDATE": 400}, is_lost_known=False)}
    assert find_match([ApprovalRule(name="x", loses_tags=True)], lambda _amounts, _losses: facts) is not None


def test_the_first_rule_that_fits_is_named():
    rules = [ApprovalRule(name="huge", more_than=1000), ApprovalRule(name="any"), ApprovalRule(name="later")]
    match = find_match(rules, lambda _amounts, _losses: FACTS)
    assert match is not None
    assert (match.rule.name, match.count) == ("any", 115)


def makers() -> set[tuple[str, str]]:
    """Where the program writes a job down: file and function."""
    found = set()
    for path in (ROOT / "mobjects").rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and "SyncJob.objects.create(" in ast.unparse(function):
                found.add((str(path.relative_to(ROOT)), function.name))
    return found


def test_jobs_are_written_down_behind_the_gate_only():
    """But for the preview of what is held, which sends nothing."""
    assert makers() == {
        ("mobjects/jobs/requests.py", "create_job"),
        ("mobjects/jobs/approvals/gate.py", "_make_preview"),
    }

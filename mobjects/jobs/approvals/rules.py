"""Which rule holds a piece of work, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mobjects.jobs.approvals.facts import Facts, WorkFacts, merge_facts
from mobjects.models import ApprovalRule

Finding = dict[str, Any]
"""Something that makes a rule hold work: ``what`` it is, how many or how much (``found``), and the ``limit``."""


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A rule that holds work, what makes it do so, and of how many records."""

    rule: ApprovalRule
    findings: list[Finding]
    count: int


def enabled_rules(work: str) -> list[ApprovalRule]:
    """The rules that may hold such work; one query."""
    return list(ApprovalRule.objects.filter(enabled=True, work__in=("", work)).order_by("pk"))


def find_match(rules: Sequence[ApprovalRule], read_facts: Callable[[bool, bool], Facts]) -> RuleMatch | None:
    """The first of some rules that holds work; ``None`` if none does.

    Args:
        rules: from :func:`enabled_rules`.
        read_facts: gives what the work would do, given whether amounts and losses are asked for; called only if there
            are rules.
    """
    if not rules:
        return None
    facts = read_facts(any(rule.amount_over is not None for rule in rules), any(rule.loses_tags for rule in rules))
    for rule in rules:
        seen = merge_facts(part for kind, part in facts.items() if rule.kind in ("", kind.value))
        findings = _find(rule, seen)
        if findings is not None:
            return RuleMatch(rule, findings, seen.count)
    return None


def _find(rule: ApprovalRule, seen: WorkFacts) -> list[Finding] | None:
    """What makes a rule hold work; ``None`` if something that it names is not so."""
    count = seen.operations.get(rule.operation, 0) if rule.operation else seen.count
    if count <= (rule.more_than or 0):
        return None
    findings: list[Finding] = [{"what": "count", "found": count, "limit": rule.more_than, "by": rule.operation}]
    if rule.amount_over is not None:
        if seen.amount is None or seen.amount <= rule.amount_over:
            return None
        findings.append({"what": "amount", "found": str(seen.amount), "limit": str(rule.amount_over)})
    for is_asked, what, number, is_sure in (
        (rule.creates, "creates", seen.created, True),
        (rule.deletes, "deletes", seen.deleted, True),
        (rule.loses_tags, "loses", seen.lost, seen.is_lost_known),
    ):
        if is_asked and not number and is_sure:
            return None
        if is_asked:
            findings.append({"what": what, "found": number, "limit": None})
    return findings

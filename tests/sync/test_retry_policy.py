"""What is done after a failed call: the table, how long it waits, and that docs/retries.md prints just this table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from mobjects.marketo.errors import (
    AuthError,
    ConfigError,
    MarketoError,
    OutcomeUnknown,
    RefusalReason,
    Rejected,
    Unavailable,
)
from mobjects.marketo.rest.codes import CODE_RULES, CodeRule
from mobjects.marketo.soap import faults
from mobjects.sync import retry_policy
from mobjects.sync.retry_policy import (
    RetryAction,
    describe_clock_offset,
    next_quota_reset,
    retry_rule_for,
    wait_seconds,
)
from tests.files import ROOT

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

ERROR_WORDS = {
    AuthError: "refused who is calling",
    ConfigError: "a setting is missing or wrong",
    Rejected: "refused as wrong",
    Unavailable: "certainly not applied",
    OutcomeUnknown: "may have been applied",
}


def longest(low: float, high: float) -> float:
    return high


def printed() -> list[str]:
    """The lines of the table in docs/retries.md."""
    lines = []
    for rule in retry_policy.RULES:
        why = f": {rule.trouble}" if rule.trouble else ""
        gives_up = "no" if rule.endless else "yes" if waits(rule.action) else "–"
        said = f"{codes_for(rule, CODE_RULES)} | {codes_for(rule, faults.FAULT_RULES)}"
        lines.append(f"| {ERROR_WORDS[rule.error]}{why} | {said} | {rule.action} | {gives_up} |")
    return lines


def codes_for(rule: retry_policy.RetryRule, table: Mapping[str, faults.FaultRule | CodeRule]) -> str:
    """The codes of an API that lead to a line."""
    return ", ".join(code for code, fault in table.items() if is_for(rule, fault)) or "–"


def is_for(rule: retry_policy.RetryRule, fault: faults.FaultRule | CodeRule) -> bool:
    return retry_rule_for(fault.error("", trouble=fault.trouble)) is rule


def waits(action: RetryAction) -> bool:
    return wait_seconds(action, 1, NOON, draw=longest) > 0


def test_the_document_prints_the_table():
    text = (ROOT / "docs/retries.md").read_text(encoding="utf-8")
    table = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert table == printed()


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("10001", RetryAction.LOOK_UP),
        ("20011", RetryAction.LOOK_UP),
        ("20012", RetryAction.HALVE),
        ("20013", RetryAction.HALT_KIND),
        ("20014", RetryAction.HALT),
        ("20015", RetryAction.PARK),
        ("20016", RetryAction.AGAIN),
        ("20019", RetryAction.REFUSE),
        ("20023", RetryAction.WINDOW),
        ("20024", RetryAction.FEWER),
        ("20110", RetryAction.HALVE),
        ("29999", RetryAction.LOOK_UP),
    ],
)
def test_each_fault_of_marketo_leads_to_its_action(code, action):
    fault = faults.fault_rule_for(code)
    assert retry_rule_for(fault.error("said", code=code, trouble=fault.trouble)).action is action


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (ConfigError("x"), RetryAction.HALT),
        (Unavailable("x"), RetryAction.BACKOFF),
        (OutcomeUnknown("x"), RetryAction.LOOK_UP),
        (MarketoError("of a kind nobody knows"), RetryAction.HALT),
    ],
)
def test_errors_without_a_code_have_an_action_too(error, action):
    assert retry_rule_for(error).action is action


def test_a_signature_that_expired_twice_in_a_row_halts():
    error = AuthError("x", trouble=RefusalReason.EXPIRED)
    assert retry_rule_for(error, expired_before=True).action is RetryAction.HALT


def test_waits_grow_to_a_limit():
    waits = [
        wait_seconds(RetryAction.BACKOFF, failures, NOON, draw=longest) for failures in (0, 1, 2, 3, 8, 9, 40, 5000)
    ]
    assert waits == [2, 2, 4, 8, 256, 300, 300, 300]


def test_each_wait_is_drawn_from_nothing_to_the_longest():
    drawn = []

    def draw(low: float, high: float) -> float:
        drawn.append((low, high))
        return 1.5

    assert wait_seconds(RetryAction.LOOK_UP, 3, NOON, draw=draw) == 1.5
    assert drawn == [(0.0, 8.0)]


@pytest.mark.parametrize(("in_vain", "waits"), [(0.0, 4), (46.0, 50), (4000.0, 304)])
def test_a_call_that_would_be_in_vain_is_not_made_before(in_vain, waits):
    assert wait_seconds(RetryAction.BACKOFF, 2, NOON, at_least=in_vain, draw=longest) == waits


def test_the_window_is_waited_out():
    assert wait_seconds(RetryAction.WINDOW, 9, NOON) == 21


@pytest.mark.parametrize("action", [RetryAction.AGAIN, RetryAction.HALVE, RetryAction.REFUSE, RetryAction.HALT])
def test_other_actions_do_not_wait(action):
    assert wait_seconds(action, 3, NOON) == 0


@pytest.mark.parametrize(
    ("now", "reset"),
    [
        (datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 1, 16, 6, tzinfo=UTC)),
        (datetime(2026, 7, 15, 12, tzinfo=UTC), datetime(2026, 7, 16, 5, tzinfo=UTC)),
        (datetime(2026, 1, 15, 5, 59, tzinfo=UTC), datetime(2026, 1, 15, 6, tzinfo=UTC)),
        (datetime(2026, 1, 15, 6, tzinfo=UTC), datetime(2026, 1, 16, 6, tzinfo=UTC)),
    ],
)
def test_the_quota_is_reset_at_midnight_in_chicago(now, reset):
    assert next_quota_reset(now) == reset


def test_a_used_up_quota_is_waited_for_until_its_reset():
    assert wait_seconds(RetryAction.PARK, 1, NOON) == (next_quota_reset(NOON) - NOON).total_seconds()


def test_a_reset_that_is_late_is_asked_for_again_soon():
    just_after = next_quota_reset(NOON) + timedelta(seconds=30)
    assert wait_seconds(RetryAction.PARK, 1, just_after) == retry_policy.RESET_LATE_WAIT_SECONDS


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (None, "check this machine's clock"),
        (1.2, "check this machine's clock"),
        (420.4, "clock is 420 s behind Marketo's"),
        (-420.4, "clock is 420 s ahead of Marketo's"),
    ],
)
def test_an_expired_signature_tells_how_far_the_clocks_are_apart(offset, words):
    assert words in describe_clock_offset(AuthError("x", trouble=RefusalReason.EXPIRED, clock_offset_seconds=offset))


def test_other_errors_say_nothing_about_clocks():
    assert describe_clock_offset(AuthError("x", clock_offset_seconds=420.0)) == ""

"""An update of a program in which each call in turn goes wrong, before and after it was applied, and is sent again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobjects.marketo.errors import MarketoError, OutcomeUnknown
from mobjects.marketo.types import OutcomeStatus
from mobjects.sandbox.fault_injection import FaultKind, RestFaultKind
from tests.marketo.rest.programs.records import PROGRAM, changed, new, program, remote

OLD, STAYS, GOES = remote("2026-06", "500", "ads"), remote("2026-06", "20"), remote("2026-07", "7")
REPLACING = program(
    costs=[changed(OLD, "600", "ads"), new("2026-08", "1")],
    unchanged_costs=[STAYS],
    removed_costs=[GOES],
    tags={"Region": "EMEA", "Channel": "Roadshow"},
    removed_tags=["Fiscal Quarter"],
)
APPENDING = replace(
    REPLACING, costs=[new("2026-08", "1"), new("2026-08", "2")], unchanged_costs=[OLD, STAYS, GOES], removed_costs=()
)
CASES = {
    "replacing": (REPLACING, {("2026-06", "600", "ads"), ("2026-06", "20", ""), ("2026-08", "1", "")}),
    "appending": (
        APPENDING,
        {
            ("2026-06", "500", "ads"),
            ("2026-06", "20", ""),
            ("2026-07", "7", ""),
            ("2026-08", "1", ""),
            ("2026-08", "2", ""),
        },
    ),
}
FOREIGN = ("2026-06", "33", "theirs")
TAGS = {"Region": "EMEA", "Product Line": "Cloud"}
TIMED_OUT = "in time-out"
FAULTS = {
    "604 before": (RestFaultKind.ERROR, {"code": "604"}),
    "604 after": (RestFaultKind.ERROR, {"code": "604", "applied": True}),
    "502 after": (RestFaultKind.ERROR, {"code": "502", "applied": True}),
    "611 before": (RestFaultKind.ERROR, {"code": "611"}),
    "611 after": (RestFaultKind.ERROR, {"code": "611", "applied": True}),
    "606": (RestFaultKind.ERROR, {"code": "606"}),
    "603": (RestFaultKind.ERROR, {"code": "603"}),
    "1003": (RestFaultKind.ERROR, {"code": "1003"}),
    "cut before": (FaultKind.CUT_BEFORE, {}),
    "cut after": (FaultKind.CUT_AFTER, {}),
    "cut inside": (RestFaultKind.CUT_INSIDE, {}),
    "no result": (RestFaultKind.NO_RESULT, {}),
    "no rows": (FaultKind.EMPTY, {}),
    "a page": (FaultKind.HTTP, {"status": 502, "applied": True}),
    TIMED_OUT: (FaultKind.SLOW, {"seconds": 30.0}),
}


@pytest.fixture
def full_box(box):
    """A program with costs and tags, one cost of which is somebody else's."""
    box.change_program(tags={"Region": "AMER", "Product Line": "Cloud", "Fiscal Quarter": "FY26 Q1"})
    box.put_costs(("2026-06", "500", "ads"), ("2026-06", "20", ""), ("2026-07", "7", ""), FOREIGN)
    return box


def count_calls(box, record):
    """How many calls an update takes where nothing goes wrong; Marketo is as before afterwards."""
    before = box.program
    box.send(record)
    made = len(box.made())
    box.change_program(costs=before.costs, tags=before.tags, channel=before.channel)
    box.store.delete(f"rest program costs {box.calls.settings.base} {PROGRAM}")
    return made


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", CASES)
def test_no_cost_is_doubled_or_lost_and_no_tag_wiped(full_box, connect, case, fault):
    box, (record, costs) = full_box, CASES[case]
    kind, options = FAULTS[fault]
    patient, hasty = box.calls, connect(asset_timeout_seconds=0.4)
    before = box.program
    for nth in range(1, count_calls(box, record) + 1):
        box.change_program(costs=before.costs, tags=before.tags, channel=before.channel)
        box.store.delete(f"rest program costs {box.calls.settings.base} {PROGRAM}")
        box.script(kind, path="/rest/*", nth=nth, **options)
        refusal = None
        box.calls = hasty if fault == TIMED_OUT else patient
        try:
            outcome = box.send(record).outcomes[0]
        except OutcomeUnknown:
            outcome = None
        except MarketoError as error:
            outcome, refusal = None, error
        box.calls = patient
        # On a busy machine an earlier call may have been too slow as well.
        assert box.sandbox.faults.list_pending() == [] or fault == TIMED_OUT
        box.sandbox.faults.clear()
        if refusal is not None or (outcome and outcome.status is not OutcomeStatus.UPDATED):
            # It said that nothing was applied.
            assert (box.program.costs, box.program.tags, box.program.channel) == (
                before.costs,
                before.tags,
                before.channel,
            )
        again = box.send(record).outcomes[0]
        assert again.status in (OutcomeStatus.UPDATED, OutcomeStatus.UNCHANGED), again
        assert box.costs == sorted({*costs, FOREIGN}), f"call {nth}"
        assert (box.program.tags, box.program.channel) == (TAGS, "Roadshow"), f"call {nth}"


@pytest.mark.parametrize("applied", [False, True], ids=["before the call", "after the call"])
@pytest.mark.parametrize("case", CASES)
def test_a_cost_entered_in_marketo_meanwhile_survives(full_box, case, applied):
    """At each call. Only between the last read and the list that replaces nobody can see it, so that is left out."""
    box, (record, costs) = full_box, CASES[case]
    before = box.program
    made = count_calls(box, record)
    for nth in range(1, made + 1):
        if case == "replacing" and (nth, applied) in ((made, False), (made - 1, True)):
            continue
        box.change_program(costs=before.costs, tags=before.tags, channel=before.channel)
        box.store.delete(f"rest program costs {box.calls.settings.base} {PROGRAM}")
        box.script(
            RestFaultKind.EDIT, path="/rest/*", nth=nth, applied=applied, program=PROGRAM, month="2026-08", amount="44"
        )
        assert box.send(record).outcomes[0].status is OutcomeStatus.UPDATED
        assert box.sandbox.faults.list_pending() == []
        assert box.costs == sorted({*costs, FOREIGN, ("2026-08", "44", "")}), f"call {nth} of {made}"

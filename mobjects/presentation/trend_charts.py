"""The dashboard's charts: what the theme's chart script draws, and the table behind each, from the same numbers."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mobjects.db.counting import LIMIT
from mobjects.figures.daily import OTHER_REASONS, SYNCED, UNSENT, Figure
from mobjects.kept_text import translate_kept
from mobjects.models import SyncResult, SyncResultStatus
from mobjects.presentation.vocabulary import STATUS_ORDER

DAYS = 30
"""So many days the charts show, today included."""
LABEL_WIDTH = 26
"""Latin letters that fit beside a bar."""
REASONS = 6
"""So many reasons have a bar of their own; the others share one."""
TEXT_COLOUR = "#808690"
"""Of axes and legends: readable on the theme's light and dark ground."""

COLOURS: dict[str, str] = {
    SyncResultStatus.CREATED: "#15803d",
    SyncResultStatus.UPDATED: "#65a30d",
    SyncResultStatus.UNCHANGED: "#9ca3af",
    SyncResultStatus.EQUAL: "#cbd5e1",
    SyncResultStatus.FAILED: "#dc2626",
    SyncResultStatus.SKIPPED: "#f59e0b",
    SyncResultStatus.UNKNOWN: "#9333ea",
    SyncResultStatus.CONFLICT: "#0891b2",
    SyncResultStatus.HELD: "#2563eb",
    SyncResultStatus.NOT_SENT: "#be185d",
}
"""Each status has a pattern too, by its place here (static/mobjects/charts.js)."""

Days = Mapping[date, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class TrendChart:
    """One chart.

    Args:
        name: of its elements in the page.
        sentence: what it shows, in words.
        type: "bar" or "line".
        data: for the theme's script, as JSON.
        options: likewise.
        headers: of the table's columns.
        rows: of the table, as texts; the first column is the row's header.
    """

    name: str
    title: str
    sentence: str
    type: str
    data: str
    options: str
    headers: list[str]
    rows: list[list[str]]


def build_charts(figures: Mapping[str, Days], unsent: int | None = None) -> list[TrendChart]:
    """Those charts that have anything to show.

    Args:
        figures: as :func:`mobjects.figures.daily.read_figures` gives them.
        unsent: so many records of all kinds are not sent now, counted as far as
            :data:`mobjects.db.counting.LIMIT`; ``None`` if that is not known. It goes before what was counted lately.
    """
    days = _days()
    built = [
        _outcomes(days, figures.get(Figure.OUTCOMES, {})),
        _reasons(figures.get(Figure.REASONS, {})),
        _records(days, figures.get(Figure.RECORDS, {}), unsent),
        _calls(days, figures.get(Figure.CALLS, {})),
    ]
    return [chart for chart in built if chart is not None]


def _outcomes(days: Sequence[date], kept: Days) -> TrendChart | None:
    counted = _sum_up(kept)
    total = sum(counted.values())
    if not total:
        return None
    order = [status for status in reversed(STATUS_ORDER) if counted.get(status)]
    datasets = [
        {
            "label": str(status.label),
            "data": [kept.get(day, {}).get(status, 0) for day in days],
            "backgroundColor": COLOURS.get(status, "#9ca3af"),
            "pattern": list(COLOURS).index(status) if status in COLOURS else 0,
        }
        for status in order
    ]
    bad = sum(count for status, count in counted.items() if status in SyncResult.PROBLEM_STATUSES)
    said = ngettext("%(count)s record in %(days)s days", "%(count)s records in %(days)s days", total)
    sentence = said % {"count": _number(total), "days": DAYS}
    sentence += ", " + _("%(count)s of them not accepted.") % {"count": _number(bad)}
    return TrendChart(
        "outcomes",
        _("Outcomes per day"),
        sentence,
        "bar",
        _data(days, datasets),
        _options(stacked=True),
        [_("Day"), *(str(status.label) for status in order)],
        _table(days, kept, order),
    )


def _reasons(kept: Days) -> TrendChart | None:
    counted = _sum_up(kept)
    if not counted:
        return None
    rest = counted.pop(OTHER_REASONS, 0)
    shown = [(translate_kept(reason), count) for reason, count in counted.most_common(REASONS)]
    rest += sum(counted.values()) - sum(count for _reason, count in shown)
    rows = [*shown, *([(_("All other reasons"), rest)] if rest else [])]
    labels = [_label(reason) for reason, _count in rows]
    dataset = {"label": _("Records"), "data": [count for _reason, count in rows], "backgroundColor": "#dc2626"}
    said = _("The most frequent reason in %(days)s days: %(reason)s")
    return TrendChart(
        "reasons",
        _("Why records were not accepted"),
        said % {"days": DAYS, "reason": rows[0][0]},
        "bar",
        json.dumps({"labels": labels, "datasets": [dataset | {"maxBarThickness": 18}]}),
        _options(legend=False, across=True),
        [_("Reason"), _("Records")],
        [[reason, _number(count)] for reason, count in rows],
    )


def _records(days: Sequence[date], kept: Days, unsent: int | None) -> TrendChart | None:
    known = [day for day in days if day in kept]
    if not known:
        return None
    newest = dict(kept[known[-1]])
    if unsent is not None:
        # Of very many the last count knows more, unless it is from before they came.
        newest[UNSENT] = unsent if unsent <= LIMIT else max(unsent, newest.get(UNSENT, 0))
        kept = {**kept, known[-1]: newest} if known[-1] == days[-1] else kept
    keys = {SYNCED: _("In Marketo as here"), UNSENT: _("Not sent yet")}
    lines: dict[str, dict[str, Any]] = {
        SYNCED: {"borderColor": "#15803d"},
        UNSENT: {"borderColor": "#f59e0b", "borderDash": [6, 4]},
    }
    points = {SYNCED: "circle", UNSENT: "rect"}
    datasets = [
        {
            "label": words,
            "data": [kept[day].get(key, 0) if day in kept else None for day in days],
            "spanGaps": True,
            "pointStyle": points[key],
            "pointRadius": 3,
            **lines[key],
        }
        for key, words in keys.items()
    ]
    said = _(
        "%(unsent)s records are not sent yet. When all were last counted, %(synced)s were in Marketo as they are here."
    )
    return TrendChart(
        "records",
        _("Records in sync"),
        said % {"synced": _number(newest.get(SYNCED, 0)), "unsent": _number(newest.get(UNSENT, 0))},
        "line",
        _data(days, datasets),
        _options(),
        [_("Day"), *keys.values()],
        _table(days, kept, list(keys)),
    )


def _calls(days: Sequence[date], kept: Days) -> TrendChart | None:
    total = _sum_up(kept).total()
    if not total:
        return None
    values = [kept.get(day, {}).get("", 0) for day in days]
    dataset = {"label": _("Calls"), "data": values, "backgroundColor": "#2563eb", "maxBarThickness": 18}
    said = ngettext("%(count)s call in %(days)s days.", "%(count)s calls in %(days)s days.", total)
    return TrendChart(
        "calls",
        _("Calls to Marketo per day"),
        said % {"count": _number(total), "days": DAYS},
        "bar",
        _data(days, [dataset]),
        _options(legend=False),
        [_("Day"), _("Calls")],
        _table(days, kept, [""]),
    )


def _days() -> list[date]:
    today = datetime.now(UTC).date()
    return [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]


def _sum_up(kept: Days) -> Counter[str]:
    total: Counter[str] = Counter()
    for values in kept.values():
        total.update(values)
    return +total  # What was unknown and is known now leaves a zero.


def _table(days: Sequence[date], kept: Days, keys: Sequence[str]) -> list[list[str]]:
    """A row for each day about which anything is kept, newest first."""
    return [
        [date_format(day, "DATE_FORMAT"), *(_number(kept[day].get(key, 0)) for key in keys)]
        for day in reversed(days)
        if day in kept
    ]


def _number(value: int) -> str:
    return str(number_format(value, force_grouping=True))


def _data(days: Sequence[date], datasets: list[dict[str, Any]]) -> str:
    labels = [date_format(day, "MONTH_DAY_FORMAT") for day in days]
    return json.dumps({"labels": labels, "datasets": [{"maxBarThickness": 18, **each} for each in datasets]})


def _options(*, stacked: bool = False, legend: bool = True, across: bool = False) -> str:
    """What the theme's script hands to Chart.js.

    Args:
        stacked: whether the datasets of a day stand on each other.
        legend: whether to name the datasets.
        across: whether bars lie, with their names at the left.
    """
    ticks = {"color": TEXT_COLOUR, "maxRotation": 0, "autoSkipPadding": 12}
    names = {"stacked": stacked, "grid": {"display": False}, "ticks": ticks | ({"autoSkip": False} if across else {})}
    numbers = {"stacked": stacked, "beginAtZero": True, "grid": {}, "ticks": ticks | {"precision": 0}}
    labels = {"color": TEXT_COLOUR, "boxWidth": 14, "boxHeight": 14, "usePointStyle": False}
    return json.dumps(
        {
            "animation": False,
            "responsive": True,
            "maintainAspectRatio": False,
            "indexAxis": "y" if across else "x",
            "scales": {"y": names, "x": numbers} if across else {"x": names, "y": numbers},
            "plugins": {"legend": {"display": legend, "position": "bottom", "labels": labels}},
        }
    )


def _label(reason: str) -> str:
    """As much of a reason as fits beside its bar: a letter of Korean is as wide as two of Latin."""
    width, fits = 0, ""
    for letter in reason:
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > LABEL_WIDTH:
            return f"{fits.rstrip()}…"
        fits += letter
    return reason

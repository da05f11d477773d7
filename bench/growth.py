"""Whether a record costs the same in a job of a thousand as in one of a million; draws what it found."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.apis import Api
from bench.cpu import BATCHES_EACH
from bench.own_process import send_all
from bench.records import opportunities
from bench.surroundings import Surroundings, database_seconds, lift_limits
from bench.throughput import CALLS_PER_WINDOW
from mobjects.jobs.runner import run_job
from mobjects.models import SyncJob

SMALLEST = 1_000
WINDOW_SECONDS = 20
"""Of Marketo's limit on calls."""


@dataclass
class Growth:
    """One API's seconds by size of job: our processor's, PostgreSQL's included, and the least that Marketo needs."""

    name: str
    floor: float
    limit: float
    seconds: dict[int, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """The cost of a record in the largest job, in those of one in the job a tenth as large (at least)."""
        sizes = sorted(self.seconds)
        before, last = sizes[-2:]
        return (self.seconds[last] / last) / (self.seconds[before] / before)


def measure(
    around: Surroundings,
    say: Callable[[str], None],
    apis: Sequence[Api],
    *,
    records: int = 100_000,
    picture: Path | None = None,
) -> None:
    """Print the processor time of a record in jobs ten times as large each, and draw it.

    Args:
        around: where it works.
        say: prints a line.
        apis: which ones.
        records: at most so many in a job, at least 10,000.
        picture: the SVG to write; none is drawn without.

    Raises:
        SystemExit: too few records.
    """
    if records < SMALLEST * 10:
        raise SystemExit(f"--records {records:,} shows no growth; give at least {SMALLEST * 10:,}.")
    lift_limits()
    sizes = [SMALLEST * 10**power for power in range(len(str(records // SMALLEST)))]
    found = [_measure(around, say, sizes, api) for api in apis]
    if picture:
        picture.write_text(_drawn(found), encoding="utf-8")
        say(f"Drawn in {picture}.")


def _measure(around: Surroundings, say: Callable[[str], None], sizes: Sequence[int], api: Api) -> Growth:
    size = api.select()
    growth = Growth(api.name.upper(), _floor(around, api, size), WINDOW_SECONDS / (CALLS_PER_WINDOW * size))
    say(f"{growth.name}: processor time of a record (the floor's is {growth.floor * 1e6:,.0f} µs):")
    for count in sizes:
        around.reset()
        opportunities(count)
        ours, servers = map(float, send_all("growth.work", count).split())
        growth.seconds[count] = ours + servers
        of_server = f", PostgreSQL's process {servers * 1e6 / count:,.0f} µs" if servers else ""
        say(f"  {count:>9,} records: ours {ours * 1e6 / count:,.0f} µs{of_server}; {ours + servers:,.1f} s in all")
    say(f"  a record of the largest job costs {growth.ratio:.2f} × one of the job before")
    return growth


def _floor(around: Surroundings, api: Api, size: int) -> float:
    """Seconds of our processor for a record, where it is only sent and updated."""
    around.reset()
    count = BATCHES_EACH * size
    with api.prepare_floor(around, opportunities(count), size) as work:
        work()  # Warms up.
        started = time.process_time()
        work()
        return (time.process_time() - started) / count


def work(job_id: str) -> None:
    """Work on a job to its end, and write the seconds of this process and of PostgreSQL's for it."""
    lift_limits()
    job = SyncJob.objects.get(pk=job_id)
    own, servers = time.process_time(), database_seconds()
    run_job(job)
    sys.stdout.write(f"{time.process_time() - own} {database_seconds() - servers}")


WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 70, 45, 30, 60
_COLOURS = ("#1d4ed8", "#b45309")
_DASHES = {"ours": "", "Marketo's limit": "8 5", "the floor": "2 4"}


def _drawn(found: Sequence[Growth]) -> str:
    """An SVG with both axes by powers of ten: what costs the same for each record is a straight line there."""
    sizes = sorted(found[0].seconds)
    every = [each for growth in found for _name, points in _lines(growth) for each in points.values()]
    lowest, highest = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def across(count: float) -> float:
        return LEFT + (math.log10(count) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def down(seconds: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(seconds) - lowest) / (highest - lowest) * (HEIGHT - TOP - BOTTOM)

    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="13" role="img"><title>Seconds that a job needs, by its records</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    )
    parts = [head]
    for count in sizes:
        parts.append(_grid(across(count), TOP, across(count), HEIGHT - BOTTOM))
        parts.append(_text(across(count), HEIGHT - BOTTOM + 18, f"{count:,}", "middle"))
    for power in range(lowest, highest + 1):
        parts.append(_grid(LEFT, down(10**power), WIDTH - RIGHT, down(10**power)))
        parts.append(_text(LEFT - 8, down(10**power) + 4, f"{10**power:,g} s", "end"))
    for growth, colour in zip(found, _COLOURS, strict=False):
        for name, points in _lines(growth):
            way = " ".join(f"{across(count):.1f},{down(seconds):.1f}" for count, seconds in points.items())
            style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{_DASHES[name]}"'
            parts.append(f'<polyline points="{way}" {style}/>')
    parts += _legend(found)
    return "\n".join([*parts, "</svg>", ""])


def _lines(growth: Growth) -> list[tuple[str, dict[int, float]]]:
    return [
        ("ours", growth.seconds),
        ("Marketo's limit", {count: count * growth.limit for count in growth.seconds}),
        ("the floor", {count: count * growth.floor for count in growth.seconds}),
    ]


def _legend(found: Sequence[Growth]) -> list[str]:
    parts, top = [], TOP + 14
    for growth, colour in zip(found, _COLOURS, strict=False):
        for name, dashes in _DASHES.items():
            line = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
            parts.append(f'<line x1="{LEFT + 14}" y1="{top - 4}" x2="{LEFT + 54}" y2="{top - 4}" {line}/>')
            parts.append(_text(LEFT + 62, top, f"{growth.name}: {name}", "start"))
            top += 18
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "records of the job", "middle"))
    return parts


def _grid(left: float, top: float, right: float, bottom: float) -> str:
    return f'<line x1="{left:.1f}" y1="{top:.1f}" x2="{right:.1f}" y2="{bottom:.1f}" stroke="#d4d4d8"/>'


def _text(left: float, top: float, words: str, anchor: str) -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" fill="#18181b">{words}</text>'

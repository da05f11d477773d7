"""Which row of a file means which cost: costs have no key, so the whole file and all costs of a program decide it.

Of rows a few numbers are kept, of costs nothing: they are looked through a few programs at a time.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db.models import Count

from mobjects.models import ProgramCost
from mobjects.spreadsheets.csv_writer import iter_batches

MOST_NAMED = 3
"""So many similar costs are named in a warning."""
_MOST_COSTS = 20_000
"""So many costs are looked through together; one program may have more."""
_PROGRAMS = 500
"""So many programs are counted together."""


class SoughtCost(NamedTuple):
    """What a row says of its cost, or what a cost says of itself.

    Args:
        number: of the row, or our id of the cost.
        marketo_id: 0 if there is none.
        month: as the file says it, a hash of it; so is the content: month, amount and note. 0 if it cannot be read.
    """

    number: int
    marketo_id: int
    month: int
    content: int


_WIDTH = len(SoughtCost._fields)


class CostRows:
    """The rows of a file, until it is known which cost each of them means."""

    def __init__(self) -> None:
        self.matches: dict[int, int] = {}
        """Number of a row to our id of the cost it means."""
        self.similar: dict[tuple[int, int], list[int]] = {}
        """Program and month of a row that means none, to some costs that no row means."""
        self._rows: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))

    def add_row(self, program: int, row: SoughtCost) -> None:
        """Add a row, in the order of the file."""
        self._rows[program].extend(row)

    def iter_program_batches(self) -> Iterator[list[int]]:
        """Our ids of the programs that rows name, some at a time, so that their costs are not too many."""
        batch: list[int] = []
        costs = 0
        for programs in iter_batches(sorted(self._rows), _PROGRAMS):
            counted = ProgramCost.objects.filter(program__in=programs).order_by()
            numbers = dict(counted.values_list("program").annotate(n=Count("pk")))
            for program in programs:
                if batch and costs + numbers.get(program, 0) > _MOST_COSTS:
                    yield batch
                    batch, costs = [], 0
                batch.append(program)
                costs += numbers.get(program, 0)
        if batch:
            yield batch

    def match_program(self, program: int, costs: Sequence[SoughtCost]) -> None:
        """Find out which rows mean the costs of a program, once all rows are added.

        Rows that bring an ID go first: they say which of two equal costs gets it. Costs with an ID go before those
        without, the oldest first.
        """
        rows = self._pop_rows(program)
        by_id = {cost.marketo_id: cost.number for cost in costs if cost.marketo_id}
        free = {cost.number: cost for cost in costs}
        for row in rows:
            if row.marketo_id in by_id:
                self.matches[row.number] = by_id[row.marketo_id]
                free.pop(by_id[row.marketo_id], None)
        left = [row for row in rows if row.number not in self.matches]
        for with_id in (True, False):
            self._match_equal([row for row in left if bool(row.marketo_id) is with_id], free, with_id=with_id)
        wanted = {row.month for row in left if not row.marketo_id and row.number not in self.matches}
        for cost in sorted(free.values()):
            if cost.month in wanted:
                named = self.similar.setdefault((program, cost.month), [])
                named.extend([cost.number] if len(named) < MOST_NAMED else [])

    def _pop_rows(self, program: int) -> list[SoughtCost]:
        flat = self._rows.pop(program)
        return [SoughtCost(*flat[place : place + _WIDTH]) for place in range(0, len(flat), _WIDTH)]

    def _match_equal(self, rows: list[SoughtCost], free: dict[int, SoughtCost], *, with_id: bool) -> None:
        """Give each row a cost of the same content; a row with an ID takes none that has another one."""
        pools: defaultdict[int, list[SoughtCost]] = defaultdict(list)
        for cost in free.values():
            if not (with_id and cost.marketo_id):
                pools[cost.content].append(cost)
        for pool in pools.values():
            pool.sort(key=lambda cost: (not cost.marketo_id, cost.number), reverse=True)
        for row in rows:
            if row.content and pools.get(row.content):
                cost = pools[row.content].pop()
                self.matches[row.number] = cost.number
                free.pop(cost.number)

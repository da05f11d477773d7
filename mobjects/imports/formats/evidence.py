"""What the cells of a file say about how it writes values, and how a column's cells are read on that ground.

Each distinct cell is asked what it means under each answer to a question
(:mod:`~mobjects.imports.formats.questions`). An answer under which a cell of a column means nothing is not the file's;
what is left when the whole file was read is. Where more than one is left, and some cell means something else under
each, the file is in doubt, and a person is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from django.utils.translation import gettext_noop as _

from mobjects.imports.formats import numbers
from mobjects.imports.formats.questions import QUESTIONS, FormatQuestion, Readings, is_moment, questions_of
from mobjects.resources.columns import FileColumn
from mobjects.spreadsheets.row_shape import cell_text

SAMPLES = 3
IN_DOUBT = _("can be read in more than one way; say under “How values are read” which one is meant.")
NOT_LIKE_OTHERS = _("is not written as “How values are read” says; write it like the others, or plainly.")

_POINT = frozenset((numbers.POINT,))

Candidates = frozenset[str]
"""The answers that a column's cells are read by. None if its cells contradict each other."""


class Evidence:
    """What the cells of one column say about one question.

    ``possible`` are the answers under which every cell means something; ``excluded`` names for each other one the
    first cell that spoke against it. ``differing`` are pairs of answers under which some cell means two things;
    ``doubts`` are the first such cells, ``samples`` the first others that are not in our own spelling.
    """

    __slots__ = ("differing", "doubts", "excluded", "possible", "samples")

    def __init__(self, answers: Iterable[str]) -> None:
        self.possible: Candidates = frozenset(answers)
        self.excluded: dict[str, str] = {}
        self.differing: set[tuple[str, str]] = set()
        self.samples: dict[str, Readings] = {}
        self.doubts: dict[str, Readings] = {}

    def note(self, shown: str, readings: Readings) -> None:
        """Take account of a cell, by its text, that means something under some answer. Once more changes nothing."""
        for answer in self.possible - readings.keys():
            self.excluded[answer] = shown
        self.possible &= frozenset(readings)
        pairs = combinations(sorted(readings), 2)
        differing = {pair for pair in pairs if readings[pair[0]] != readings[pair[1]]}
        self.differing |= differing
        kept = self.doubts if differing else self.samples
        if len(kept) < SAMPLES and any(reading != shown for reading in readings.values()):
            kept[shown] = readings

    def is_doubtful(self, candidates: Candidates) -> bool:
        """Whether some cell means different things under these answers."""
        return any(candidates.issuperset(pair) for pair in self.differing)


class FileFormats:
    """How a file writes its values, as far as is known.

    Args:
        chosen: answers by question, as a person gave them; nothing speaks against them.
        remembered: answers of the last file with the same headers, for what this one leaves open.
    """

    def __init__(self, chosen: Mapping[str, str], remembered: Mapping[str, str]) -> None:
        self.chosen, self.remembered = chosen, remembered
        self.evidence: dict[str, dict[str, Evidence]] = {question.name: {} for question in QUESTIONS}

    def find_candidates(self, question: str, column: str) -> Candidates:
        """The answers by which a column's cells are read now."""
        if question in self.chosen:
            return frozenset((self.chosen[question],))
        columns = self.evidence[question]
        own = columns[column].possible
        found = frozenset.intersection(*(each.possible for each in columns.values())) or own
        if len(found) > 1 and self.remembered.get(question) in found:
            return frozenset((self.remembered[question],))
        return found

    def build_reader(self, column: FileColumn) -> CellReader | None:
        """What reads a column's cells as is known now; ``None`` if nothing about them can be in doubt."""
        asked = questions_of(column)
        for question in asked:
            self.evidence[question.name].setdefault(column.name, Evidence(question.answers))
        if not asked:
            return None
        return CellReader(column, asked, self)


class CellReader:
    """Reads the cells of one column by the answers that were known last, and notes what they say."""

    __slots__ = ("_asked", "_column", "_first", "_formats", "_numbers_first", "_parts")

    def __init__(self, column: FileColumn, asked: Sequence[FormatQuestion], formats: FileFormats) -> None:
        self._column, self._asked, self._formats = column, asked, formats
        self._first = any(question.is_first for question in asked)
        self._numbers_first = any(question.name == "probability" for question in asked)
        self._parts: list[tuple[FormatQuestion, Evidence, Candidates]] = []
        self.decide_again()

    def decide_again(self) -> None:
        """Read by what is known by now."""
        formats, name = self._formats, self._column.name
        self._parts = [
            (question, formats.evidence[question.name][name], formats.find_candidates(question.name, name))
            for question in self._asked
        ]

    def is_outdated(self) -> bool:
        """Whether some cell would be read otherwise by what is known by now."""
        for question, evidence, used in self._parts:
            now = self._formats.find_candidates(question.name, self._column.name)
            # What only an answer tells that was not among those in use was refused.
            if now != used and (not now or not now <= used or evidence.is_doubtful(used | now)):
                return True
        return False

    def knows_point(self) -> bool:
        """Whether a point stands before decimals here, so that our own spelling of numbers is in no doubt."""
        return any(
            question.name == "number-format" and (used == _POINT or (evidence.possible == _POINT <= used))
            for question, evidence, used in self._parts
        )

    def reads_first(self, cell: object) -> bool:
        """Whether a cell is to be read here before it is read in our own spelling."""
        if cell.__class__ is str:
            return self._first
        return is_moment(cell) or (self._numbers_first and isinstance(cell, int | float))

    def read_cell(self, cell: object) -> object:
        """What a cell means in our own spelling; the cell itself if nothing about it can be in doubt.

        Raises:
            ValueError: it is in doubt, or not as the file writes such values.
        """
        meaning, problem = cell, ""
        for question, evidence, candidates in self._parts:
            readings = question.read(meaning, self._column)
            if not readings:
                continue
            evidence.note(cell_text(cell), readings)  # type: ignore[arg-type]  # it is one that was read
            found = {readings[answer] for answer in candidates or readings if answer in readings}
            if len(found) != 1:
                problem = problem or (IN_DOUBT if found else NOT_LIKE_OTHERS)
                meaning = next(iter(readings.values()))
            elif candidates:
                (meaning,) = found
        if problem:
            raise ValueError(problem)
        return meaning

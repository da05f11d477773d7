"""Finding programs: one by one where they are named, page by page where they are not.

Source: Adobe's developer pages. Programs are browsed by offset, at most 200 at once, without tags and costs, in an
order that no source names; by tag they come in random order. So that no page leaves a program out:

- programs that are named, that have a tag, or whose ids lie in a range are put in the order of their ids first, and a
  page goes on behind the id of the one before;
- a page that is browsed begins with the last program of the page before. Where that is not there, something was deleted
  meanwhile and others have moved into pages that were read: the position is refused, and paging begins again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mobjects.marketo.errors import Rejected
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.programs.logged_calls import LoggedCalls
from mobjects.marketo.rest.programs.program_facts import ProgramFacts
from mobjects.marketo.rest.programs.reading import ASSETS, ProgramReader, RemoteProgram, parse_programs
from mobjects.marketo.rest.programs.tag_calls import is_channel
from mobjects.marketo.rest.replies import InvalidReply
from mobjects.marketo.rest.request import Parameter
from mobjects.marketo.types import MarketoQuery, QueryPage, TagValue
from mobjects.marketo.value_parsing import LARGEST_ID
from mobjects.marking import gettext_noop as _

PAGE_SIZE = 200
"""The most programs that one call gives."""
DETAILED_PAGE_SIZE = 20
"""So many programs are read one by one for a page; each of them takes a call or two."""
MOST_BROWSED = 50 * PAGE_SIZE
"""So many programs are put in order at most before a page of them is given."""


def find_programs(
    calls: RestCalls, query: MarketoQuery, position: str = "", *, facts: ProgramFacts | None = None
) -> QueryPage:
    """One page of the programs that a query finds, by rising id within the page.

    Args:
        calls: to make calls with.
        query: what to look for. Archived programs cannot be told from others, so that they are always found.
        position: from the page before; "" for the first.
        facts: what is known of the instance.

    Raises:
        Rejected: Marketo cannot be asked this, or the position is no longer valid.
        MarketoError: never ``OutcomeUnknown``.
    """
    if problem := _query_problem(query):
        raise Rejected(_("Marketo cannot look for programs like this: %(problem)s.") % {"problem": problem})
    return _ProgramSearch(LoggedCalls(calls), query, facts or ProgramFacts()).find_page(position)


def _query_problem(query: MarketoQuery) -> str:
    if query.key is not None or query.keys:
        return _("it finds only opportunities by an external key")
    if query.opportunity is not None or query.opportunities:
        return _("it finds only person roles by their opportunity")
    times = (query.created_since, query.updated_since, query.updated_until)
    if any(moment is not None and moment.utcoffset() is None for moment in times):
        return _("a time has no time zone")
    for number in (*_named_ids(query), query.id_from, query.id_to):
        if number is not None and (not isinstance(number, int) or not 0 < number <= LARGEST_ID):
            return _("ID %(number)s is not between 1 and %(largest_id)s") % {"number": number, "largest_id": LARGEST_ID}
    return ""


def _named_ids(query: MarketoQuery) -> Sequence[object]:
    return (*(() if query.id is None else (query.id,)), *query.ids)


@dataclass(frozen=True, slots=True)
class _BrowsePlace:
    """Where browsing goes on: behind so many programs, the last of which is ``last``."""

    offset: int = 0
    last: int = 0

    @classmethod
    def from_text(cls, text: str) -> _BrowsePlace:
        offset, _colon, last = text.partition(":")
        if not text:
            return cls()
        if not (offset.isdecimal() and last.isdecimal() and int(offset) > 0):
            raise Rejected(_("“%(text)s” is no position in a list of programs; begin again.") % {"text": text})
        return cls(int(offset), int(last))

    def to_text(self) -> str:
        return f"{self.offset}:{self.last}"


class _ProgramSearch:
    """One page of one query."""

    def __init__(self, calls: LoggedCalls, query: MarketoQuery, facts: ProgramFacts) -> None:
        self._calls = calls
        self._query = query
        self._reader = ProgramReader(calls, facts)

    def find_page(self, position: str) -> QueryPage:
        """See :func:`find_programs`."""
        query = self._query
        if _named_ids(query):
            return self._ordered_page({int(str(number)): None for number in _named_ids(query)}, position)
        if query.name and "," not in query.name:
            return self._page([each for each in self._read_named() if self._fits(each)])
        if query.tag is not None and not is_channel(query.tag.type):
            return self._ordered_page(self._tagged_heads(query.tag), position)
        if query.id_from is not None or query.id_to is not None or query.name:
            return self._ordered_page(self._browsed_heads(), position)
        return self._browsed_page(_BrowsePlace.from_text(position))

    # --- by rising id ---

    def _ordered_page(self, heads: Mapping[int, RemoteProgram | None], position: str) -> QueryPage:
        """A page of programs that are known by id: those behind the last one of the page before.

        Args:
            heads: id to what a list told of it; ``None`` if it was only named.
            position: that last id.
        """
        if position and not position.isdecimal():
            raise Rejected(
                _("“%(position)s” is no position in a list of programs; begin again.") % {"position": position}
            )
        rest = sorted(number for number in heads if number > int(position or 0))
        one_by_one = self._query.details or None in heads.values()
        part = rest[: DETAILED_PAGE_SIZE if one_by_one else PAGE_SIZE]
        if position and not part:
            raise Rejected(_("There is nothing behind program %(position)s; begin again.") % {"position": position})
        found = [program for number in part if (program := self._read_details(number, heads[number]))]
        more = len(rest) > len(part)
        fitting = [each for each in found if self._fits(each)]
        return self._page(fitting, position=str(part[-1]) if more else "")

    def _read_details(self, number: int, head: RemoteProgram | None) -> RemoteProgram | None:
        if self._query.details:
            return self._reader.read_with_costs(number, head.name if head else "")
        return head or self._reader.read_by_id(number)

    def _read_named(self) -> list[RemoteProgram]:
        asked: dict[str, Parameter] = {
            "name": self._query.name,
            "includeTags": True,
            "includeCosts": self._query.details,
        }
        return self._read_list(f"{ASSETS}/program/byName.json", asked)

    def _tagged_heads(self, tag: TagValue) -> dict[int, RemoteProgram | None]:
        """All programs with a tag, by id."""
        found: dict[int, RemoteProgram | None] = {}
        asked: dict[str, Parameter] = {"tagType": tag.type, "tagValue": tag.value, "maxReturn": PAGE_SIZE}
        for offset in range(0, MOST_BROWSED, PAGE_SIZE):
            programs = self._read_list(f"{ASSETS}/program/byTag.json", {**asked, "offset": offset})
            if any(each.id in found for each in programs):
                break  # In random order one may come twice, and then another one not at all.
            found |= {each.id: each for each in programs if self._fits(each, tagged=True)}
            if len(programs) < PAGE_SIZE:
                return found
        raise Rejected(
            _(
                "More programs have the tag “%(type)s” with “%(value)s” than Marketo lists reliably; "
                "look for all programs, or for fewer."
            )
            % {"type": tag.type, "value": tag.value}
        )

    def _browsed_heads(self) -> dict[int, RemoteProgram | None]:
        """All programs that may be wanted, by id, from all pages."""
        found: dict[int, RemoteProgram | None] = {}
        place: _BrowsePlace | None = _BrowsePlace()
        while place is not None:
            programs, place = self._browse(place, PAGE_SIZE)
            found |= {each.id: each for each in programs if self._fits(each)}
            if place is not None and place.offset >= MOST_BROWSED:
                raise Rejected(
                    _("More than %(most_browsed)s programs would have to be read for this; ask for fewer.")
                    % {"most_browsed": f"{MOST_BROWSED:,}"}
                )
        return found

    # --- page by page ---

    def _browsed_page(self, place: _BrowsePlace) -> QueryPage:
        size = DETAILED_PAGE_SIZE if self._query.details else PAGE_SIZE
        programs, behind = self._browse(place, size)
        wanted = sorted((each for each in programs if self._fits(each)), key=lambda each: each.id)
        found = [program for each in wanted if (program := self._read_details(each.id, each))]
        return self._page(found, position=behind.to_text() if behind else "")

    def _browse(self, place: _BrowsePlace, size: int) -> tuple[list[RemoteProgram], _BrowsePlace | None]:
        """Programs behind a place, and the place behind them; ``None`` where there are no more."""
        overlap = 1 if place.offset else 0
        start = place.offset - overlap
        rows = self._read_list(f"{ASSETS}/programs.json", {**self._times(), "maxReturn": size, "offset": start})
        if overlap and place.last not in [each.id for each in rows]:
            raise Rejected(_("The list of programs has changed while it was read; begin again."))
        programs = [each for each in rows if each.id != place.last]
        if len(rows) < size:
            return programs, None
        return programs, _BrowsePlace(start + len(rows), rows[-1].id)

    def _times(self) -> dict[str, Parameter]:
        until = self._query.updated_until
        if until is not None and until.microsecond:
            until += timedelta(seconds=1)  # Times go out in whole seconds, and the end of a range is part of it.
        return {"earliestUpdatedAt": self._query.updated_since, "latestUpdatedAt": until}

    # --- both ---

    def _read_list(self, path: str, asked: Mapping[str, Parameter]) -> list[RemoteProgram]:
        reply = self._calls.read(path, asked)
        try:
            return parse_programs(reply)
        except InvalidReply as error:
            raise self._calls.unreadable(error) from error

    def _fits(self, program: RemoteProgram, *, tagged: bool = False) -> bool:
        """Whether a program is wanted, as far as it was told.

        Args:
            tagged: Marketo has looked for the tag.
        """
        query = self._query
        return (
            query.name in ("", program.name)
            and query.workspace in ("", program.values.get("Workspace Name"))
            and (query.id_from or 0) <= program.id <= (query.id_to or LARGEST_ID)
            and _is_within(program.created_at, query.created_since, None)
            and _is_within(program.updated_at, query.updated_since, query.updated_until)
            and (tagged or query.tag is None or _has_tag(program, query.tag))
        )

    def _page(self, found: Sequence[RemoteProgram], *, position: str = "") -> QueryPage:
        objects = [each.as_remote(details=self._query.details) for each in found]
        return QueryPage(objects, more=bool(position), position=position, exchange=self._calls.exchange)


def _is_within(moment: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    """Whether a time lies in a range, both ends included; one that was not told does."""
    return moment is None or ((since is None or moment >= since) and (until is None or moment <= until))


def _has_tag(program: RemoteProgram, tag: TagValue) -> bool:
    value = program.channel if is_channel(tag.type) else program.tag_value(tag.type)
    return value is not None and value.casefold() == tag.value.casefold()

"""One program as the asset API tells it, and the ways to have it told with its costs.

Sources: Adobe's developer pages. Only the call by name can be asked for costs; whether the call by id tells them, no
source says. A name with a comma finds nothing. The answer to an update is the whole program.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mobjects.marketo.errors import OutcomeUnknown, Rejected, Unavailable
from mobjects.marketo.rest.codes import NOTHING_FOUND
from mobjects.marketo.rest.programs.cost_rows import CostRow
from mobjects.marketo.rest.programs.logged_calls import LoggedCalls
from mobjects.marketo.rest.programs.program_facts import ProgramFacts
from mobjects.marketo.rest.programs.write_state import WriteState
from mobjects.marketo.rest.replies import InvalidReply, RestReply, decimal_number, parse_moment, whole_number
from mobjects.marketo.rest.request import Parameter
from mobjects.marketo.types import Kind, RemoteObject, TagValue
from mobjects.marketo.value_parsing import quote_value
from mobjects.marking import gettext_noop as _

CHANNEL = "Channel"
ASSETS = "/rest/asset/v1"

_VALUES = {
    "name": "Name",
    "type": "Type",
    "workspace": "Workspace Name",
    "description": "Description",
    "status": "Status",
    "startDate": "Start Date",
    "endDate": "End Date",
    "sfdcId": "CRM Id",
}
"""Marketo's names here, and those that its SOAP API gave to the same."""


@dataclass(frozen=True, slots=True)
class RemoteProgram:
    """A program as Marketo told it.

    Args:
        id, name, type, channel: as told; "" where not told.
        tags: without the channel; ``None`` where there are none or they were not told.
        costs: ``None`` where there are none or they were not told.
        values: further ones, under the names of :class:`mobjects.marketo.types.RemoteObject`.
        created_at, updated_at: aware, if told.
    """

    id: int
    name: str
    type: str
    channel: str
    tags: Sequence[TagValue] | None
    costs: Sequence[CostRow] | None
    values: Mapping[str, str]
    created_at: datetime | None
    updated_at: datetime | None

    def tag_value(self, tag_type: str) -> str | None:
        """The value of a tag, whatever the case of its type; ``None`` if it is not told."""
        wanted = tag_type.casefold()
        return next((tag.value for tag in self.tags or () if tag.type.casefold() == wanted), None)

    def as_remote(self, *, details: bool) -> RemoteObject:
        """The program as everything above the transport knows it.

        Args:
            details: with costs and tags.
        """
        channel = [TagValue(CHANNEL, self.channel)] if self.channel else []
        return RemoteObject(
            Kind.PROGRAM,
            self.id,
            values=self.values,
            costs=tuple(row.as_remote() for row in self.costs or ()) if details else (),
            tags=(*channel, *(self.tags or ())) if details else (),
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


def program_path(program_id: int) -> str:
    """The address of one program."""
    return f"{ASSETS}/program/{program_id}.json"


def parse_programs(reply: RestReply) -> list[RemoteProgram]:
    """The programs of an answer.

    Raises:
        InvalidReply: one has no id, or holds something that cannot be read.
    """
    return [_parse_program(entry) for entry in reply.result]


def parse_program(reply: RestReply, program_id: int) -> RemoteProgram | None:
    """The one program that was asked for, or written; ``None`` if Marketo has none.

    Raises:
        InvalidReply: the answer is about another one, or about several.
    """
    found = parse_programs(reply)
    if not found:
        return None
    if len(found) > 1 or found[0].id != program_id:
        raise InvalidReply(
            _("Asked about program %(program_id)s, Marketo told of %(others)s.")
            % {"program_id": program_id, "others": ", ".join(str(p.id) for p in found)}
        )
    return found[0]


def _parse_program(entry: Any) -> RemoteProgram:
    number = whole_number(entry.get("id")) if isinstance(entry, dict) else None
    if number is None or number < 1:
        raise InvalidReply(_("Marketo told of a program without its ID."))
    return RemoteProgram(
        id=number,
        name=_text(entry.get("name")),
        type=_text(entry.get("type")),
        channel=_text(entry.get("channel")).strip(),
        tags=_parse_tags(number, entry.get("tags")),
        costs=_parse_costs(number, entry.get("costs")),
        values={ours: text for theirs, ours in _VALUES.items() if (text := _text(entry.get(theirs)))},
        created_at=parse_moment(entry.get("createdAt")),
        updated_at=parse_moment(entry.get("updatedAt")),
    )


def _parse_tags(program_id: int, value: object) -> list[TagValue] | None:
    if not value:
        return None
    tags = []
    for entry in value if isinstance(value, list) else [value]:
        name = _text(entry.get("tagType")).strip() if isinstance(entry, dict) else ""
        if not name:
            raise InvalidReply(_("Program %(program_id)s has a tag without a type.") % {"program_id": program_id})
        if name.casefold() != CHANNEL.casefold():
            tags.append(TagValue(name, _text(entry.get("tagValue")).strip()))
    return tags


def _parse_costs(program_id: int, value: object) -> list[CostRow] | None:
    if not value:
        return None
    return [_parse_cost(program_id, entry) for entry in (value if isinstance(value, list) else [value])]


def _parse_cost(program_id: int, entry: Any) -> CostRow:
    given = entry if isinstance(entry, dict) else {}
    match = re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", _text(given.get("startDate")))
    amount = decimal_number(given.get("cost"))
    try:
        if match and amount is not None:
            return CostRow(date.fromisoformat(match[0]), amount, _text(given.get("note")))
    except ValueError:
        pass
    said = ", ".join(f"{name} {quote_value(text)}" for name, text in given.items()) or "nothing"
    raise InvalidReply(
        _("Program %(program_id)s has a cost that cannot be read: %(said)s.") % {"program_id": program_id, "said": said}
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


class ProgramReader:
    """Reads single programs.

    Args:
        calls: to make calls with.
        facts: what is known of the instance.
    """

    def __init__(self, calls: LoggedCalls, facts: ProgramFacts) -> None:
        self._calls = calls
        self._facts = facts

    def read_by_id(self, program_id: int) -> RemoteProgram | None:
        """The program with its tags, perhaps without its costs; ``None`` if Marketo has none.

        Raises:
            MarketoError: never ``OutcomeUnknown``.
        """
        reply = self._calls.read(program_path(program_id))
        try:
            return parse_program(reply, program_id)
        except InvalidReply as error:
            raise self._calls.unreadable(error) from error

    def read_answer(self, reply: RestReply, program_id: int, state: WriteState) -> RemoteProgram:
        """The program as the answer to an update tells it.

        Raises:
            ProgramMissing: a warning says that Marketo has none.
            OutcomeUnknown: the answer cannot be read, or tells of no program.
        """
        try:
            reported = parse_program(reply, program_id)
        except InvalidReply as error:
            state.doubtful = True
            raise self._calls.unknown(str(error)) from error
        if reported is None:
            raise self._calls.missing_program_error(reply)
        return reported

    def read_with_costs(self, program_id: int, name: str = "") -> RemoteProgram | None:
        """The program with its tags and all of its costs; ``None`` if Marketo has none.

        Args:
            program_id: its id.
            name: what it was called when that was last seen; saves a call if it is still called so.

        Raises:
            Rejected: Marketo does not tell the costs of this program.
            MarketoError: never ``OutcomeUnknown``.
        """
        by_name_first = _is_askable(name) and not self._facts.costs_by_id
        if by_name_first and (found := self._read_by_name(program_id, name)):
            return found
        program = self.read_by_id(program_id)
        if program is None or program.costs or self._facts.costs_by_id:
            return program
        tried = by_name_first and program.name == name
        if _is_askable(program.name) and not tried and (found := self._read_by_name(program_id, program.name)):
            return found
        return self.read_by_update(program)

    def read_by_update(self, program: RemoteProgram) -> RemoteProgram | None:
        """What the answer to an update tells, which is never out of date. Sends the name that the program has anyway.

        Raises:
            Rejected: Marketo refuses this update, or the program's name is not known.
            MarketoError: never ``OutcomeUnknown``, because nothing is changed.
        """
        if not program.name:
            raise Rejected(
                _("Marketo tells neither name nor costs of program %(id)s.") % {"id": program.id},
                exchange=self._calls.exchange,
            )
        try:
            reply = self._calls.write_twice(program_path(program.id), {"name": program.name})
            return parse_program(reply, program.id)
        except OutcomeUnknown as error:
            raise Unavailable(
                _("The program's costs could not be read: %(message)s") % {"message": error.message},
                code=error.code,
                exchange=error.exchange,
            ) from error
        except Rejected as error:
            if error.code in NOTHING_FOUND:
                return None
            raise
        except InvalidReply as error:
            raise self._calls.unreadable(error) from error

    def _read_by_name(self, program_id: int, name: str) -> RemoteProgram | None:
        parameters: dict[str, Parameter] = {"name": name, "includeTags": True, "includeCosts": True}
        reply = self._calls.read(f"{ASSETS}/program/byName.json", parameters)
        try:
            return next((each for each in parse_programs(reply) if each.id == program_id), None)
        except InvalidReply as error:
            raise self._calls.unreadable(error) from error


def _is_askable(name: str) -> bool:
    """Whether a program can be found by this name at all."""
    return bool(name.strip()) and "," not in name

"""Programs as the asset API shows them: by id, by name, by tag, and page by page without tags and costs.

Sources: Adobe's pages on programs, tags and channels. What a program is called differs between its ``type``
(Default, Email, Engagement, Event) and what tag types and channels are for (program, email_batch, nurture, event).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from mobjects.sandbox.rest.rest_call import RestContext, RestError, Row, SandboxReply
from mobjects.sandbox.state import SandboxStore, StoredProgram

PAGE_SIZE, MAX_PAGE_SIZE = 20, 200
NOTHING_FOUND = "No assets found for the given search criteria."

_TYPES = {
    "Marketing Program": ("Default", "program"),
    "Marketing Event": ("Event", "event"),
    "Email Batch Program": ("Email", "email_batch"),
    "Nurture Program": ("Engagement", "nurture"),
    # Not among the seeds; what REST calls the type was never seen.
    "Marketing Event with Webinar": ("Event with Webinar", "webinar"),
}
APPLICABLE_TYPES = [applicable for _, applicable in _TYPES.values()]

Found = TypeVar("Found")


def applicable_type(stored_type: str) -> str:
    """What tag types and channels call a type of program."""
    return _TYPES.get(stored_type, ("", "program"))[1]


def show_program(program: StoredProgram, *, tags: bool = True, costs: bool = True) -> Row:
    """A program with tags and costs, each null where there are none or they were not asked for."""
    shown_tags = [{"tagType": name, "tagValue": value} for name, value in program.tags.items()] if tags else []
    return {
        **_show_head(program),
        "tags": shown_tags or None,
        "costs": (_show_costs(program) if costs else None) or None,
    }


def _show_head(program: StoredProgram) -> Row:
    return {
        "id": program.id,
        "name": program.name,
        "description": program.description,
        "createdAt": show_moment(program.created_at),
        "updatedAt": show_moment(program.updated_at),
        "url": f"https://app-sandbox.marketo.com/#PG{program.id}A1",
        "type": _TYPES.get(program.type, ("Default", ""))[0],
        "channel": program.channel,
        "folder": {"type": "Folder", "value": 10_000 + program.workspace_id, "folderName": program.workspace_name},
        "status": "",
        "workspace": program.workspace_name,
        "headStart": False,
    }


def _show_costs(program: StoredProgram) -> list[Row]:
    rows = []
    for cost in program.costs.values():
        # Whole units only; SOAP may have written decimals.
        row: Row = {"startDate": cost.month.isoformat(), "cost": int(Decimal(cost.amount))}
        rows.append({**row, "note": cost.note} if cost.note else row)
    return rows


def show_moment(moment: datetime) -> str:
    """A moment as the asset API writes it, ``2015-05-21T22:45:13Z+0000``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ+0000")


def find_program(store: SandboxStore, id_: str) -> StoredProgram | None:
    """The program with this id."""
    return store.programs.get(int(id_))


def read_by_id(context: RestContext) -> SandboxReply:
    """One program with its tags; whether with costs is a switch, as no source says."""
    program = find_program(context.store, context.arguments[0])
    if program is None:
        return reply_missing(context)
    return build_list([show_program(program, costs=context.instance.costs_by_id)])


def read_by_name(context: RestContext) -> SandboxReply:
    """One program by its whole name, with tags and costs where they are asked for. Names with commas find nothing."""
    given = context.request.form
    name = given.get("name", "")
    found = [program for program in context.store.programs.values() if program.name == name and "," not in name]
    tags, costs = given.get("includeTags") == "true", given.get("includeCosts") == "true"
    return build_list([show_program(program, tags=tags, costs=costs) for program in found])


def read_by_tag(context: RestContext) -> SandboxReply:
    """The programs with one value of a tag."""
    given = context.request.form
    wanted = (given.get("tagType", ""), given.get("tagValue", ""))
    programs = [program for program in context.store.programs.values() if wanted in program.tags.items()]
    return build_list([show_program(program, costs=False) for program in page_of(context, programs)])


def browse_programs(context: RestContext) -> SandboxReply:
    """Programs in the order of their ids, 20 at a time unless ``maxReturn`` says another number."""
    given = context.request.form
    tests = [_filter_test(given), *_time_tests(given)]
    programs = [
        program
        for program in sorted(context.store.programs.values(), key=lambda program: program.id)
        if all(test(program) for test in tests) and given.get("status", "") == ""
    ]
    return build_list([_show_head(program) for program in page_of(context, programs)])


def _filter_test(given: dict[str, str]) -> Callable[[StoredProgram], bool]:
    values = given.get("filterValues", "").split(",")
    filters: dict[str, Callable[[StoredProgram], bool]] = {
        "": lambda program: True,
        "id": lambda program: str(program.id) in values,
        "programId": lambda program: str(program.id) in values,
        "folderId": lambda program: str(10_000 + program.workspace_id) in values,
        "workspace": lambda program: program.workspace_name in values,
    }
    wanted = given.get("filterType", "")
    if wanted not in filters:
        raise RestError("1003", f"Invalid value for field 'filterType' and value '{wanted}'")
    return filters[wanted]


def _time_tests(given: dict[str, str]) -> list[Callable[[StoredProgram], bool]]:
    earliest = _moment(given, "earliestUpdatedAt")
    latest = _moment(given, "latestUpdatedAt")
    return [
        lambda program: earliest is None or program.updated_at >= earliest,
        lambda program: latest is None or program.updated_at <= latest,
    ]


def _moment(given: dict[str, str], name: str) -> datetime | None:
    text = given.get(name, "")
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise RestError("704", f"Invalid date for '{name}': '{text}'") from error
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def page_of(context: RestContext, found: Sequence[Found]) -> Sequence[Found]:
    """The part of a list that ``offset`` and ``maxReturn`` name.

    Raises:
        RestError: 1003 where one of them is no such number.
    """
    size = _number(context, "maxReturn", PAGE_SIZE, range(1, MAX_PAGE_SIZE + 1))
    offset = _number(context, "offset", 0, range(10**9))
    return found[offset : offset + size]


def _number(context: RestContext, name: str, default: int, allowed: range) -> int:
    text = context.request.form.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) in allowed):
        raise RestError("1003", f"Invalid value for field '{name}' and value '{text}'")
    return int(text)


def build_list(rows: list[Row], kind: str = "Program") -> SandboxReply:
    """Assets, or no ``result`` and a warning where there are none."""
    if not rows:
        return SandboxReply(None, warnings=[NOTHING_FOUND], kind=kind)
    return SandboxReply(rows, count=len(rows), kind=kind)


def reply_missing(context: RestContext) -> SandboxReply:
    """What is answered for a program that is not there.

    Raises:
        RestError: 702, where the instance is set up for it.
    """
    if context.instance.missing_is_error:
        raise RestError("702", f"Program {context.arguments[0]} not found")
    return build_list([])

"""Changing one program: costs are added unless ``costsDestructiveUpdate`` says that they replace; tags replace.

Sources: Adobe's pages on programs and period costs, and its knowledge base on program tags. Fields that the call does
not know are ignored, so that a misspelt ``costsDestructiveUpdate`` adds.
"""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from mobjects.sandbox.rest.assets.programs import applicable_type, build_list, find_program, reply_missing, show_program
from mobjects.sandbox.rest.instance import ChannelChange
from mobjects.sandbox.rest.rest_call import RestContext, RestError, Row, SandboxReply
from mobjects.sandbox.state import SandboxStore, StoredCost, StoredProgram

CHANNEL = "Channel"
MAX_COST = 99_999_999


def update_program(context: RestContext) -> SandboxReply:
    """Apply the fields that were sent, all or none; the answer is the whole program.

    Raises:
        RestError: 1001 for values of a wrong type, 709 for what a rule forbids, 702 without the program where the
            instance is set up for it.
    """
    program = find_program(context.store, context.arguments[0])
    if program is None:
        return reply_missing(context)
    given = context.request.form
    draft = replace(program, costs=dict(program.costs), tags=dict(program.tags))
    _set_texts(context.store, draft, given)
    _set_dates(draft, given)
    # An explicit channel wins over one among the tags.
    if given.get("tags", "") != "":
        _replace_tags(context, draft, read_list(context, "tags"))
    if given.get("channel"):
        set_channel(context, draft, given["channel"])
    costs = [_read_cost(entry) for entry in read_list(context, "costs")]
    if given.get("costsDestructiveUpdate", "").lower() == "true":
        draft.costs = {}
    for cost in costs:
        # Only now, so that a refused call uses up no id.
        kept = replace(cost, id=context.store.new_id("Cost"))
        draft.costs[kept.id] = kept
    save_program(context.store, draft)
    return build_list([show_program(draft)])


def save_program(store: SandboxStore, draft: StoredProgram) -> None:
    """Put a changed copy in the place of the program."""
    store.programs[draft.id] = replace(draft, updated_at=store.clock.now())


def set_channel(context: RestContext, draft: StoredProgram, channel: str) -> None:
    """Change the channel, or not, as the instance is set up.

    Raises:
        RestError: 709, the instance refuses it, there is no such channel, or it is for another type of program.
    """
    if context.instance.channel_on_update is ChannelChange.IGNORED:
        return
    if context.instance.channel_on_update is ChannelChange.REFUSED:
        raise RestError("709", "Channel cannot be changed")
    if channel not in context.store.channels:
        raise RestError("709", f"Channel '{channel}' not found")
    if context.store.channel_types.get(channel, draft.type) != draft.type:
        raise RestError("709", f"Channel '{channel}' is not applicable to program type {applicable_type(draft.type)}")
    draft.channel = channel


def check_tag(store: SandboxStore, program: StoredProgram, tag_type: str, value: str) -> None:
    """See that a tag may be set on a program.

    Raises:
        RestError: 709, no such tag type or value, or it is for other programs.
    """
    if tag_type not in store.tags:
        raise RestError("709", f"Tag type '{tag_type}' not found")
    if value not in store.tags[tag_type]:
        raise RestError("709", f"Invalid tag value '{value}' for tag type '{tag_type}'")
    wanted = applicable_type(program.type)
    if wanted not in store.tag_program_types.get(tag_type, [wanted]):
        raise RestError("709", f"Tag type '{tag_type}' is not applicable to program type {wanted}")


def _set_texts(store: SandboxStore, draft: StoredProgram, given: dict[str, str]) -> None:
    name = given.get("name", draft.name)
    if not name:
        raise RestError("701", "name cannot be blank")
    if any(each.name == name and each.id != draft.id for each in store.programs.values()):
        raise RestError("709", f"Program name '{name}' is not unique")
    draft.name = name
    draft.description = given.get("description", draft.description)


def _set_dates(draft: StoredProgram, given: dict[str, str]) -> None:
    for name, attribute in (("startDate", "start"), ("endDate", "end")):
        if not given.get(name):
            continue
        if applicable_type(draft.type) not in ("event", "email_batch"):
            raise RestError("709", f"{name} is not applicable to this program type")
        setattr(draft, attribute, datetime.combine(_read_day(given[name]), time(), UTC))


def _replace_tags(context: RestContext, draft: StoredProgram, entries: list[Row]) -> None:
    wanted: dict[str, str] = {}
    for entry in entries:
        tag_type, value = str(entry.get("tagType", "")), str(entry.get("tagValue", ""))
        if tag_type == CHANNEL:
            set_channel(context, draft, value)
            continue
        check_tag(context.store, draft, tag_type, value)
        wanted[tag_type] = value
    if list_required(context.store, draft) - set(wanted):
        raise RestError("709", "Required tags are mandatory")
    draft.tags = wanted


def list_required(store: SandboxStore, program: StoredProgram) -> set[str]:
    """The tag types that a program has to have."""
    kind = applicable_type(program.type)
    return {name for name in store.required_tags if kind in store.tag_program_types.get(name, [kind])}


def _read_cost(entry: Row) -> StoredCost:
    amount, day, note = entry.get("cost"), entry.get("startDate"), entry.get("note", "")
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise RestError("1001", f"Invalid value '{amount}'. Required of type 'Integer'")
    if not 0 <= amount <= MAX_COST:
        raise RestError("709", f"cost must be 0 to {MAX_COST}, got {amount}")
    if not isinstance(note, str | None):
        raise RestError("1001", f"Invalid value '{note}'. Required of type 'String'")
    return StoredCost(0, _read_day(day).replace(day=1), str(amount), note or "")


def _read_day(value: Any) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise RestError("1001", f"Invalid value '{value}'. Required of type 'Date'") from error


def read_list(context: RestContext, name: str) -> list[Row]:
    """The list of objects that a form field holds as JSON; empty where the field is.

    Raises:
        RestError: 1001, it is something else.
    """
    text = context.request.form.get(name, "")
    if text == "":
        return []
    try:
        value = ast.literal_eval(text) if context.instance.single_quotes else json.loads(text)
    except (ValueError, SyntaxError) as error:
        raise RestError("1001", f"Invalid value '{text[:60]}'. Required of type 'JSON' for '{name}'") from error
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise RestError("1001", f"Invalid value '{text[:60]}'. Required of type 'List' for '{name}'")
    return value

"""Tag types, channels, and the calls that set or remove one tag of a program.

Sources: Adobe's pages on tags and channels. Their lists are texts, not JSON: ``[program,event]`` without a blank for
types of programs, ``[AMER, APAC]`` with one for values.
"""

from __future__ import annotations

from dataclasses import replace

from mobjects.sandbox.rest.assets.program_update import CHANNEL, check_tag, list_required, save_program, set_channel
from mobjects.sandbox.rest.assets.programs import (
    APPLICABLE_TYPES,
    applicable_type,
    build_list,
    find_program,
    page_of,
    reply_missing,
)
from mobjects.sandbox.rest.rest_call import RestContext, RestError, Row, SandboxReply
from mobjects.sandbox.state import ProgressionStatus, SandboxStore

_MADE_AT = "2026-01-05T09:00:00Z+0000"


def browse_tag_types(context: RestContext) -> SandboxReply:
    """The tag types without their values."""
    names = page_of(context, list(context.store.tags))
    return build_list([_show_tag_type(context.store, name) for name in names], "Tag type")


def read_tag_type(context: RestContext) -> SandboxReply:
    """One tag type with its values."""
    name = context.request.form.get("name", "")
    if name not in context.store.tags:
        return build_list([], "Tag type")
    values = f"[{', '.join(context.store.tags[name])}]"
    return build_list([{**_show_tag_type(context.store, name), "allowableValues": values}], "Tag type")


def _show_tag_type(store: SandboxStore, name: str) -> Row:
    types = store.tag_program_types.get(name, APPLICABLE_TYPES)
    return {
        "tagType": name,
        "applicableProgramTypes": f"[{','.join(types)}]",
        "required": name in store.required_tags,
    }


def browse_channels(context: RestContext) -> SandboxReply:
    """The channels with their progression statuses."""
    names = page_of(context, list(context.store.channels))
    return build_list([_show_channel(context.store, name) for name in names], "Channel")


def read_channel(context: RestContext) -> SandboxReply:
    """One channel. Adobe's page calls the parameter ``name``, its swagger ``Name``."""
    given = context.request.form
    name = given.get("name") or given.get("Name", "")
    return build_list([_show_channel(context.store, name)] if name in context.store.channels else [], "Channel")


def _show_channel(store: SandboxStore, name: str) -> Row:
    return {
        "id": 1001 + list(store.channels).index(name),
        "name": name,
        "description": "",
        "applicableProgramType": applicable_type(store.channel_types.get(name, "")),
        "createdAt": _MADE_AT,
        "updatedAt": _MADE_AT,
        "progressionStatuses": [_show_status(status) for status in store.channels[name]],
    }


def _show_status(status: ProgressionStatus) -> Row:
    return {
        "name": status.status,
        "description": None,
        "hidden": False,
        "type": None,
        "step": status.step,
        "success": status.success,
    }


def set_tag(context: RestContext) -> SandboxReply:
    """Set one tag of a program and leave the others alone.

    Raises:
        RestError: 709 for what :func:`check_tag` refuses, 702 for a tag that the program lacks where the instance is
            set up for it.
    """
    id_, tag_type = context.arguments
    program = find_program(context.store, id_)
    if program is None:
        return reply_missing(context)
    value = context.request.form.get("tagValue", "")
    if not value:
        raise RestError("701", "tagValue cannot be blank")
    draft = replace(program, tags=dict(program.tags))
    if tag_type == CHANNEL:
        set_channel(context, draft, value)
    else:
        check_tag(context.store, draft, tag_type, value)
        if tag_type not in draft.tags and not context.instance.tag_call_adds:
            raise RestError("702", f"Tag '{tag_type}' not found on program {id_}")
        draft.tags[tag_type] = value
    save_program(context.store, draft)
    return build_list([{"id": draft.id}])


def delete_tag(context: RestContext) -> SandboxReply:
    """Remove one tag of a program.

    Raises:
        RestError: 709 for a required one and for the channel, 702 for one that the program lacks.
    """
    id_, tag_type = context.arguments
    program = find_program(context.store, id_)
    if program is None:
        return reply_missing(context)
    if tag_type == CHANNEL or tag_type in list_required(context.store, program):
        raise RestError("709", "Required tags are mandatory")
    if tag_type not in program.tags:
        raise RestError("702", f"Tag '{tag_type}' not found on program {id_}")
    save_program(
        context.store, replace(program, tags={name: value for name, value in program.tags.items() if name != tag_type})
    )
    return build_list([{"id": program.id}])

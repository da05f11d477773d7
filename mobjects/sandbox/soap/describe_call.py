"""The operations that tell what exists: describeMObject, listMObjects, getTags, getChannels."""

from __future__ import annotations

from lxml import etree

from mobjects.sandbox.fields import FIELDS, LISTED, ObjectField
from mobjects.sandbox.soap.envelope import add_attrib, add_child, add_nil, add_or_nil, text_of
from mobjects.sandbox.soap.soap_fault import SoapFault
from mobjects.sandbox.state import ProgressionStatus, SandboxStore

_DESCRIBED_AT = "2026-01-05T09:00:00+00:00"


def describe_mobject(store: SandboxStore, message: etree._Element, result: etree._Element) -> None:
    """The fields of one object; Program cannot be described."""
    name = text_of(message, "objectName")
    if name not in FIELDS:
        raise SoapFault("20110", f"describeMObject does not support {name!r}")
    metadata = add_child(result, "metadata")
    add_child(metadata, "name", name)
    add_nil(metadata, "description")
    add_child(metadata, "isCustom", "false")
    add_child(metadata, "isVirtual", "false")
    fields = add_child(metadata, "fieldList")
    for field in FIELDS[name].values():
        _write_field(add_child(fields, "field"), field)
    add_child(metadata, "updatedAt", _DESCRIBED_AT)


def _write_field(element: etree._Element, field: ObjectField) -> None:
    add_child(element, "name", field.name)
    add_nil(element, "description")
    add_child(element, "displayName", field.label)
    add_nil(element, "sourceObject")
    add_child(element, "dataType", field.data_type)
    add_or_nil(element, "size", field.size)
    add_child(element, "isReadonly", "false")
    add_child(element, "isUpdateBlocked", "false")
    add_nil(element, "isName")
    add_child(element, "isPrimaryKey", "false")
    add_child(element, "isCustom", "true" if field.custom else "false")
    add_child(element, "isDynamic", "true" if field.generated else "false")
    add_or_nil(element, "dynamicFieldRef", "attributeList" if field.generated else None)
    add_child(element, "updatedAt", _DESCRIBED_AT)


def list_mobjects(store: SandboxStore, message: etree._Element, result: etree._Element) -> None:
    """The names of the describable objects; Program is not among them."""
    for name in LISTED:
        add_child(result, "objects", name)


def get_tags(store: SandboxStore, message: etree._Element, result: etree._Element) -> None:
    """Tag types with their values, without the channel; unknown types and values are left out."""
    listing = add_child(result, "tagList")
    for name, wanted in _wanted_tags(store, message):
        element = add_child(listing, "tag")
        add_child(element, "type", name)
        values = add_child(element, "values")
        for value in store.tags[name]:
            if not wanted or value in wanted:
                add_child(values, "stringItem", value)


def _wanted_tags(store: SandboxStore, message: etree._Element) -> list[tuple[str, list[str]]]:
    asked = message.findall("tagList/tag")
    if not asked:
        return [(name, []) for name in store.tags]
    return [(name, _strings(tag)) for tag in asked if (name := text_of(tag, "type")) in store.tags]


def get_channels(store: SandboxStore, message: etree._Element, result: etree._Element) -> None:
    """Channels with their progression statuses; unknown names are left out."""
    tag = message.find("tag")
    wanted = [] if tag is None else _strings(tag)
    listing = add_child(result, "tags")
    for channel, statuses in store.channels.items():
        if wanted and channel not in wanted:
            continue
        element = add_child(listing, "tagStatus")
        add_child(element, "tagValue", channel)
        steps = add_child(element, "statusList")
        for status in statuses:
            _write_status(steps, status)


def _write_status(steps: etree._Element, status: ProgressionStatus) -> None:
    attribs = add_child(add_child(steps, "progressionStatusItem"), "progressionStatus")
    add_attrib(attribs, "Status", status.status)
    add_attrib(attribs, "Step", str(status.step))
    add_attrib(attribs, "Success", "true" if status.success else "false")
    for name, value in status.extra:
        add_attrib(attribs, name, value)


def _strings(tag: etree._Element) -> list[str]:
    return [item.text or "" for item in tag.iterfind("values/stringItem")]

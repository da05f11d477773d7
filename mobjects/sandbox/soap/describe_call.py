"""The operations that tell what exists: describeMObject, listMObjects, getTags, getChannels."""

from __future__ import annotations

from lxml import etree

from mobjects.sandbox.fields import FIELDS, LISTED, Field
from mobjects.sandbox.soap.envelope import add, add_attrib, add_nil, add_or_nil, text_of
from mobjects.sandbox.soap.soap_fault import SoapFault
from mobjects.sandbox.state import ProgressionStatus, Store

_DESCRIBED_AT = "2026-01-05T09:00:00+00:00"


def describe_mobject(store: Store, message: etree._Element, result: etree._Element) -> None:
    """The fields of one object; Program cannot be described."""
    name = text_of(message, "objectName")
    if name not in FIELDS:
        raise SoapFault("20110", f"describeMObject does not support {name!r}")
    metadata = add(result, "metadata")
    add(metadata, "name", name)
    add_nil(metadata, "description")
    add(metadata, "isCustom", "false")
    add(metadata, "isVirtual", "false")
    fields = add(metadata, "fieldList")
    for field in FIELDS[name].values():
        _write_field(add(fields, "field"), field)
    add(metadata, "updatedAt", _DESCRIBED_AT)


def _write_field(element: etree._Element, field: Field) -> None:
    add(element, "name", field.name)
    add_nil(element, "description")
    add(element, "displayName", field.label)
    add_nil(element, "sourceObject")
    add(element, "dataType", field.data_type)
    add_or_nil(element, "size", field.size)
    add(element, "isReadonly", "false")
    add(element, "isUpdateBlocked", "false")
    add_nil(element, "isName")
    add(element, "isPrimaryKey", "false")
    add(element, "isCustom", "true" if field.custom else "false")
    add(element, "isDynamic", "true" if field.generated else "false")
    add_or_nil(element, "dynamicFieldRef", "attributeList" if field.generated else None)
    add(element, "updatedAt", _DESCRIBED_AT)


def list_mobjects(store: Store, message: etree._Element, result: etree._Element) -> None:
    """The names of the describable objects; Program is not among them."""
    for name in LISTED:
        add(result, "objects", name)


def get_tags(store: Store, message: etree._Element, result: etree._Element) -> None:
    """Tag types with their values, without the channel; unknown types and values are left out."""
    listing = add(result, "tagList")
    for name, wanted in _wanted_tags(store, message):
        element = add(listing, "tag")
        add(element, "type", name)
        values = add(element, "values")
        for value in store.tags[name]:
            if not wanted or value in wanted:
                add(values, "stringItem", value)


def _wanted_tags(store: Store, message: etree._Element) -> list[tuple[str, list[str]]]:
    asked = message.findall("tagList/tag")
    if not asked:
        return [(name, []) for name in store.tags]
    return [(name, _strings(tag)) for tag in asked if (name := text_of(tag, "type")) in store.tags]


def get_channels(store: Store, message: etree._Element, result: etree._Element) -> None:
    """Channels with their progression statuses; unknown names are left out."""
    tag = message.find("tag")
    wanted = [] if tag is None else _strings(tag)
    listing = add(result, "tags")
    for channel, statuses in store.channels.items():
        if wanted and channel not in wanted:
            continue
        element = add(listing, "tagStatus")
        add(element, "tagValue", channel)
        steps = add(element, "statusList")
        for status in statuses:
            _write_status(steps, status)


def _write_status(steps: etree._Element, status: ProgressionStatus) -> None:
    attribs = add(add(steps, "progressionStatusItem"), "progressionStatus")
    add_attrib(attribs, "Status", status.status)
    add_attrib(attribs, "Step", str(status.step))
    add_attrib(attribs, "Success", "true" if status.success else "false")
    for name, value in status.extra:
        add_attrib(attribs, name, value)


def _strings(tag: etree._Element) -> list[str]:
    return [item.text or "" for item in tag.iterfind("values/stringItem")]

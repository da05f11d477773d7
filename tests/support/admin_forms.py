"""Pages of records as a browser sees them: opened, and sent back."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from lxml import html


def change_url(record: models.Model) -> str:
    return reverse(f"admin:mobjects_{record._meta.model_name}_change", args=[record.pk])


def open_form(client: Client, record: models.Model, query: str = "") -> dict[str, str]:
    """What a browser would send back if nobody touched the page."""
    return read_form(client.get(change_url(record) + query), record)


def read_form(page: Any, record: models.Model) -> dict[str, str]:
    """The form on a page that was received, as a browser would send it."""
    form = html.fromstring(page.content).get_element_by_id(f"{record._meta.model_name}_form")  # type: ignore[attr-defined]  # poor stubs
    for empty in form.xpath(".//input[not(@value)][not(@type='checkbox')]"):
        empty.set("value", "")  # As browsers do; lxml leaves it out.
    for line in form.xpath(".//input[@type='text']"):
        line.set("value", line.get("value").replace("\r", "").replace("\n", ""))  # An input of one line holds no more.
    found = {field: value for field, value in form.form_values() if "__prefix__" not in field}
    return {field: value.replace("\r\n", "\n").replace("\n", "\r\n") for field, value in found.items()}


def send_form(client: Client, record: models.Model, form: dict[str, str], **changes: str) -> HttpResponse:
    return client.post(change_url(record), form | changes)  # type: ignore[return-value]  # the stubs' own response


def browser_of(person: User) -> Client:
    """A browser in which somebody is logged in."""
    client = Client()
    client.force_login(person)
    return client


def read_confirmation(page: Any) -> dict[str, Any]:
    """The form of a page that asks before it deletes, as a browser would send it."""
    found: dict[str, Any] = {}
    forms = html.fromstring(page.content).forms  # type: ignore[attr-defined]  # poor stubs
    (form,) = (form for form in forms if "post" in form.fields)
    for name, value in form.form_values():
        found.setdefault(name, []).append(value)
    return found

"""Forms that are given in JSON: what the pages' forms say about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _

from mobjects.api.problems import FieldProblem, Problem


def require_valid(form: forms.BaseForm, sent: Mapping[str, Any], names: Mapping[str, str] | None = None) -> None:
    """Go on only with a valid form. Raises Problem with all that is wrong.

    Args:
        sent: what was sent, by the names that it has there.
        names: names of fields of the form that are called otherwise there.
    """
    if form.is_valid():
        return
    called = names or {}
    errors = []
    for name, found in form.errors.items():
        place = called.get(name, name)
        pointer = "" if name == NON_FIELD_ERRORS else f"/{place}"
        errors += [FieldProblem(pointer, str(each), sent.get(place)) for each in found]
    raise Problem(422, _("What was sent cannot be done."), errors)

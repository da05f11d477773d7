"""What is sent, as a form of the pages takes it: the forms are all the rules there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.forms.models import modelform_factory
from django.utils.translation import gettext as _

from mobjects.api.problems import FieldProblem
from mobjects.api.records.kinds import CUSTOM
from mobjects.forms.merging import MergingForm
from mobjects.forms.records.custom_fields import CUSTOM as CUSTOM_PREFIX
from mobjects.forms.records.custom_fields import CustomForm, OpportunityForm, build_form_field
from mobjects.forms.records.fields import TYPED, AttributeField
from mobjects.forms.records.programs import CostForm, ProgramForm, TagForm
from mobjects.marketo import attributes
from mobjects.marketo.types import DataType
from mobjects.models import (
    CustomField,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    SyncedRecord,
)

FORMS: dict[type[models.Model], type[MergingForm]] = {
    Program: ProgramForm,
    Opportunity: OpportunityForm,
    OpportunityPersonRole: CustomForm,
    ProgramCost: CostForm,
    ProgramTag: TagForm,
}


class SentForm:
    """Over a form of the pages: only the fields that were sent, and no questions about what others changed meanwhile.

    That is found out by ``If-Match``, under the lock, before the form is made.
    """

    only: Collection[str] = ()
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(self.only):
            del self.fields[name]
        for field in self.fields.values():
            field.show_hidden_initial = False


def build_form(instance: models.Model, sent: Mapping[str, Any]) -> Any:
    """The bound form for what was sent about a row.

    Args:
        instance: the row, perhaps a new one.
        sent: by field; custom fields by their prefixed names.
    """
    model = type(instance)
    custom = _custom_form_fields(model, sent)
    base = FORMS[model]
    # Declared again, so that the form has them.
    made = type(f"Sent{base.__name__}", (SentForm, base), {**custom, "only": tuple(sent)})
    names = [name for name in sent if name not in custom]
    form = modelform_factory(model, form=made, fields=names, formfield_callback=_form_field)  # type: ignore[arg-type]
    return form({name: _as_text(value) for name, value in sent.items()}, instance=instance)


def find_problems(form: Any, sent: Mapping[str, Any], above: str = "") -> list[FieldProblem]:
    """All that is wrong with what was sent, also with the row as a whole.

    Args:
        form: bound; its row has the values afterwards, if nothing is wrong.
        sent: by field.
        above: pointer to what was sent.
    """
    errors: dict[str, list[str]] = {name: [str(each) for each in found] for name, found in form.errors.items()}
    if not errors:
        try:
            form.instance.full_clean()
        except ValidationError as error:
            errors = error.message_dict
    return [
        FieldProblem(f"{above}{_pointer(name)}", text, sent.get(name))
        for name, texts in errors.items()
        for text in texts
    ]


def find_unknown(model: type[models.Model], custom: Collection[str]) -> list[FieldProblem]:
    """Custom fields that were sent and that there are not."""
    known = _custom_fields(model)
    names = ", ".join(sorted(known)) or _("none")
    said = _("There is no custom field “%(name)s”. There are: %(names)s.")
    return [
        FieldProblem(_pointer(f"{CUSTOM_PREFIX}{name}"), said % {"name": name, "names": names}, name)
        for name in custom
        if name not in known
    ]


def _custom_fields(model: type[models.Model]) -> dict[str, CustomField]:
    if not issubclass(model, SyncedRecord) or not any(each.name == CUSTOM for each in model._meta.fields):
        return {}
    return {each.name: each for each in CustomField.objects.filter(kind=model.KIND.value)}


def _custom_form_fields(model: type[models.Model], sent: Mapping[str, Any]) -> dict[str, forms.Field]:
    if not any(name.startswith(CUSTOM_PREFIX) for name in sent):
        return {}
    known = {f"{CUSTOM_PREFIX}{name}": each for name, each in _custom_fields(model).items()}
    return {name: build_form_field(each) for name, each in known.items() if name in sent}


def _form_field(field: Any, **kwargs: Any) -> forms.Field | None:
    kind = getattr(field.model, "KIND", None)
    known = {each.field_name: each for each in attributes.STANDARD.get(kind, ())} if kind else {}
    attribute = known.get(field.name)
    if attribute is not None and (attribute.type in TYPED or attribute.type is DataType.DATETIME):
        return AttributeField(attribute=attribute, required=not field.blank)
    made: forms.Field | None = field.formfield(**kwargs)
    return made


def _as_text(value: Any) -> str:
    """A value as a browser would send it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return str(value)


def _pointer(name: str) -> str:
    if name == NON_FIELD_ERRORS:
        return ""
    if name.startswith(CUSTOM_PREFIX):
        escaped = name.removeprefix(CUSTOM_PREFIX).replace("~", "~0").replace("/", "~1")
        return f"/custom/{escaped}"
    return "/custom" if name == CUSTOM else f"/{name}"

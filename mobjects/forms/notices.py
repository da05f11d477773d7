"""Forms of notices: what a person wants to hear of, and a webhook."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import CHECKBOX_CLASSES, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from mobjects.kept_text import translate_kept
from mobjects.models import NoticeEvent, NoticeWebhook, WebhookShape
from mobjects.notices.channels.webhook import check_url
from mobjects.notices.choices import events_for, read_choice
from mobjects.notices.notice_settings import languages

_CHECK = {"class": " ".join(CHECKBOX_CLASSES)}


class ChoiceForm(forms.Form):
    """Which events a person wants in the inbox, and which by e-mail.

    Args:
        person: who chooses; they are asked only about what they may see.
    """

    inbox = forms.MultipleChoiceField(
        label=_("In the inbox"), required=False, widget=forms.CheckboxSelectMultiple(attrs=_CHECK)
    )
    email = forms.MultipleChoiceField(
        label=_("By e-mail"), required=False, widget=forms.CheckboxSelectMultiple(attrs=_CHECK)
    )

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        chosen = read_choice(person)
        super().__init__(*args, **kwargs)
        self.initial = {"inbox": chosen.inbox, "email": chosen.email}
        for name in ("inbox", "email"):
            field: Any = self.fields[name]
            field.choices = [(event.value, event.label) for event in events_for(person)]


class WebhookForm(forms.Form):
    """A webhook. Its address is never shown again; left empty, it stays as it is.

    Args:
        hook: the one that is changed; ``None`` for a new one.
    """

    name = forms.CharField(
        label=_("Name"), max_length=60, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    )
    url = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    shape = forms.ChoiceField(label=_("Shape"), choices=WebhookShape, widget=UnfoldAdminSelectWidget)
    language = forms.ChoiceField(label=_("Language"), choices=languages, widget=UnfoldAdminSelectWidget)
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=NoticeEvent, widget=forms.CheckboxSelectMultiple(attrs=_CHECK)
    )
    enabled = forms.BooleanField(label=_("Switched on"), required=False, widget=forms.CheckboxInput(attrs=_CHECK))
    new_secret = forms.BooleanField(
        label=_("Make a new signing secret"), required=False, widget=forms.CheckboxInput(attrs=_CHECK)
    )

    def __init__(self, hook: NoticeWebhook | None, *args: Any, **kwargs: Any) -> None:
        fresh = {"events": NoticeEvent.values, "enabled": True}
        initial = {name: getattr(hook, name, None) for name in ("name", "shape", "language", "events", "enabled")}
        super().__init__(*args, **kwargs)
        self.initial = initial if hook else fresh
        self.hook = hook
        if hook is None:
            del self.fields["new_secret"]
            self.fields["url"].required = True
            self.fields["url"].help_text = gettext("https://HOST/PATH. It may hold a token and is not shown again.")
        else:
            self.fields["url"].help_text = gettext("Empty: it stays as it is, at %(host)s.") % {"host": hook.host}

    def clean_name(self) -> str:
        """A name that no other webhook has."""
        name: str = self.cleaned_data["name"]
        others = NoticeWebhook.objects.filter(name=name)
        if self.hook is not None:
            others = others.exclude(pk=self.hook.pk)
        if others.exists():
            raise ValidationError(
                gettext("There is a webhook “%(name)s” already. Choose another name.") % {"name": name}
            )
        return name

    def clean(self) -> dict[str, Any]:
        """With the host of the address."""
        given: dict[str, Any] = super().clean() or {}
        given.setdefault("new_secret", False)
        url = given.get("url", "")
        if url:
            try:
                given["host"] = check_url(url)[0]
            except ValueError as error:
                self.add_error("url", translate_kept(str(error)))
        return given

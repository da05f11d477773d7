"""The form in which a token of the API is asked for."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    CHECKBOX_CLASSES,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from mobjects.accounts.rights import MANAGE_USERS, may_touch
from mobjects.accounts.tokens import SCOPE_WORDS, longest_days

MOST_NETWORKS = 50
USUAL_DAYS = 90


class TokenForm(forms.Form):
    """What a token is called, how long it is good, and what it may do from where.

    Args:
        maker: who asks; whoever manages users may make tokens of those who have no more rights.
    """

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("What uses it. The history says it with each change."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    username = forms.CharField(
        label=_("User"),
        required=False,
        max_length=150,
        help_text=_("Whose rights it has. Empty: yours."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    days = forms.IntegerField(label=_("Good for days"), min_value=1, widget=UnfoldAdminIntegerFieldWidget)
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        required=False,
        choices=lambda: list(SCOPE_WORDS.items()),
        help_text=_("Never more than the user may at that moment. Nothing ticked: all that the user may."),
        widget=forms.CheckboxSelectMultiple(attrs={"class": " ".join(CHECKBOX_CLASSES)}),
    )
    networks = forms.CharField(
        label=_("From where"),
        required=False,
        help_text=_("IP addresses or networks such as 192.0.2.0/24, one on each line. Empty: from anywhere."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def __init__(self, maker: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.maker, self.person = maker, maker
        days, longest = self.fields["days"], longest_days()
        days.initial = min(USUAL_DAYS, longest)
        days.validators.append(MaxValueValidator(longest))
        days.help_text = gettext("1 to %(longest)s.") % {"longest": longest}
        if not maker.has_perm(MANAGE_USERS):
            del self.fields["username"]

    def clean_username(self) -> str:
        """Whose it will be, kept as ``person``."""
        name: str = self.cleaned_data["username"].strip()
        if not name or name == self.maker.get_username():
            return name
        found = User.objects.filter(username=name.replace("\0", "")).first()
        if found is None or not (found.is_active and found.is_staff):
            raise ValidationError(
                gettext("There is no user “%(name)s” who may sign in. Write the name as the list of users has it.")
                % {"name": name}
            )
        if not may_touch(self.maker, found):
            raise ValidationError(
                gettext("“%(name)s” has rights that you lack, so you can make no token of theirs.") % {"name": name}
            )
        self.person = found
        return name

    def clean_networks(self) -> list[str]:
        """Each as a network."""
        found = []
        for line in self.cleaned_data["networks"].replace(",", "\n").split():
            try:
                found.append(str(ip_network(line)))
            except ValueError:
                raise ValidationError(
                    gettext(
                        "“%(line)s” is no IP address or network. Write it as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32."
                    )
                    % {"line": line[:60]}
                ) from None
        if len(found) > MOST_NETWORKS:
            raise ValidationError(gettext("More than %(most)s networks; name fewer.") % {"most": MOST_NETWORKS})
        return found

"""Tokens of the API: a person's own, and for whoever manages users all; making them and revoking them."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mobjects.accounts.rights import MANAGE_USERS, may_touch
from mobjects.accounts.tokens import make_token, revoke_token
from mobjects.forms.tokens import TokenForm
from mobjects.models import ApiToken
from mobjects.views.base import paginate_rows, press_only, render_page

PAGE = "mobjects:api-tokens"
PER_PAGE = 50


@require_http_methods(["GET", "POST"])
@reauthentication_required(allow_get=True)  # Whoever finds a browser open makes no key of it.
def tokens_page(request: HttpRequest) -> HttpResponse:
    """The tokens; on "Make", a new one, whose text is shown this once."""
    person, made, text = _signed_in(request), None, ""
    form = TokenForm(person, request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = form.cleaned_data
        made, text = make_token(
            form.person,
            given["name"],
            given["days"],
            by=person,
            scopes=given["scopes"],
            networks=given["networks"],
        )
        form = TokenForm(person)
    return render_page(
        request,
        "account/tokens.html",
        _("Your API tokens"),
        crumbs=((_("Your sign-in"), reverse("mobjects:sign-in")),),
        status=400 if form.errors else 200,
        form=form,
        made=made,
        text=text,
        manages=person.has_perm(MANAGE_USERS),
        tokens=paginate_rows(request, _visible_to(person), PER_PAGE),
        now=timezone.now(),
    )


@press_only(lambda pk: PAGE)
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a token be good for nothing any more."""
    person = _signed_in(request)
    token = get_object_or_404(_visible_to(person), pk=pk if pk < 2**63 else 0)
    if token.user_id != person.pk and not may_touch(person, token.user):
        raise PermissionDenied
    if revoke_token(token, person):
        messages.success(request, _("“%(token)s” was revoked.") % {"token": token})
    else:
        messages.info(request, _("“%(token)s” was revoked already.") % {"token": token})
    return redirect(PAGE)


def _visible_to(person: User) -> QuerySet[ApiToken]:
    found = ApiToken.objects.select_related("user").order_by("-pk")
    return found if person.has_perm(MANAGE_USERS) else found.filter(user=person)


def _signed_in(request: HttpRequest) -> User:
    """Who is asking; these pages are reached by nobody else."""
    if not isinstance(request.user, User):
        raise TypeError("the page was reached without signing in")
    return request.user

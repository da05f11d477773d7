"""Signing in: the password, then the code of who has a second factor."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.base.views import AuthenticateView
from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from mobjects.accounts import account_settings
from mobjects.accounts.names import PROVIDER_ID


class SignInView(LoginView):
    """The admin's login page; a right password leads on to what else is asked for."""

    template_name = "mobjects/account/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Who is signed in already has nothing to do here."""
        request.current_app = admin.site.name
        if request.method == "GET" and admin.site.has_permission(request):
            return redirect("admin:index")
        return super().dispatch(request, *args, **kwargs)

    def get_form_class(self) -> Any:
        """The form of the theme; it lets in staff only."""
        return admin.site.login_form

    def get_default_redirect_url(self) -> str:
        """The dashboard."""
        return reverse("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the theme's template shows."""
        own = {"title": _("Log in"), "app_path": self.request.get_full_path(), "next": self.get_redirect_url()}
        own |= {"provider": account_settings.provider_name(), "provider_id": PROVIDER_ID}
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request), **own}

    def form_valid(self, form: Any) -> HttpResponse:
        """On to the code, or in."""
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_success_url())
        return perform_password_login(self.request, {"username": user.get_username()}, login)  # type: ignore[no-any-return]


class SignInCodeView(AuthenticateView):
    """The code after the password, of the app or of the list for emergencies."""

    template_name = "mobjects/account/code.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the theme's frame shows."""
        self.request.current_app = admin.site.name
        return {**admin.site.each_context(self.request), "title": _("Your code"), **super().get_context_data(**kwargs)}

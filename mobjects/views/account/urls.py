"""Addresses of signing in, under the names by which django-allauth leads from one to the next."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from mobjects.views.account import login, provider, second_factor, sign_in

admin_view = admin.site.admin_view

urlpatterns = [
    path("login/", login.SignInView.as_view(), name="account_login"),
    path("login/oidc/<str:provider_id>/", provider.to_provider, name="openid_connect_login"),
    path("login/oidc/<str:provider_id>/callback/", provider.from_provider, name="openid_connect_callback"),
    path("login/code/", login.SignInCodeView.as_view(), name="mfa_authenticate"),
    path("sign-in/", admin_view(sign_in.sign_in_page), name="mfa_index"),
    path("sign-in/second-factor/", admin_view(second_factor.EnrolPage.as_view()), name="mfa_activate_totp"),
    path("sign-in/second-factor/remove/", admin_view(second_factor.RemovePage.as_view()), name="mfa_deactivate_totp"),
    path("sign-in/codes/", admin_view(second_factor.RecoveryCodesPage.as_view()), name="mfa_view_recovery_codes"),
    path("sign-in/codes/new/", admin_view(second_factor.NewCodesPage.as_view()), name="mfa_generate_recovery_codes"),
    path("sign-in/confirm/", admin_view(second_factor.ConfirmByPasswordPage.as_view()), name="account_reauthenticate"),
    path("sign-in/confirm/code/", admin_view(second_factor.ConfirmByCodePage.as_view()), name="mfa_reauthenticate"),
]

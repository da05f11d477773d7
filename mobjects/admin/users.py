"""Users and groups, in the look of the other pages. Users are deactivated, never deleted: history names them."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from mobjects.accounts import rights
from mobjects.accounts.lockout import lift_lock
from mobjects.accounts.second_factor import remove_factor
from mobjects.accounts.sessions import end_sessions

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(EmailAddress)  # The site sends no mail.
admin.site.unregister((SocialAccount, SocialApp, SocialToken))  # The provider is a setting; no token is kept.
admin.site.unregister(Authenticator)  # Each person has a page for it.
admin.site.unregister(UserSession)  # So has it; and the key of a session is all that it takes to be somebody.

_SUPERUSERS_ONLY = ("is_superuser", "user_permissions")
_PERMISSIONS = ("permissions", "user_permissions")


class RightsInWords(ModelAdmin):
    """A form that offers rights in the reader's language; Django keeps their names in English."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The choices, each right in words."""
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name in _PERMISSIONS:
            field.label_from_instance = describe_permission
        return field


def describe_permission(permission: Permission) -> str:
    """A right as forms offer it: the app, the sort of records, and what may be done."""
    kind, model = permission.content_type, permission.content_type.model_class()
    said = gettext(permission.name)
    if model is None:
        return f"{kind} | {said}"
    about = gettext(str(model._meta.verbose_name))
    action, _separator, of_model = permission.codename.partition("_")
    if action in _DEFAULT_RIGHTS and of_model == kind.model:
        said = gettext(_DEFAULT_RIGHTS[action]) % {"record": about}
    return f"{model._meta.app_config.verbose_name} | {about} | {said}"


_DEFAULT_RIGHTS = {
    "add": gettext_noop("Can add %(record)s"),
    "change": gettext_noop("Can change %(record)s"),
    "delete": gettext_noop("Can delete %(record)s"),
    "view": gettext_noop("Can view %(record)s"),
}
"""What Django names by itself, for each model."""


@admin.register(User)
class UserAdmin(DjangoUserAdmin, RightsInWords):  # type: ignore[type-arg]  # generic only in the stubs
    """People who may sign in. Who manages them gives only what they have, and leaves alone who has more."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    # Django's two boxes side by side are wider than the page beside the sidebar.
    filter_horizontal = ()
    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    actions = ("deactivate_users", "activate_users", "unlock_users", "remove_second_factors")

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever manages users sees all of them."""
        return super().has_view_permission(request, obj) or request.user.has_perm(rights.MANAGE_USERS)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The section is there for whoever sees users."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Django's own rights to add and change users would let their holder make a superuser: they give nothing."""
        return request.user.has_perm(rights.MANAGE_USERS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Of users with more rights only their page is shown."""
        return request.user.has_perm(rights.MANAGE_USERS) and (obj is None or rights.may_touch(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody: history names its people. They are deactivated instead."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Without what only superusers give."""
        fieldsets = super().get_fieldsets(request, obj)
        if getattr(request.user, "is_superuser", False):
            return fieldsets
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name not in _SUPERUSERS_ONLY]})
            for title, options in fieldsets
        ]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Groups are offered, and accepted, as far as they hold nothing more than who gives them."""
        if db_field.name == "groups":
            kwargs["queryset"] = rights.groups_to_give(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Nobody locks themselves out by a tick."""
        own = ("is_active", "is_staff", "is_superuser") if obj is not None and obj.pk == request.user.pk else ()
        return (*super().get_readonly_fields(request, obj), *own)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save; who was deactivated is signed out, so that none of their sessions comes back with them."""
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            end_sessions(obj)

    @admin.action(description=_("Deactivate: they can no longer sign in"), permissions=["change"])
    def deactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Lock users out and sign them out; who asks stays in."""
        changed = self._set_active(
            request, users.filter(is_active=True).exclude(username=request.user.get_username()), active=False
        )
        said = ngettext("%(count)s user was deactivated.", "%(count)s users were deactivated.", changed)
        self.message_user(request, said % {"count": changed})

    @admin.action(description=_("Activate: they can sign in again"), permissions=["change"])
    def activate_users(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Let users in again."""
        changed = self._set_active(request, users.filter(is_active=False), active=True)
        said = ngettext("%(count)s user was activated.", "%(count)s users were activated.", changed)
        self.message_user(request, said % {"count": changed})

    @admin.action(description=_("Lift the lock after failed sign-ins"), permissions=["change"])
    def unlock_users(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Let users try again who were locked out by name."""
        lifted = sum(lift_lock(user.username) > 0 for user in self._allowed(request, users))
        said = ngettext("The lock of %(count)s user was lifted.", "The locks of %(count)s users were lifted.", lifted)
        self.message_user(request, said % {"count": lifted})

    @admin.action(description=_("Remove the second factor, as for a lost telephone"), permissions=["change"])
    def remove_second_factors(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Let users sign in with their password alone, and sign them out."""
        allowed = self._allowed(request, users)
        removed = [user for user in allowed if remove_factor(user)]
        for user in removed:
            self.log_change(request, user, [{"changed": {"fields": ["second factor"]}}])
            end_sessions(user)
        said = ngettext(
            "The second factor of %(count)s user was removed.",
            "The second factors of %(count)s users were removed.",
            len(removed),
        )
        self.message_user(request, said % {"count": len(removed)})

    def _set_active(self, request: HttpRequest, users: QuerySet[User], *, active: bool) -> int:
        """Change those that may be changed; how many."""
        allowed = self._allowed(request, users)
        for user in allowed:
            user.is_active = active
            user.save(update_fields=["is_active"])
            self.log_change(
                request, user, [{"changed": {"fields": [str(user._meta.get_field("is_active").verbose_name)]}}]
            )
            if not active:
                end_sessions(user)
        return len(allowed)

    def _allowed(self, request: HttpRequest, users: QuerySet[User]) -> list[User]:
        """Those of the chosen users that may be changed; says how many may not."""
        chosen = list(users)
        allowed = [user for user in chosen if rights.may_touch(request.user, user)]
        if left := len(chosen) - len(allowed):
            said = ngettext(
                "%(count)s user has rights that you lack, and was left alone.",
                "%(count)s users have rights that you lack, and were left alone.",
                left,
            )
            self.message_user(request, said % {"count": left}, messages.WARNING)
        return allowed


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, RightsInWords):
    """What people may do; superusers only, because whoever changes groups gives rights."""

    filter_horizontal = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return bool(getattr(request.user, "is_superuser", False))

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Superusers only."""
        return bool(getattr(request.user, "is_superuser", False))

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Superusers only."""
        return bool(getattr(request.user, "is_superuser", False))

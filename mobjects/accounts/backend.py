"""Who is signed in and what they may do, in two statements for a page instead of four."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q


class AccountBackend(ModelBackend):
    """Django's own way of signing in. Users come with their settings; their permissions and those of their groups are
    read at once.
    """

    def get_user(self, user_id: int) -> User | None:
        """A user who is signed in, with the language and the zone that they chose.

        Args:
            user_id: from the session.

        Returns:
            ``None`` if there is no such user, or none who may sign in any more.
        """
        user = User.objects.select_related("person_settings").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """What a user may do, as ``app.codename``.

        Args:
            user_obj: of the request; what is found stays with it, as with Django's own backend.
            obj: permissions are for all objects, so there are none for one.
        """
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "_perm_cache"):
            found = Permission.objects.all() if user_obj.is_superuser else _permissions_of(user_obj)
            names = found.order_by().values_list("content_type__app_label", "codename")
            user_obj._perm_cache = {f"{app}.{codename}" for app, codename in names}
        kept: set[str] = user_obj._perm_cache
        return kept


def _permissions_of(user: User) -> Any:
    own = User.user_permissions.through.objects.filter(user=user).values("permission")
    of_groups = Group.permissions.through.objects.filter(group__user=user).values("permission")
    return Permission.objects.filter(Q(pk__in=own) | Q(pk__in=of_groups))

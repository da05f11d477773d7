"""What somebody who manages users may do: nothing that they could not do themselves."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User
from django.db.models import Q, QuerySet

MANAGE_USERS = "mobjects.manage_users"
Someone = AbstractBaseUser | AnonymousUser


def held_permissions(user: Someone) -> QuerySet[Permission]:
    """The permissions that a user holds or, while deactivated, would hold again; of a superuser those given by name."""
    return Permission.objects.filter(Q(user=user.pk) | Q(group__user=user.pk)).distinct()


def may_touch(manager: Someone, user: User) -> bool:
    """Whether somebody may change a user: whoever sets a password can sign in with it and do all that its user may.

    Args:
        manager: who wants to; that they may manage users at all was looked at before.
        user: whom they want to change.
    """
    if isinstance(manager, User) and manager.is_superuser:
        return True
    return not user.is_superuser and _not_held(manager, held_permissions(user)) == 0


def groups_to_give(manager: Someone) -> QuerySet[Group]:
    """The groups that somebody may put others into: those that hold nothing which they lack themselves."""
    if isinstance(manager, User) and manager.is_superuser:
        return Group.objects.all()
    beyond = Permission.objects.exclude(pk__in=held_permissions(manager))
    return Group.objects.exclude(permissions__in=beyond)


def _not_held(manager: Someone, permissions: QuerySet[Permission]) -> int:
    return permissions.exclude(pk__in=held_permissions(manager)).count()

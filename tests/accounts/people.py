"""What the tests of sign-in share: people with rights, and browsers."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission, User
from django.test import Client

PASSWORD = "correct horse battery"


def person(name: str, *rights: str, group: str = "", **values) -> User:
    """A member of staff with a password and rights by code name."""
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True, **values)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def browser_of(user: User, **headers) -> Client:
    """A browser in which somebody is signed in."""
    browser = Client(headers=headers or None)
    browser.force_login(user)
    return browser

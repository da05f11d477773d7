"""Who manages users can do nothing with it that they could not do before, and deletes nobody."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, User

from tests.accounts.people import PASSWORD, browser_of, person
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]
LIST, ADD = "/admin/auth/user/", "/admin/auth/user/add/"
NEW_PASSWORD = "nobody guesses this one"


@pytest.fixture
def manager():
    """May do what editors may, and manage users."""
    return browser_of(person("manager", "manage_users", group="editor"))


def page_of(user: User) -> str:
    return f"{LIST}{user.pk}/change/"


def form_of(user: User, **changes) -> dict[str, Any]:
    """What the page of a user sends, groups by name."""
    values: dict[str, Any] = {"username": user.username, "is_staff": "on", "is_active": "on", "groups": []}
    values |= {"last_login_0": "", "last_login_1": "", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    values |= changes
    groups = [Group.objects.get(name=name).pk for name in values.pop("groups")]
    return {name: value for name, value in values.items() if value is not None} | {"groups": groups}


def password_form():
    return {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}


def test_a_manager_adds_a_user_and_puts_them_into_a_group_of_no_more_rights(manager):
    manager.post(ADD, {"username": "new", **password_form()})
    user = User.objects.get(username="new")
    answer = manager.post(page_of(user), form_of(user, groups=["viewer", "editor"]))
    assert answer.status_code == 302, pages.text(answer)
    assert {group.name for group in user.groups.all()} == {"viewer", "editor"}
    assert user.check_password(NEW_PASSWORD)


def test_a_group_with_more_rights_is_neither_offered_nor_accepted(manager):
    user = person("new")
    assert "operator" not in pages.text(manager.get(page_of(user)))
    answer = manager.post(page_of(user), form_of(user, groups=["operator"]))
    assert answer.status_code == 200
    assert not user.groups.exists()


def test_a_manager_makes_no_superuser_and_gives_no_single_right(manager):
    user = person("new")
    shown = manager.get(page_of(user))
    assert not {"is_superuser", "user_permissions"} & set(shown.context["adminform"].form.fields)
    manager.post(page_of(user), form_of(user, is_superuser="on", user_permissions=["1"]))
    user.refresh_from_db()
    assert not user.is_superuser
    assert not user.user_permissions.exists()


@pytest.mark.parametrize(
    "strong",
    [
        {"is_superuser": True},
        {"is_superuser": True, "is_active": False},
        {"group": "operator"},
        {"group": "operator", "is_active": False},
    ],
)
def test_whoever_has_more_rights_is_left_alone(manager, strong):
    values = dict(strong)
    user = person("strong", group=values.pop("group", ""), **values)
    before = User.objects.filter(pk=user.pk).values().get()
    assert manager.post(page_of(user), form_of(user, username="mine")).status_code == 403
    assert manager.post(f"{LIST}{user.pk}/password/", password_form()).status_code == 403
    for action in ("deactivate_users", "activate_users"):
        answer = manager.post(LIST, {"action": action, "_selected_action": [user.pk]}, follow=True)
        if user.is_active == (action == "deactivate_users"):
            assert "1 user has rights that you lack, and was left alone." in pages.text(answer)
    assert User.objects.filter(pk=user.pk).values().get() == before
    assert manager.get(page_of(user)).status_code == 200  # to look at


def test_a_right_given_by_name_counts_too(manager):
    user = person("strong", "sync_records")
    assert manager.post(page_of(user), form_of(user, username="mine")).status_code == 403


def test_djangos_own_rights_to_change_users_and_groups_give_nothing():
    rights = [f"{action}_{model}" for action in ("add", "change", "delete", "view") for model in ("user", "group")]
    browser = browser_of(person("old", *rights))
    user = person("other")
    assert browser.post(ADD, {"username": "new", **password_form()}).status_code == 403
    assert browser.post(page_of(user), form_of(user, username="mine")).status_code == 403
    group = Group.objects.get(name="viewer")
    assert browser.post(f"/admin/auth/group/{group.pk}/change/", {"name": "mine"}).status_code == 403
    assert browser.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.post("/admin/auth/group/add/", {"name": "mine"}).status_code == 403


@pytest.mark.parametrize("superuser", [True, False])
def test_nobody_deletes_a_user(manager, superuser):
    browser = browser_of(person("root", is_superuser=True)) if superuser else manager
    user = person("other")
    assert browser.post(f"{LIST}{user.pk}/delete/", {"post": "yes"}).status_code == 403
    browser.post(LIST, {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"})
    assert User.objects.filter(pk=user.pk).exists()


def test_a_deactivated_user_is_signed_out_and_comes_back_with_no_old_session(manager):
    user = person("other", group="viewer")
    browser = browser_of(user)
    answer = manager.post(LIST, {"action": "deactivate_users", "_selected_action": [user.pk]}, follow=True)
    assert "1 user was deactivated." in pages.text(answer)
    assert browser.post("/admin/login/", {"username": "other", "password": PASSWORD}).status_code == 200
    assert not UserSession.objects.filter(user=user).exists()
    answer = manager.post(LIST, {"action": "activate_users", "_selected_action": [user.pk]}, follow=True)
    assert "1 user was activated." in pages.text(answer)
    assert browser.get("/admin/time-zone/").status_code == 302
    assert browser.post("/admin/login/", {"username": "other", "password": PASSWORD}).status_code == 302


def test_the_tick_on_the_page_signs_out_too(manager):
    user = person("other")
    browser = browser_of(user)
    manager.post(page_of(user), form_of(user, is_active=None))
    user.refresh_from_db()
    assert not user.is_active
    assert browser.get("/admin/time-zone/").status_code == 302
    assert not UserSession.objects.filter(user=user).exists()


def test_nobody_locks_themselves_out():
    root = person("root", is_superuser=True)
    browser = browser_of(root)
    browser.post(page_of(root), form_of(root, is_active=None, is_staff=None))
    browser.post(LIST, {"action": "deactivate_users", "_selected_action": [root.pk]})
    root.refresh_from_db()
    assert (root.is_active, root.is_staff, root.is_superuser) == (True, True, True)


def test_a_superuser_may_do_all_of_it():
    browser = browser_of(person("root", is_superuser=True))
    user = person("other")
    browser.post(page_of(user), form_of(user, is_superuser="on", groups=["operator"]))
    user.refresh_from_db()
    assert (user.is_superuser, user.groups.get().name) == (True, "operator")


def test_the_menu_shows_users_to_managers_only(manager):
    link = f'href="{LIST}"'
    assert link in pages.text(manager.get("/admin/time-zone/"))
    assert link not in pages.text(pages.client("operator").get("/admin/time-zone/"))

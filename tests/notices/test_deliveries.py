"""Notices arrive at a real mail server and a real webhook, once, whatever fails on the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from marketo_admin import settings as site_settings
from mobjects.jobs.lifecycle import end_job
from mobjects.models import (
    DeliveryState,
    Notice,
    NoticeDelivery,
    PersonSettings,
    SyncJob,
    SyncJobState,
    WebhookShape,
)
from mobjects.notices.channels.base import PassingError
from mobjects.notices.channels.cut_off import WHOLE_SECONDS
from mobjects.notices.channels.mail_backend import TimedEmailBackend
from mobjects.notices.channels.webhook import check_url, post, seal_text
from mobjects.notices.choices import save_choice
from mobjects.notices.deliveries import LEASE, NOTICE_WORK, WAITS, deliver_due, run_delivery, send_again
from mobjects.notices.wording import describe_notice
from tests import factories
from tests.support.concurrent import concurrently, postgresql
from tests.support.receivers import CUT, DRIP, DrippingMailServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "redis_url")]


def crash() -> None:
    job = factories.job_in(SyncJobState.RUNNING, counts={"CREATED": 4}, planned=7)
    end_job(job, SyncJobState.CRASHED, "crashed", "It <broke> & “fell”.")


def make_due() -> None:
    NoticeDelivery.objects.update(due_at=datetime.now(UTC) - timedelta(seconds=1))


def test_a_webhook_that_fails_twice_gets_it_at_the_third_try_signed(hook, receiver):
    _made, secret = hook()
    receiver.answers.extend([500, CUT])
    crash()
    delivery = NoticeDelivery.objects.get(channel="webhook")
    for number, words in enumerate(("Answered with status 500, which may pass.", "The connection failed"), start=1):
        run_delivery(delivery.pk)
        delivery.refresh_from_db()
        assert delivery.said.startswith(words)
        assert (delivery.state, delivery.tries) == (DeliveryState.WAITING, number)
        wait = delivery.due_at - delivery.step_at
        assert WAITS[number - 1] <= wait < WAITS[number - 1] + timedelta(seconds=30)
        run_delivery(delivery.pk)  # Not due: nothing happens.
        assert len(receiver.calls) == number
        make_due()
    run_delivery(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.said) == ("sent", 3, "Answered with status 200.")
    run_delivery(delivery.pk)
    assert len(receiver.calls) == 3
    for headers, body in receiver.calls:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{digest}"
        assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    assert {headers["webhook-id"] for headers, _body in receiver.calls} == {f"notice-{delivery.pk}"}
    sent = json.loads(receiver.calls[-1][1])
    assert sent["type"] == "notice.job_failed"
    assert sent["data"]["title"].startswith("Failed: Sync of 7 opportunities")
    assert "a-token" not in delivery.said


def test_the_title_of_a_job_names_the_zone_of_its_time_wherever_it_is_read(hook, receiver):
    for shape in WebhookShape.values:
        hook(shape=shape, name=shape)
    crash()
    at = f"{SyncJob.objects.get().created_at:%H:%M} UTC"
    for delivery in NoticeDelivery.objects.filter(channel="webhook").order_by("pk"):
        run_delivery(delivery.pk)
    said = [json.loads(body) for _headers, body in receiver.calls]
    title = said[0]["data"]["title"]
    assert title.endswith(f" {at}")
    assert said[1]["text"] == title
    assert said[2]["attachments"][0]["content"]["body"][0]["text"] == title
    with timezone.override("America/Sao_Paulo"):
        assert describe_notice(Notice.objects.get()).title.endswith(" UTC-03")


def test_slack_and_teams_get_the_shapes_that_they_show(hook, receiver):
    hook(name="Slack", shape="slack")
    hook(name="Teams", shape="teams")
    crash()
    deliver_due()
    slack, teams = (json.loads(body) for _headers, body in receiver.calls)
    assert slack["text"].startswith("Failed: Sync of 7 opportunities")
    assert [block["type"] for block in slack["blocks"]] == ["header", "section", "actions"]
    assert slack["blocks"][1]["text"]["type"] == "plain_text"
    (attachment,) = teams["attachments"]
    assert (teams["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["body"][0]["type"]) == ("AdaptiveCard", "TextBlock")
    assert card["actions"][0]["url"].startswith("http")


@pytest.mark.parametrize("answer", [404, 410, (302, {"Location": "http://127.0.0.1:9/"})])
def test_what_will_never_be_taken_is_not_tried_again(hook, receiver, answer):
    hook()
    receiver.answers.append(answer)
    crash()
    deliver_due()
    make_due()
    deliver_due()
    delivery = NoticeDelivery.objects.get(channel="webhook")
    assert (delivery.state, delivery.tries, len(receiver.calls)) == ("failed", 1, 1)


def test_the_other_side_says_when_to_come_again(hook, receiver):
    hook()
    receiver.answers.append((429, {"Retry-After": "900"}))
    crash()
    deliver_due()
    delivery = NoticeDelivery.objects.get(channel="webhook")
    assert timedelta(seconds=900) <= delivery.due_at - delivery.step_at < timedelta(seconds=930)


def test_after_the_last_try_it_has_failed_for_good_and_can_be_sent_again(hook, receiver):
    hook()
    receiver.answers.extend([503] * (len(WAITS) + 1))
    crash()
    for _ in range(len(WAITS) + 3):
        make_due()
        deliver_due()
    delivery = NoticeDelivery.objects.get(channel="webhook")
    assert (delivery.state, len(receiver.calls)) == ("failed", len(WAITS) + 1)
    assert send_again(delivery.pk)
    assert not send_again(delivery.pk)
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("sent", 1)


def test_a_private_network_is_reached_only_if_the_settings_name_it(hook, receiver, settings):
    hook()
    settings.NOTICES = {**settings.NOTICES, "INNER_HOSTS": []}
    made, _secret = hook(name="Local")
    made.sealed_url = seal_text(receiver.url.replace("http://", "https://"))
    made.save()
    crash()
    deliver_due()
    first, second = NoticeDelivery.objects.filter(channel="webhook").order_by("pk")
    assert first.said.startswith("The address should begin with https://")
    assert second.said.startswith("The host lies in a private network")
    assert receiver.calls == []


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://x/",
            "https://u:p@x/",
            "https://:p@x/",
            "https:///path",
            "http://example.com/",
            "https://x:y/",
            "https://example.com:99999/",
        ),
        *(
            "https://a..example/",
            "https://xn--/",
            "https://example.com/a b",
            f"https://{'a' * 64}.example/",
            "https://[::1",
        ),
    ],
)
def test_an_address_that_cannot_be_a_webhook_is_refused_without_being_repeated(url):
    with pytest.raises(ValueError, match="The address should") as caught:
        check_url(url)
    assert url not in str(caught.value)


def test_an_address_may_have_letters_beyond_ascii():
    assert check_url("https://예시.example/훅") == ("xn--vv4b11d.example", 443)


def test_an_answer_that_never_ends_counts_by_its_status(hook, receiver):
    hook()
    receiver.answers.append((200, {"Content-Length": "1000000"}))  # Of which nothing comes.
    crash()
    deliver_due()
    assert NoticeDelivery.objects.get(channel="webhook").state == "sent"


def test_an_answer_in_drops_is_cut_off_when_the_time_is_over(receiver):
    receiver.answers.append(DRIP)
    with pytest.raises(PassingError) as caught:
        post(receiver.url, b"{}", {}, seconds=0.3)
    assert caught.value.said == "No answer came within 0.3 s."
    assert receiver.drips_ended.wait(10)


@pytest.mark.parametrize("security", [{}, {"use_tls": True}, {"use_tls": False, "use_ssl": True}])
def test_a_mail_server_that_answers_in_drops_is_cut_off_when_the_time_is_over(security):
    drop = b"" if security.get("use_ssl") else b"220-Good morning\r\n"  # Silence, in which TLS would be begun.
    with DrippingMailServer(drop) as server:
        backend = TimedEmailBackend("127.0.0.1", server.port, seconds=0.3, **security)
        with pytest.raises(TimeoutError, match="longer than"):
            backend.send_messages([EmailMessage("Subject", "Body", to=["olga@example.com"])])
        assert not drop or server.drips_ended.wait(10)


def test_a_whole_try_is_over_before_its_lease():
    assert f"{TimedEmailBackend.__module__}.{TimedEmailBackend.__name__}" == site_settings.EMAIL_BACKEND
    assert LEASE.total_seconds() > 2 * WHOLE_SECONDS


def test_nothing_of_a_webhook_is_readable_in_the_database(hook, receiver):
    made, secret = hook()
    kept = f"{made.sealed_url} {made.sealed_secret}"
    assert "a-token" not in kept
    assert secret not in kept


def test_who_was_killed_while_delivering_is_followed_by_another(hook, receiver, work, queue):
    hook()
    crash()
    killed = datetime.now(UTC) - timedelta(seconds=121)
    # As a process leaves it that was killed after its claim.
    NoticeDelivery.objects.filter(channel="webhook").update(
        tries=1, step_at=killed, created_at=killed, leased_until=killed + timedelta(seconds=120)
    )
    queue.empty()
    NOTICE_WORK.sweep()
    work()
    delivery = NoticeDelivery.objects.get(channel="webhook")
    assert (delivery.state, delivery.tries, len(receiver.calls)) == ("sent", 2, 1)


def test_while_one_is_at_it_another_keeps_away(hook, receiver):
    hook()
    crash()
    NoticeDelivery.objects.update(leased_until=datetime.now(UTC) + timedelta(seconds=60))
    deliver_due()
    NOTICE_WORK.sweep()
    assert receiver.calls == []


@postgresql
@pytest.mark.django_db(transaction=True)
def test_two_hosts_send_it_once(hook, receiver):
    hook()
    crash()
    delivery = NoticeDelivery.objects.get(channel="webhook")
    with concurrently(lambda: run_delivery(delivery.pk), before='UPDATE "mobjects_noticedelivery"'):
        run_delivery(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, len(receiver.calls)) == ("sent", 1, 1)


def test_mail_arrives_in_the_language_of_its_reader(mail, work, django_capture_on_commit_callbacks):
    person = factories.user("op", group="operator")
    person.email = "op@example.com"
    person.save()
    PersonSettings.objects.create(user=person, language="ko", time_zone="Asia/Seoul")
    factories.user("quiet", group="operator")
    save_choice(person, [], ["job_failed"])
    with django_capture_on_commit_callbacks(execute=True):
        crash()
    work()
    (message,) = mail.messages
    assert message["To"] == "op@example.com"
    assert message["Subject"].strip().startswith("실패: ")
    assert message["Subject"].endswith(" KST")
    assert "/admin/mobjects/syncjob/" in message.get_content()
    assert NoticeDelivery.objects.get(channel="email", user=person).state == "sent"


@pytest.mark.parametrize(("answer", "state"), [("451 later", "waiting"), ("554 never", "failed")])
def test_what_a_mail_server_refuses_for_now_is_tried_again(mail, answer, state):
    person = factories.user("op", group="operator")
    person.email = "op@example.com"
    person.save()
    save_choice(person, [], ["job_failed"])
    mail.answer = answer
    crash()
    deliver_due()
    delivery = NoticeDelivery.objects.get(channel="email")
    assert delivery.state == state
    assert answer[:3] in delivery.said


def test_without_a_mail_server_no_mail_is_made(settings):
    settings.EMAIL_HOST = ""
    person = factories.user("op", group="operator")
    person.email = "op@example.com"
    person.save()
    save_choice(person, [], ["job_failed"])
    crash()
    assert not NoticeDelivery.objects.exists()

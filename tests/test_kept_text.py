"""Texts that the database keeps in English, in Korean."""

from __future__ import annotations

import pytest
from django.utils import translation

from mobjects.kept_text import translate_kept, translate_label, translate_rule
from mobjects.marketo.types import Kind
from mobjects.models import Conflict, SyncJob, SyncJobAction, SyncJobState, SyncResult
from mobjects.presentation import job_text


@pytest.fixture
def korean():
    with translation.override("ko"):
        yield


def test_in_english_they_stay_as_they_are():
    assert translate_kept("Marketo no longer had it.") == "Marketo no longer had it."


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("", ""),
        ("Marketo no longer had it.", "Marketo에 더 이상 없었습니다."),
        # A reason begins small and has no full stop; kept as a sentence it is the same reason.
        ("It is in a batch of another job right now.", "지금 다른 작업의 배치에 있습니다."),
        # With values in it.
        ("Half of batch 12, which was refused as a whole.", "통째로 거부된 배치 12의 절반입니다."),
        ("Not taken back: Stage, Amount.", "되돌리지 않음: Stage, Amount."),
        # One text of ours in another one.
        ("Switched off: the schedule names no kind of record", "꺼짐: 예약에 레코드 종류가 지정되지 않았습니다"),
        # Several sentences.
        (
            "Read before it is changed in Marketo. Its opportunity goes out first.",
            "Marketo에서 변경하기 전에 읽었습니다. 영업 기회를 먼저 전송합니다.",
        ),
        # A kind in a sentence, and a sentence in a reason.
        (
            "It was not sent: the Marketo instance has no field “CloseDat” for opportunities.",
            "전송되지 않았습니다: Marketo 인스턴스의 영업 기회에 필드 “CloseDat”이(가) 없습니다.",
        ),
        # A reason behind the name of what it is about.
        (
            "Record 3 of the batch (Program): amount of a cost: NaN is not a number.",
            "배치의 레코드 3(Program): 비용의 금액: NaN은(는) 숫자가 아닙니다.",
        ),
        (
            "MARKETO_USER_ID: character 4 is U+0000, which XML cannot carry.",
            "MARKETO_USER_ID: 4번째 문자가 XML로 보낼 수 없는 U+0000입니다.",
        ),
        # With what Marketo said, as groups of failures mask it.
        (
            "Marketo knows no such lead; correct the person. (Marketo: 20103 - Lead # not found)",
            "Marketo에 그런 리드가 없습니다. 사람을 고치세요. (Marketo: 20103 - Lead # not found)",
        ),
        # What is not ours.
        ("Lookup failed on row 7", "Lookup failed on row 7"),
    ],
)
def test_they_are_said_in_the_language_of_the_reader(kept, said):
    assert translate_kept(kept) == said


@pytest.mark.usefixtures("korean")
def test_a_reason_that_begins_with_a_name_is_said_as_a_sentence_too():
    reason = "Marketo denied access to such records; see Connection. A person lets sending them go on there"
    assert translate_kept(f"{reason}.") == f"{translate_kept(reason)}."
    assert translate_kept(reason) != reason


@pytest.mark.usefixtures("korean")
def test_a_job_is_told_in_korean_with_the_reason_that_was_kept_in_english():
    job = SyncJob(
        action=SyncJobAction.SEND,
        kind=Kind.PROGRAM.value,
        state=SyncJobState.CRASHED,
        problem_text="ValueError: the log has the details.",
    )
    assert job_text.describe_job(job) == "비정상 종료: ValueError: 자세한 내용은 로그에 있습니다."


@pytest.mark.usefixtures("korean")
def test_numbers_stand_where_korean_has_them():
    assert job_text.counts_text({"FAILED": 15, "CREATED": 1412}) == "실패 15개 · 생성됨 1,412개"


@pytest.mark.usefixtures("korean")
def test_a_rule_is_said_without_the_value_that_stands_for_itself():
    assert translate_rule("is not a whole number, for example 80.") == "값은(는) 정수가 아닙니다(예: 80)."


def test_a_rule_stays_as_it_is_in_english():
    assert translate_rule("is not a whole number, for example 80.") == "is not a whole number, for example 80."


@pytest.mark.usefixtures("korean")
def test_what_is_no_sentence_of_ours_stays_as_it_is():
    assert translate_rule("speaks in riddles") == "speaks in riddles"


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("Champion of person 19 in Big deal", "Big deal에서 사람 19의 Champion"),
        ("Champion of person a@b.c in Deal in Seoul", "Deal in Seoul에서 사람 a@b.c의 Champion"),
        # What is said of a role that has no name.
        ("Role of person 5 in Deal", "Deal에서 사람 5의 역할"),
        # Cut where the database ends a label.
        ("Champion of person 19", "Champion of person 19"),
    ],
)
def test_what_a_role_was_called_is_said_in_the_language_of_the_reader(kept, said):
    for kind in ("OpportunityPersonRole", "opportunitypersonrole", "roles"):
        assert translate_label(kept, kind) == said
    assert translate_label(kept, "Opportunity") == kept


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize("model", [SyncResult, Conflict])
def test_only_a_role_is_called_by_words_of_ours(model):
    label = "Offer of person 7 in Seoul"
    assert model(kind=Kind.OPPORTUNITY, label=label).shown_label == label
    assert model(kind=Kind.ROLE, label=label).shown_label == "Seoul에서 사람 7의 Offer"

"""What a file says about how it writes values, in words: the answer, the reason, and samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from mobjects.imports.formats.evidence import SAMPLES, Candidates, Evidence, FileFormats
from mobjects.imports.formats.questions import QUESTIONS, FormatQuestion
from mobjects.marketo.value_parsing import quote_value


def describe_formats(formats: FileFormats) -> list[dict[str, Any]]:
    """For each question that the file raised what was answered, as JSON.

    Returns:
        Objects with ``question`` (its name), ``answer`` (empty if there is none for the whole file), ``doubt`` (whether
        a person has to answer), ``reason`` (a sentence) and ``samples``: column, text, what it was read as (empty if
        it was not).
    """
    return [_describe(formats, question) for question in QUESTIONS if _was_raised(formats, question)]


def kept_findings(findings: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The answers that a check came to, by question: those that hold for the whole file.

    Args:
        findings: of :func:`describe_formats`.
    """
    return {found["question"]: found["answer"] for found in findings if found["answer"] and not found["doubt"]}


def _was_raised(formats: FileFormats, question: FormatQuestion) -> bool:
    columns = formats.evidence[question.name].values()
    return bool(columns) and (question.name in formats.chosen or any(each.samples or each.doubts for each in columns))


def _of_all(formats: FileFormats, question: FormatQuestion) -> Candidates:
    columns = formats.evidence[question.name]
    found = [formats.find_candidates(question.name, name) for name in columns]
    return frozenset.intersection(*found) if found else frozenset()


def _describe(formats: FileFormats, question: FormatQuestion) -> dict[str, Any]:
    candidates = _of_all(formats, question)
    columns = formats.evidence[question.name]
    doubtful = [
        (name, each)
        for name, each in columns.items()
        if not (used := formats.find_candidates(question.name, name)) or each.is_doubtful(used)
    ]
    return {
        "question": question.name,
        "answer": next(iter(candidates)) if len(candidates) == 1 else "",
        "doubt": bool(doubtful),
        "reason": _reason(formats, question, candidates, doubtful),
        "samples": list(_samples(formats, question))[:SAMPLES],
    }


def _reason(
    formats: FileFormats, question: FormatQuestion, candidates: Candidates, doubtful: list[tuple[str, Evidence]]
) -> str:
    columns = formats.evidence[question.name]
    if question.name in formats.chosen:
        return _("It was chosen for this file.")
    if doubtful:
        return _doubt(question, *doubtful[0])
    if len(candidates) == 1:
        deciding = [(name, each) for name, each in columns.items() if each.possible == candidates]
        if deciding:
            name, each = deciding[0]
            texts = list(dict.fromkeys(each.excluded.values()))
            return _("In %(name)s, %(values)s can be read in no other way.") % {
                "name": name,
                "values": _list_texts(texts),
            }
        if len(frozenset.intersection(*(each.possible for each in columns.values()))) > 1:
            return _("The last file with these headers was read so.")
        return _("All columns together can be read in no other way.")
    return (
        _("Every value means the same either way.") if candidates else _("The columns differ; each is read by its own.")
    )


def _doubt(question: FormatQuestion, name: str, evidence: Evidence) -> str:
    if not evidence.possible:
        texts = list(dict.fromkeys(evidence.excluded.values()))
        return _("In %(name)s, %(values)s contradict each other.") % {"name": name, "values": _list_texts(texts)}
    text, readings = next(iter(evidence.doubts.items()))
    if question.name == "probability":
        return _("%(name)s has no value above 1. These look like fractions: %(text)s → %(reading)s?") % {
            "name": name,
            "text": text,
            "reading": readings["fraction"],
        }
    meanings = " or ".join(dict.fromkeys(_shown(each) for each in readings.values()))
    return _("In %(name)s, %(value)s may be %(meanings)s, and nothing in the file tells.") % {
        "name": name,
        "value": quote_value(text),
        "meanings": meanings,
    }


def _list_texts(texts: list[str]) -> str:
    return " and ".join(quote_value(text) for text in texts[:2])


def _shown(reading: str) -> str:
    return {"true": "yes", "false": "no"}.get(reading, reading)


def _samples(formats: FileFormats, question: FormatQuestion) -> Iterator[list[str]]:
    for name, evidence in formats.evidence[question.name].items():
        candidates = formats.find_candidates(question.name, name)
        for text, readings in [*evidence.doubts.items(), *evidence.samples.items()]:
            found = {readings[answer] for answer in candidates if answer in readings}
            yield [name, text, _shown(found.pop()) if len(found) == 1 else ""]

"""Departments by their names, and what they say, in the reader's language."""
from collections.abc import Mapping
from typing import Any

from flask import g

from web.context import reference, say
from workflow import procedures
from workflow.vocabulary import N_, Message

VERDICTS = {"agree": N_("Agrees"), "object": N_("Objects"), "abstain": N_("Abstains"),
            "recused": N_("Recuses itself")}


def departments() -> dict[str, Message]:
    """Department key -> its name in both languages, read once per request."""
    if "departments" not in g:
        g.departments = {str(row["key"]): Message(str(row["en"]), {}, str(row.get("short") or row["zh"]))
                         for row in reference().catalogue("departments")}
    return dict(g.departments)


def department_name(key: str) -> str:
    found = departments().get(key)
    return say(found) if found else key


def with_names(message: Message | None) -> Message | None:
    """A reason whose values name departments or licences by key, with their names instead, in clauses within clauses
    as well."""
    if message is None:
        return None
    values: dict[str, Any] = {
        name: with_names(value) if isinstance(value, Message) else value for name, value in message.values.items()}
    if "departments" in values:
        values["departments"] = [departments().get(d, d) for d in values["departments"] or ()]
    if "licences" in values:
        values["licences"] = [licence_name(name) for name in values["licences"] or ()]
    if isinstance(values.get("licence"), str):
        values["licence"] = licence_name(values["licence"])
    return Message(message.text, values, message.zh)


def licence_name(name: str) -> Message | str:
    """What a licence is called: the title of its procedure."""
    known = name in {procedure.name for procedure in procedures.every()}
    return procedures.latest(name).spec.title.message() if known else name


def round_words(payload: Mapping[str, Any]) -> list[str]:
    """What an entry of the history says of the round that it opened: who stands, who is asked again and why."""
    if "stand" not in payload:
        return []
    by_round: dict[int, list[str]] = {}
    for department, number in payload["stand"].items():
        by_round.setdefault(number, []).append(department_name(department))
    words = [Message(N_("Round %(round)s of the sign-off begins."), {"round": payload["round"]})]
    words += [Message(N_("Stands from round %(round)s: %(names)s."), {"round": number, "names": names})
              for number, names in sorted(by_round.items())]
    words += [Message(N_("%(name)s is asked again, because this was changed: %(subjects)s."), {
        "name": department_name(department), "subjects": [subject_words(s) for s in subjects]})
        for department, subjects in payload["changed"].items() if subjects]
    again = [department_name(d) for d in payload["again"]]
    again += [department_name(d) for d, subjects in payload["changed"].items() if not subjects]
    if again:
        words.append(Message(N_("Asked again: %(names)s."), {"names": again}))
    return [say(each) for each in words]


SUBJECTS = {
    "application_types": N_("Application type"), "agency_address": N_("address of the agency"), "sites": N_("Sites"),
    "mandatory_standards": N_("mandatory standards"), "review_conclusion": N_("Conclusion of the review"),
    "asked_about": N_("capability rows that concern it")}


def subject_words(subject: str) -> Message | str:
    """What a subject of an answer is called."""
    fact = subject.partition(".")[0]
    return Message(SUBJECTS[fact]) if fact in SUBJECTS else subject

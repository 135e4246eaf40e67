"""Telling people by mail: the agency about its case, and whoever got something to do.

A mail is recorded after the mail server has taken it, so a crash in between sends it a second time under the
same Message-ID; the other order could lose it, and a lost correction notice costs the applicant a legal limit.
"""

import hashlib
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from configuration import Settings
from jobs.documents import UNITS
from jobs.workshop import Bench, CannotBeDone, Done
from store.case_documents import Addressee, NoticeFacts
from store.jobs import Job
from store.sentences import spoken
from workflow.notes import WORDS
from workflow.stories import spoken as in_words
from workflow.vocabulary import N_, Message

# Whoever is concerned by their office gets one of two: duty.txt for something to do, told.txt for something to know.
TEMPLATES = Path(__file__).parent.parent / "templates/mail"
LANGUAGES = ("zh_Hans_CN", "en")
SECONDS = 30  # for one answer of the mail server
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'=/-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")

# Mail is plain text: escaping would put &amp; into names. No value can reach a header but the subject, see below.
_templates = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=False,  # noqa: S701
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


class ImpossibleAddress(ValueError):
    """No mail server could deliver to this."""


def notify(bench: Bench, job: Job) -> Done:
    """Send the notice of a step to everybody concerned, each once."""
    workshop = bench.workshop
    settings = workshop.settings
    if not settings.smtp_url.get_secret_value():
        return Done(N_("No mail server is configured: nothing was sent."))
    if job.case_id is None:
        raise CannotBeDone(N_("The job names no case."))
    facts = workshop.documents.notice(job.case_id, job.created_at, job.payload)
    if facts is None:
        raise CannotBeDone(N_("The case is not there."))
    already = workshop.queue.mailed(job.id)
    waiting = [one for one in facts.addressees if one.email.lower() not in already]
    if not waiting:
        return Done(
            N_("Everybody has been told.") if already else N_("Nobody concerned has an e-mail address.")
        )
    refused = []
    with mail_server(settings) as send:
        for one in waiting:
            try:
                message = compose(facts, one, job.payload, job.id, settings)
                send(message)
            except (smtplib.SMTPRecipientsRefused, ImpossibleAddress) as error:
                if _may_pass(error):
                    raise
                refused.append(one.email)
                continue
            workshop.queue.record_mail(job.id, one.email.lower(), str(message["Subject"]))
    return Done(f"The mail server refused: {', '.join(refused)}" if refused else "")


def _may_pass(error: Exception) -> bool:
    """Whether a refusal is a 4xx, to be tried again later; a 5xx or an impossible address is not."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return False
    return any(code < 500 for code, _ in error.recipients.values())


def compose(
    facts: NoticeFacts, one: Addressee, payload: Mapping[str, Any], job_id: str, settings: Settings
) -> EmailMessage:
    """One mail in the reader's language. Raises ImpossibleAddress."""
    notice = str(payload["notice"])
    if not _ADDRESS.fullmatch(one.email):
        raise ImpossibleAddress(one.email)
    language = one.language if one.language in LANGUAGES else LANGUAGES[0]
    template = _templates.get_template(f"{language}/{notice if one.why == 'applicant' else one.why}.txt")
    chinese = language == LANGUAGES[0]
    state, title = facts.procedure.states[facts.state].label, facts.procedure.spec.title
    text = template.render(
        name=one.name,
        agency=facts.agency_name,
        number=facts.number or facts.public_id,
        subject=facts.subject,
        procedure=title.zh if chinese else title.en,
        state=state.zh if chinese else state.en,
        due_on=facts.due_on.isoformat() if facts.due_on else None,
        what=_what(facts, payload, chinese),
        limits=_limits(facts, payload, chinese),
        leaver=str(payload.get("leaver", "")),
        reason=str(payload.get("reason", "")),
        changes=[_sentence(said, chinese) for said in payload.get("changes", ())],
        extension=_extension(facts, chinese),
        bureau=facts.bureau_name or settings.bureau_name,
        url=f"{settings.origin}/cases/{facts.public_id}",
    )
    first, _, body = text.partition("\n")
    message = EmailMessage()
    message["Subject"] = one_line(first.removeprefix("Subject:"))
    message["From"] = Address(
        one_line(facts.bureau_name or settings.bureau_name), addr_spec=settings.mail_from
    )
    message["To"] = Address(addr_spec=one.email)
    mark = hashlib.sha256(f"{job_id}:{one.email.lower()}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{mark}@{settings.mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.strip() + "\n")
    return message


def _what(facts: NoticeFacts, payload: Mapping[str, Any], chinese: bool) -> str:
    """What was done, in words: those of a note of the system or of the action."""
    name = str(payload.get("action", ""))
    action = facts.procedure.by_name.get(name)
    words = action.spec.done if action else WORDS.get(name)
    return "" if words is None else words.zh if chinese else words.en


def _sentence(said: Any, chinese: bool) -> str:
    """A sentence kept in both languages, its lists in the reader's way."""
    message = spoken(said)
    mark, language = ("、", "zh") if chinese else (", ", "en")
    values = {
        name: mark.join(in_words(each, language) for each in value) if isinstance(value, list) else value
        for name, value in message.values.items()
    }
    return in_words(Message(message.text, values, message.zh), language)


def _limits(facts: NoticeFacts, payload: Mapping[str, Any], chinese: bool) -> list[dict[str, str]]:
    """The limits that a note is about: name, due day and, where it has moved, the day before."""
    found = []
    for limit in payload.get("limits", ()):
        label = facts.procedure.spec.clocks[limit["clock"]].label
        name = label.zh if chinese else label.en
        found.append({"name": name, "due_on": limit.get("due_on") or "—", "was": limit.get("was") or ""})
    return found


def _extension(facts: NoticeFacts, chinese: bool) -> dict[str, str]:
    """The last extension of a limit: which, until when, on which article and why; empty when there is none."""
    found = [(e.granted_on, clock, e) for clock in facts.clocks for e in clock.extensions]
    if not found:
        return {}
    _, clock, extension = max(found, key=lambda each: each[0])
    label = facts.procedure.spec.clocks[clock.name].label
    unit = UNITS[extension.allowance.unit] if chinese else extension.allowance.unit.value.replace("_", " ")
    return {
        "name": label.zh if chinese else label.en,
        "amount": f"{extension.allowance.amount} {unit}",
        "article": extension.allowance.article,
        "reason": extension.reason,
        "due_on": clock.due_on.isoformat() if clock.due_on else "—",
    }


def one_line(text: str) -> str:
    """Text for a header: control characters and line breaks are blanks, so no further header can begin."""
    return " ".join(_CONTROLS.sub(" ", text).split())[:200].rstrip()


@contextmanager
def mail_server(settings: Settings) -> Iterator[Callable[[EmailMessage], object]]:
    """A connection to the server that `smtp_url` names: smtp://, smtps:// or smtp+starttls://, with a login or none."""
    url = urlsplit(settings.smtp_url.get_secret_value())
    host, secure = url.hostname or "", ssl.create_default_context()
    if url.scheme == "smtps":
        client: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=SECONDS, context=secure)
    else:
        client = smtplib.SMTP(host, url.port or (587 if "starttls" in url.scheme else 25), timeout=SECONDS)
    with client:
        if "starttls" in url.scheme:
            client.starttls(context=secure)
        if url.username:
            client.login(unquote(url.username), unquote(url.password or ""))
        yield client.send_message

"""Written notices and decisions of a case as PDF, one per step that names them, each from the step's own facts.

The sentences stand in `templates/pdf/notices/`; what is composed here are only the values that go into them.
"""

from collections.abc import Callable
from datetime import datetime

from jobs.rendering import why_unprintable
from jobs.workshop import Bench, CannotBeDone, Done
from pdf.faces import MissingGlyph
from pdf.values import InvalidValue, Notice, NoticeItem, NoticeKind
from store.case_documents import WrittenFacts
from store.database import BUREAU_ZONE
from store.jobs import Job
from workflow.deadlines import Allowance, Clock, NoAllowance, Unit, in_force
from workflow.vocabulary import N_

UNITS = {
    Unit.WORKING_DAYS: "个工作日",
    Unit.CALENDAR_DAYS: "日",
    Unit.MONTHS: "个月",
    Unit.YEARS: "年",
}
PURPOSES = {"table": "申请表格", "material": "申请材料", "rectification": "整改材料"}


def render_document(bench: Bench, job: Job) -> Done:
    """Render one notice of a case and enter it in the register, once per case, kind and version."""
    kind, version = str(job.payload["document"]), int(job.payload["version"])
    documents = bench.workshop.documents
    if job.case_id is None or kind not in COMPOSED:
        raise CannotBeDone(f"There is no document called {kind}.")
    if documents.has(job.case_id, kind, version):
        return Done(N_("It was rendered before."))
    facts = documents.facts(job.case_id, version)
    if facts is None:
        raise CannotBeDone(N_("The case has no step of that version."))
    allowances = bench.workshop.cases.laws.current().allowances
    try:
        rendered = bench.renderer.notice(COMPOSED[kind](facts, allowances))
    except (MissingGlyph, InvalidValue) as error:
        raise CannotBeDone(why_unprintable(error)) from error
    bench.workshop.files.put(rendered.pdf)
    documents.put(job.case_id, kind, version, sha256=rendered.sha256, size=len(rendered.pdf))
    return Done()


Composer = Callable[[WrittenFacts, tuple[Allowance, ...]], Notice]


def receipt(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    """What was received, and until when it is answered."""
    clock = facts.clock("commitment_formal_check", "acceptance")
    items = tuple(
        NoticeItem(name, PURPOSES.get(purpose.partition(":")[0], purpose), f"SHA-256 {sha256[:16]}…")
        for purpose, name, sha256 in facts.uploads
    )
    due_on = clock.due_on if clock else None
    return _notice(NoticeKind.RECEIPT, facts, items=items, due_on=due_on, allowance=_limit("答复期限", clock))


def acceptance(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    """The application is accepted; the applicant is told in writing how long the review takes (Order 163 art. 11)."""
    decision, review = facts.clock("commitment_decision"), facts.clock("review")
    return _notice(
        NoticeKind.ACCEPTANCE,
        facts,
        due_on=decision.due_on if decision else None,
        allowance=_limit("决定期限", decision) or _limit("技术评审期限", review),
    )


def correction(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    items = tuple(
        NoticeItem(str(i["subject"]), str(i["reason"]), str(i["basis"])) for i in facts.command["items"]
    )
    return _notice(NoticeKind.CORRECTION, facts, items=items)


def rectification(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    """What the review or the verification found wanting, and until when it is put right."""
    clock = facts.clock("rectification")
    return _notice(
        NoticeKind.RECTIFICATION,
        facts,
        items=tuple(NoticeItem(line, found) for line, found in facts.failed_findings),
        reasons=tuple(text for text in (str(facts.command.get("grounds") or ""),) if text),
        due_on=clock.due_on if clock else None,
        allowance=_limit("整改期限", clock),
    )


def extension(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    """More time for the decision: the reasons are told to the applicant (Licensing Law art. 42), and who approved."""
    reason = str(facts.command.get("grounds") or "")
    found = [(c, e) for c in facts.clocks for e in c.extensions if e.reason == reason]
    if not found:
        raise CannotBeDone(N_("No limit of this case was extended for that reason."))
    clock, granted = found[-1]
    label = facts.procedure.spec.clocks[clock.name].label.zh
    approved = " ".join(str(facts.command.get(k) or "") for k in ("approved_by", "approval_number")).strip()
    return _notice(
        NoticeKind.EXTENSION,
        facts,
        reasons=(reason,),
        facts=(
            ("延长的期限", label),
            ("延长", f"{granted.allowance.amount}{UNITS[granted.allowance.unit]}"),
            ("批准", approved or "本机关负责人"),
        ),
        basis=(granted.allowance.article,),
        due_on=clock.due_on,
    )


def refusal_to_accept(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    return _refusal(NoticeKind.REFUSAL_TO_ACCEPT, facts)


def refusal(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    return _refusal(NoticeKind.REFUSAL, facts)


def grant(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    """The grant, with the rows that were not confirmed and what can be done about them."""
    items = [NoticeItem(row, reason) for row, reason in facts.refused_rows]
    if facts.refused_total > len(items):
        items.append(
            NoticeItem(f"其余 {facts.refused_total - len(items)} 项", "详见网上办理系统中的逐项结论")
        )
    delivery = facts.clock("delivery", "commitment_delivery")
    told = (
        ("证书编号", str(facts.facts.get("certificate_number") or "")),
        ("批准的检验检测能力", f"{facts.facts['rows_confirmed'] or 0} 项" if "rows_confirmed" in facts.facts else ""),
    )
    return _notice(
        NoticeKind.GRANT,
        facts,
        facts=tuple(pair for pair in told if pair[1]),
        reasons=tuple(text for text in (str(facts.command.get("grounds") or ""),) if text),
        items=tuple(items),
        remedies=_remedies(facts, allowances) if items else (),
        due_on=delivery.due_on if delivery else None,
        allowance=_limit("制证送达期限", delivery),
    )


def commitment_letter(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    """The notice as it was shown and the commitment as it was signed, in the version that the case keeps."""
    version = facts.notice
    if version is None:
        raise CannotBeDone(N_("The version of the notice that was signed is not among the reference data."))
    return _notice(
        NoticeKind.COMMITMENT,
        facts,
        notified=tuple(NoticeItem(*_headed(str(part["zh"]))) for part in version["notified"]),
        committed=tuple(str(part["zh"]) for part in version["committed"]),
        version=str(version["version"]),
        text_sha256=str(facts.command.get("text_sha256") or facts.facts.get("commitment_text_sha256") or ""),
        signed_by=str(facts.command.get("signer") or facts.facts.get("commitment_signer") or ""),
        signed_at=_moment(facts.signed_at) if facts.signed_at else "",
    )


def annulment(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> Notice:
    """A certificate, or rows of it, annulled: what, on which grounds and basis, and the remedies."""
    rows = facts.command.get("rows") or ()
    scope = "整个证书" if facts.command.get("whole") else f"证书附表中的 {len(rows)} 项检验检测能力"
    items = () if facts.command.get("whole") else (NoticeItem("附表序号", "、".join(str(r) for r in rows)),)
    return _notice(
        NoticeKind.ANNULMENT,
        facts,
        facts=(("证书编号", str(facts.facts.get("certificate_number") or "")), ("撤销范围", scope)),
        reasons=(str(facts.command["grounds"]),),
        basis=(str(facts.command["basis"]),),
        items=items,
        remedies=_remedies(facts, allowances),
    )


COMPOSED: dict[str, Composer] = {
    "receipt": receipt,
    "acceptance_notice": acceptance,
    "correction_notice": correction,
    "rectification_order": rectification,
    "refusal_to_accept": refusal_to_accept,
    "refusal_decision": refusal,
    "grant_decision": grant,
    "commitment_letter": commitment_letter,
    "annulment_decision": annulment,
    "extension_notice": extension,
}


def _notice(kind: NoticeKind, written: WrittenFacts, **parts: object) -> Notice:
    case_number = written.number or written.public_id
    title = written.procedure.spec.title.zh
    contact = "，".join(str(written.bureau[k]) for k in ("address", "phone") if written.bureau.get(k))
    return Notice(
        kind=kind,
        document_number="",  # the numbering of a bureau's papers is its own; none is invented
        addressee=written.agency_name,
        authority_name=str(written.bureau.get("name") or ""),
        issued_on=written.on,
        case_number=case_number,
        matter=f"{title}（{'、'.join(written.type_names)}）" if written.type_names else title,
        contact=contact,
        **parts,  # type: ignore[arg-type]  # each composer names fields of Notice, checked when it is made
    )


def _refusal(kind: NoticeKind, facts: WrittenFacts) -> Notice:
    command = facts.command
    return _notice(
        kind,
        facts,
        reasons=tuple(str(r) for r in command["reasons"]),
        basis=(str(command["basis"]),),
        remedies=(str(command["remedy"]),),
    )


def _limit(name: str, clock: Clock | None) -> str:
    """A time limit in words, with its article, from the allowance that the case keeps."""
    if clock is None:
        return ""
    return f"{name}：{clock.allowance.amount}{UNITS[clock.allowance.unit]}（{clock.allowance.article}）。"


def _remedies(facts: WrittenFacts, allowances: tuple[Allowance, ...]) -> tuple[str, ...]:
    """Reconsideration and lawsuit with the limits in force on that day, from the dated table."""
    told = []
    for name, words in (("reconsideration", "申请行政复议"), ("lawsuit", "向人民法院提起行政诉讼")):
        try:
            limit = in_force(allowances, name, facts.on)
        except NoAllowance:
            continue
        told.append(
            f"对本决定不服的，可以自知道本决定之日起{limit.amount}{UNITS[limit.unit]}内{words}（{limit.article}）。"
        )
    return tuple(told)


def _headed(text: str) -> tuple[str, str]:
    """ "审批依据。本事项依据……" as its heading and the rest."""
    heading, _, rest = text.partition("。")
    return (heading, rest) if rest and len(heading) <= 30 else ("", text)


def _moment(at: datetime) -> str:
    return at.astimezone(BUREAU_ZONE).strftime("%Y-%m-%d %H:%M:%S")

"""The page that shows every component with sample values, so that a screen is made from parts already seen."""
from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace as Sample
from typing import Any

from flask import Blueprint, Flask, render_template
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired

from web import faces
from workflow.vocabulary import Message

bp = Blueprint("design", __name__, url_prefix="/design")


def register(app: Flask) -> None:
    """The page, and with it the template vocabulary of the look (``web.faces``)."""
    faces.register(app)
    app.register_blueprint(bp)


class SampleForm(FlaskForm):  # type: ignore[misc]
    """One field of each kind; the credit code is refused so that an error can be seen."""

    name = StringField(_l("Name of the agency"), [InputRequired()], default="云岭检测技术有限公司")
    credit_code = StringField(_l("Unified social credit code"), [InputRequired()], default="91530100MA6K0000X1")
    division = SelectField(_l("Administrative division"), choices=[
        SelectChoice("", _l("Please choose")), SelectChoice("530102", "五华区"), SelectChoice("530103", "盘龙区"),
    ], default="530102")
    track = RadioField(_l("Track"), choices=[
        SelectChoice("general", _l("General procedure")), SelectChoice("commitment", _l("Commitment procedure")),
    ], default="general")
    visit_on = DateField(_l("Preferred day of the visit"), default=date(2026, 3, 4))
    opinion = TextAreaField(_l("Opinion"), default="")
    agreed = BooleanField(_l("I have read the notice and confirm that what I state is true."))
    table = FileField(_l("Capability table (annex table 1)"))


def _clock(standing: str, days_left: int | None, due_on: date | None, provisional: bool = False) -> Sample:
    return Sample(standing=standing, days_left=days_left, due_on=due_on, provisional=provisional)


def _line(since: date, until: date, why: str, counted: int, total: int, note: str = "") -> Sample:
    return Sample(since=since, until=until, why=why, counted=counted, total=total, note=note, settled=True)


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)


def _action(name: str, label: Any, tone: str = "neutral") -> Sample:
    return Sample(name=name, label=label, spec=Sample(tone=tone))


def samples() -> dict[str, Any]:
    """Everything the page shows; invented, and the same on every day."""
    near = _clock("near", 2, date(2026, 2, 12))
    clocks = [_clock("overdue", -3, date(2026, 2, 5)), _clock("due_today", 0, date(2026, 2, 10)),
              _clock("near", 1, date(2026, 2, 11)), near, _clock("running", 5, date(2026, 2, 24)),
              _clock("running", 28, date(2026, 3, 27)), _clock("resting", 6, None),
              _clock("running", 9, date(2027, 1, 13), provisional=True), _clock("met", None, date(2026, 2, 3)),
              _clock("missed", None, date(2026, 2, 3)), _clock("dropped", None, None)]
    return {
        "form": _refused_form(), "clocks": clocks,
        "states": [(_l("Draft"), "neutral"), (_l("In hand"), "active"), (_l("Waiting for departments"), "waiting"),
                   (_l("Granted"), "good"), (_l("Correction requested"), "attention"), (_l("Refused"), "bad"),
                   (_l("Clock resting"), "resting"), (_l("Closed"), "closed")],
        "queue": [
            Sample(number="2026-0214", agency="云岭检测技术有限公司", kind=_l("First application"), rows=5059,
                   state=(_l("Submitted"), "active"), clock=clocks[0]),
            Sample(number="2026-0231", agency="滇南食品质量检验中心", kind=_l("Extension"), rows=128,
                   state=(_l("Submitted"), "active"), clock=clocks[1]),
            Sample(number="2026-0240", agency="红河建筑材料检验有限责任公司", kind=_l("Renewal"), rows=864,
                   state=(_l("Correction requested"), "attention"), clock=clocks[6]),
            Sample(number="2026-0252", agency="洱海生态环境监测站", kind=_l("Site change"), rows=20075,
                   state=(_l("Submitted"), "active"), clock=near)],
        "offers": [
            Sample(action=_action("accept", _l("Accept"), "primary"), unmet=None),
            Sample(action=_action("request_correction", _l("Request correction")), unmet=None),
            Sample(action=_action("refuse_to_accept", _l("Refuse to accept"), "danger"), unmet=None),
            Sample(action=_action("grant", _l("Grant")),
                   unmet=Message("Waiting for %(departments)s.", {"departments": ["生态环境厅", "公安厅"]},
                                 "等待%(departments)s答复。"))],
        "lines": [_line(date(2026, 2, 10), date(2026, 2, 10), "event_day", 0, 0),
                  _line(date(2026, 2, 11), date(2026, 2, 13), "working", 3, 3),
                  _line(date(2026, 2, 14), date(2026, 2, 14), "make_up", 1, 4),
                  _line(date(2026, 2, 15), date(2026, 2, 23), "holiday", 0, 4, "春节"),
                  _line(date(2026, 2, 24), date(2026, 2, 24), "working", 1, 5)],
        "address": lambda name: f"#{name}",
        "due_on": date(2026, 2, 24),
        "entries": [
            Sample(at=_at(9, 6, 12), text=_l("Correction requested"), actor="李敏", tone="attention",
                   said="附表2 第 17 行缺少授权签字人的职称证明。"),
            Sample(at=_at(6, 1, 40), text=_l("Received"), actor="受理窗口", tone="good"),
            Sample(at=_at(6, 1, 38), text=_l("Submitted"), actor="云岭检测技术有限公司", tone="active")],
        "steps": [
            Sample(label=_l("Submitted"), state="done", at=_at(6, 1, 38)),
            Sample(label=_l("Acceptance check"), state="current", who="受理窗口", clock=near,
                   note=_l("You will be told here and by message; nothing is needed from you now.")),
            Sample(label=_l("Technical review"), state="next", who=_l("within 30 working days of acceptance")),
            Sample(label=_l("Sign-off by departments"), state="next"),
            Sample(label=_l("Decision and certificate"), state="next")],
        "signoffs": [
            Sample(department="卫生健康委员会", verdict=_l("Agrees"), tone="good", officer="周桐", at=_at(9, 2, 5),
                   opinion="微生物检测场所符合生物安全要求。"),
            Sample(department="生态环境厅", verdict=None, clock=near),
            Sample(department="公安厅", verdict=_l("Objects"), tone="bad", officer="何颖", at=_at(9, 8, 51),
                   opinion="司法鉴定类 3 个参数未见备案材料。")],
        "rows": [(1, "饮用水", "铅", "GB/T 5750.6-2023"), (2, "饮用水", "菌落总数", "GB/T 5750.12-2023"),
                 (3, "土壤", "镉", "GB/T 17141-1997")],
        "problems": [
            Sample(severity="error", file="附表1-检验检测能力申请表.xlsx", sheet="一场所", row=17, column="标准编号",
                   value="GB 5009.3-2010", message=_l("This standard has been replaced."),
                   remedy=_l("Give the edition in force: GB 5009.3-2016.")),
            Sample(severity="warning", file="附表2-授权签字人汇总表.xlsx", sheet="Sheet1", row=4,
                   message=_l("The title is written in a form we do not know."),
                   remedy=_l("Compare with the certificate."))],
    }


def _refused_form() -> SampleForm:
    form = SampleForm(formdata=None, meta={"csrf": False})
    form.credit_code.errors = [_l("The last character should be %(expected)s: please compare with the certificate.",
                                  expected="R")]
    return form


@bp.get("", strict_slashes=False)
def show() -> str:
    """Every component, for whoever makes a page."""
    return render_template("design/show.html", **samples())


@bp.get("/print")
def paper() -> str:
    """The layout for what will be paper."""
    return render_template("design/paper.html", **samples())

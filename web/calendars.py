"""The working calendar for its administrator: what each day of a year is, on which notice, and publishing a year."""

from calendar import Calendar as Weeks
from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import format_date
from werkzeug.wrappers import Response

from forms.calendars import CalendarFileForm, PublishForm
from store.calendars import LARGEST, Calendars, read_year, year_text
from web.access import grant_access
from web.context import current_actor, database, laws, say, tell, today
from workflow.deadlines import Calendar, CalendarYear, DayKind
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("calendars", __name__, url_prefix="/calendars")
for _endpoint in ("index", "show", "preview", "publish"):
    grant_access(f"calendars.{_endpoint}", roles=[Role.ADMINISTRATOR])

KINDS = {
    DayKind.WORKING: N_("Working day"),
    DayKind.MAKE_UP: N_("Working weekend by the notice"),
    DayKind.WEEKEND: N_("Weekend"),
    DayKind.HOLIDAY: N_("Day off by the notice"),
}


def calendars() -> Calendars:
    return Calendars(database(), laws())


@bp.get("")
def index() -> str:
    """Every year, and the way to publish one."""
    return _index(CalendarFileForm())


def _index(form: CalendarFileForm) -> str:
    years = calendars().years()
    return render_template("calendars/index.html", years=years, form=form, facts=[_count(y.year) for y in years],
                           this_year=today().year)


@bp.get("/<int(max=9999):year>")
def show(year: int) -> str:
    """One year, day by day."""
    known = calendars().get(year)
    years = [one.year.year for one in calendars().years()]
    return render_template("calendars/show.html", known=known, years=years, count=_count(known.year),
                           **_months(known.year))


@bp.post("/preview")
def preview() -> tuple[str, int]:
    """What publishing the file would do; nothing is kept."""
    form = CalendarFileForm(request.files)
    if not form.validate():
        return _index(form), 422
    try:
        year = read_year(form.file.data.stream.read(LARGEST + 1))
    except Refusal as refusal:
        form.file.errors = [say(refusal.reason)]
        return _index(form), 422
    return _previewed(year, PublishForm(content=year_text(year))), 200


def _previewed(year: CalendarYear, form: PublishForm) -> str:
    return render_template("calendars/preview.html", year=year, form=form, count=_count(year),
                           seen=calendars().preview(year), **_months(year))


@bp.post("/publish")
def publish() -> Response | tuple[str, int]:
    """Put the year in force that was looked at."""
    form = PublishForm(request.form)
    year = read_year(form.content.data or "")
    if not form.validate():
        return _previewed(year, form), 422
    if calendars().publish(year, current_actor()):
        tell(Message(N_("The calendar of %(year)s is in force. Open cases follow within minutes; each whose due date "
                        "moves gets a note."), {"year": year.year}))
    else:
        tell(Message(N_("The register has this very year already; nothing was changed."), {}), "info")
    return redirect(url_for("calendars.show", year=year.year), 303)


def _count(year: CalendarYear) -> int:
    """How many working days a year has."""
    return Calendar.of([year]).count(date(year.year - 1, 12, 31), date(year.year, 12, 31))


def _months(year: CalendarYear) -> dict[str, Any]:
    """The twelve months as weeks of days, Monday first; a day of another month is None."""
    calendar, weeks = Calendar.of([year]), Weeks()
    months = [
        {"name": format_date(date(year.year, month, 1), "LLLL"),
         "weeks": [[_day(calendar, day) if day.month == month else None for day in week]
                   for week in weeks.monthdatescalendar(year.year, month)]}
        for month in range(1, 13)]
    weekdays = [format_date(date(2024, 1, day), "EEEEE") for day in range(1, 8)]  # a week that begins on a Monday
    return {"months": months, "weekdays": weekdays, "kinds": KINDS, "today": today()}


def _day(calendar: Calendar, day: date) -> dict[str, Any]:
    return {"on": day, "kind": calendar.kind(day), "name": calendar.name(day)}

"""Which language a page speaks, and how it writes dates, numbers and working days.

Chinese is the default everywhere; English is chosen by ``?lang=en`` on any page and kept in a cookie that
holds nothing else. Message ids are English, so English needs no catalogue.
"""
from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, Response, has_request_context, request, url_for
from flask_babel import Babel, get_locale, get_translations, ngettext
from flask_babel import format_date as babel_date
from flask_babel import format_decimal as babel_decimal
from flask_babel import gettext as _
from jinja2.runtime import Undefined

from workflow.dossiers import in_chinese
from workflow.vocabulary import Message

LANGUAGES = {"zh": "zh_Hans_CN", "en": "en"}
NAMES = {"zh": "简体中文", "en": "English"}        # each in its own tongue, whatever the page speaks
DEFAULT = "zh"
COOKIE = "wujian_language"
LOCAL = ZoneInfo("Asia/Shanghai")
YEAR = 365 * 24 * 3600                              # seconds a choice of language is remembered


def register(app: Flask) -> None:
    """Set up translations, the switch and the template vocabulary listed in ``docs/design.md``."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", LANGUAGES[DEFAULT])
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", str(LOCAL))
    for directory in app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "translations").split(";"):
        compile_stale(Path(app.root_path) / directory)
    Babel(app, locale_selector=lambda: LANGUAGES[current()])
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.newstyle_gettext = True           # type: ignore[attr-defined]
    app.after_request(_remember)
    app.jinja_env.globals.update(say=say, here=here, language=current, languages=NAMES, html_lang=html_lang)
    filters: dict[str, Callable[..., str]] = {
        "day": day, "day_with_weekday": day_with_weekday, "iso_day": iso_day, "moment": moment,
        "hour": hour, "number": number, "working_days": working_days, "say": say,
    }
    app.jinja_env.filters.update(filters)


def current() -> str:
    """``"zh"`` or ``"en"``: the query first, then the cookie, then Chinese."""
    if not has_request_context():
        return DEFAULT
    for asked in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if asked in LANGUAGES:
            return asked
    return DEFAULT


def html_lang() -> str:
    """The value of ``<html lang>``: ``zh-Hans-CN`` or ``en``."""
    return str(get_locale() or LANGUAGES[DEFAULT]).replace("_", "-")


def _remember(response: Response) -> Response:
    asked = request.args.get("lang")
    if asked in LANGUAGES and asked != request.cookies.get(COOKIE):
        response.set_cookie(COOKIE, asked, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure)
    return response


def here(**changes: object) -> str:
    """This page's own address with some query arguments changed; ``None`` drops one."""
    query: dict[str, Any] = {**request.args.to_dict(flat=False), **changes}
    kept = {name: value for name, value in query.items() if value is not None}
    if request.endpoint is None:                    # an address that leads nowhere still has a language switch
        return f"{request.path}?{urlencode(kept, doseq=True)}"
    return url_for(request.endpoint, **{**kept, **(request.view_args or {})})


def beside(words: Message | str, more: object) -> str:
    """Words, or a name as it is, with more in brackets after them: in the brackets of the page's language."""
    first = say(words) if isinstance(words, Message) else words
    return f"{first}（{say(more)}）" if current() == "zh" else f"{first} ({say(more)})"


def say(text: object) -> str:
    """Translate words that came as data: a label of a procedure, a guard's reason (``workflow`` ``Message``),
    or a bare string, in which ``%`` means nothing."""
    if text is None or isinstance(text, Undefined):
        return ""
    if not isinstance(text, Message):
        words = str(text)
        found = get_translations().gettext(words) if words else ""
        return (_of_a_file(words) or found) if found == words else found
    chinese = text.zh if current() == "zh" else None
    pattern = chinese or get_translations().gettext(text.text)
    return str(Message(pattern, {name: _value(value) for name, value in text.values.items()}))


def _of_a_file(words: str) -> str | None:
    """A title of a dossier file that stands in no catalogue: there it is in both languages."""
    return in_chinese(words) if current() == "zh" else None


def _value(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return ("、" if current() == "zh" else ", ").join(say(item) for item in value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day(value)
    return say(value) if isinstance(value, (str, Message)) else value


def _local(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return at.astimezone(LOCAL)


def _on(value: date | datetime) -> date:
    return _local(value).date() if isinstance(value, datetime) else value


def day(value: date | datetime | None) -> str:
    """2026年2月10日 · 10 Feb 2026."""
    if value is None:
        return "—"
    return babel_date(_on(value), "yyyy年M月d日" if current() == "zh" else "d MMM yyyy", rebase=False)


def day_with_weekday(value: date | datetime | None) -> str:
    """2026年2月10日 周二 · Tue 10 Feb 2026."""
    if value is None:
        return "—"
    return babel_date(_on(value), "yyyy年M月d日 EEE" if current() == "zh" else "EEE d MMM yyyy", rebase=False)


def iso_day(value: date | datetime | None) -> str:
    """2026-02-10 in both languages: for table columns, where dates must line up."""
    return "—" if value is None else _on(value).isoformat()


def moment(value: datetime | None) -> str:
    """2026-02-10 14:05 in Shanghai time, in both languages."""
    return "—" if value is None else _local(value).strftime("%Y-%m-%d %H:%M")


def hour(value: datetime | None) -> str:
    """14:05 in Shanghai time."""
    return "—" if value is None else _local(value).strftime("%H:%M")


def number(value: int | float | Decimal | None) -> str:
    """12,345 · 12,345.6."""
    return "—" if value is None else babel_decimal(value)


def working_days(count: int) -> str:
    """5 个工作日 · 5 working days."""
    return ngettext("%(num)d working day", "%(num)d working days", count)


def left(days: int) -> str:
    """How a due date is spoken of: days left, today, or days overdue (working days)."""
    if days < 0:
        return ngettext("%(num)d working day overdue", "%(num)d working days overdue", -days)
    if days == 0:
        return _("due today")
    return ngettext("%(num)d working day left", "%(num)d working days left", days)


def compile_stale(directory: Path) -> list[Path]:
    """Compile every catalogue whose ``.mo`` is missing or older than its ``.po``; the files written."""
    written = []
    for source in sorted(directory.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with source.open("rb") as stream:
            catalogue = read_po(stream, locale=source.parent.parent.name)
        handle, temporary = tempfile.mkstemp(dir=target.parent, suffix=".mo")
        with os.fdopen(handle, "wb") as out:        # written beside and moved: two starting processes never
            write_mo(out, catalogue)                # see half a catalogue
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
        written.append(target)
    return written

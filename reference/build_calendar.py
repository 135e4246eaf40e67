"""Writes reference/calendar/CN-YYYY.yaml from the `holidays` library. Run by hand, once a year.

    python reference/build_calendar.py            # 2019 to the year after the last confirmed one
    python reference/build_calendar.py --check    # writes nothing, fails if a file would change

A year is confirmed only if the library knows its State Council notice: it then has make-up workdays.
A year without them is written with its statutory days and `confirmed: false`, so that every deadline
reaching into it is shown as provisional. Same library version in, same bytes out.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import holidays

FIRST, LAST = 2019, 2027
TARGET = Path(__file__).parent / "calendar"
GAZETTE = "https://www.gov.cn/gongbao/"

# (document number, dated, path in the State Council gazette, how the number is known)
NOTICES: dict[int, tuple[tuple[str, str, str, str], ...]] = {
    2019: (
        ("国办发明电〔2018〕15号", "2018-12-01", "content/2018/content_5350046.htm", "medium"),
        ("国办发明电〔2019〕3号", "2019-03-22", "content/2019/content_5380356.htm", "medium"),
    ),
    2020: (
        ("国办发明电〔2019〕16号", "2019-11-21", "content/2019/content_5459138.htm", "medium"),
        ("国办发明电〔2020〕1号", "2020-01-26", "content/2020/content_5477297.htm", "medium"),
    ),
    2021: (("国办发明电〔2020〕27号", "2020-11-25", "content/2020/content_5567750.htm", "medium"),),
    2022: (("国办发明电〔2021〕11号", "2021-10-25", "content/2021/content_5651728.htm", "medium"),),
    2023: (("国办发明电〔2022〕16号", "2022-12-08", "content/2023/content_5736714.htm", "medium"),),
    2024: (
        ("国办发明电〔2023〕7号", "2023-10-25", "2023/issue_10806/202311/content_6913823.html", "medium"),
    ),
    2025: (("国办发明电〔2024〕12号", "2024-11-12", "2024/issue_11726/202411/content_6989767.html", "high"),),
    2026: (("国办发明电〔2025〕7号", "2025-11-04", "2025/issue_12406/202511/content_7048922.html", "high"),),
}


def page(year: int) -> str:
    """The text of one calendar file."""
    known = holidays.country_holidays("CN", years=range(year - 1, year + 2), language="zh_CN")
    off = sorted(day for day in known if day.year == year)
    make_up = sorted(day for day in known.weekend_workdays if day.year == year)
    confirmed = bool(make_up)
    if confirmed != (year in NOTICES):
        raise SystemExit(f"{year}: the library and the list of notices disagree; add the notice to NOTICES")
    names = "；".join(f"{number}（{dated}）" for number, dated, _, _ in NOTICES.get(year, ()))
    statute = "全国年节及纪念日放假办法（国务院令第795号，2024-11-10）"
    title = f"国务院办公厅关于{year}年部分节假日安排的通知，{names}"
    lines = [
        f"# Working calendar {year}, mainland China. Made by reference/build_calendar.py; change it there,",
        "# or overlay it in the administration screens. Weekends that carry no name are not listed.",
        f"year: {year}",
        f"confirmed: {str(confirmed).lower()}",
        f"source: {title if confirmed else statute}",
        f"dates_from: holidays {holidays.__version__} (MIT licence)",
    ]
    if confirmed:
        lines.append("notices:")
        for number, dated, path, confidence in NOTICES[year]:
            known_how = f"confidence: {confidence}, url: {GAZETTE}{path}"
            lines.append(f"  - {{number: {number}, dated: {dated}, {known_how}}}")
    else:
        lines.append("note: statutory days only; the notice with the make-up workdays was not yet known")
    lines.append("off:")
    lines += [f"  - {{date: {day.isoformat()}, name: {_name(known[day])}}}" for day in off]
    lines.append("make_up:" if make_up else "make_up: []")
    lines += [f"  - {{date: {day.isoformat()}, name: {_swap(day, off, known)}}}" for day in make_up]
    return "\n".join(lines) + "\n"


def _name(name: str) -> str:
    """Holidays that meet are joined by an ideographic comma, as the notices write them."""
    return name.replace("; ", "、")


def _swap(day: date, off: list[date], known: holidays.HolidayBase) -> str:
    """What the make-up workday is worked for, where the library says so."""
    for free in off:
        if day.isoformat() in known[free]:
            return f"调休上班（换 {free.isoformat()} 休息）"
    return "调休上班"


def main() -> int:
    stale = []
    for year in range(FIRST, LAST + 1):
        path = TARGET / f"CN-{year}.yaml"
        text = page(year)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.name)
        if "--check" not in sys.argv:
            TARGET.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    print("unchanged" if not stale else "different: " + ", ".join(stale))
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())

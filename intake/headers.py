"""Which table a sheet holds, and which column is which: found by its captions, never by position (rule R1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath

from intake.wording import Cell, compact, words
from intake.workbook import Sheet

HEADER_WITHIN = 30
_SUB_CAPTION = re.compile(
    r"序号|名称|姓名|编号(\(.*)?|标准名称|标准编号.*|正体|签名|型号.*|规格.*|测量范围.*|产品/项目/参数|参数|年号|变更[前后].*|原标准.*|新标准.*|已批准.*|拟变更.*"
)
_HINTS = (
    ("standard_change", re.compile("变更")),
    ("basic", re.compile("基本信息|基本情况|申请书基本")),
    ("capability", re.compile("附表1(?!\\d)|检测能力|能力申请|能力表")),
    ("signatories", re.compile("附表2(?!\\d)|签字人")),
    ("staff", re.compile("附表4(?!\\d)|人员表|检测人员")),
    ("equipment", re.compile("附表5(?!\\d)|仪器|设备")),
    ("basic", re.compile("申请书")),
)
BASIC_LABELS = {
    "检验检测机构名称": "name", "机构名称": "name", "申请机构名称": "name",
    "统一社会信用代码": "uscc", "社会信用代码": "uscc",
    "注册地址": "registered_address", "住所": "registered_address",
    "检验检测地址": "address", "实验室地址": "address", "检验检测场所地址": "address",
    "行政区划代码": "region_code", "邮政编码": "postcode", "法定代表人": "legal_person",
    "机构负责人": "responsible_person",
    "负责人": "responsible_person", "联络人": "contact", "联系人": "contact", "固定电话": "phone", "移动电话": "mobile",
    "电子邮箱": "email", "机构设置": "legal_setting", "机构性质": "legal_kind", "申请类型": "application_type",
    "原资质认定证书编号": "certificate_number", "资质认定证书编号": "certificate_number", "申请日期": "applied_on",
    "申请能力项数": "items_declared",
}  # fmt: skip


@dataclass(slots=True)
class Header:
    """A recognised header. Rows and columns count from 0; `columns` maps our name of a column to its place."""

    table: str
    first_row: int
    body_row: int
    columns: dict[str, int]
    captions: dict[int, str] = field(default_factory=dict)
    layout: str | None = None


def table_by_name(name: str) -> str:
    """The table a file or sheet name speaks of, or ''."""
    stem = compact(PurePath(name).stem)
    return next((table for table, hint in _HINTS if hint.search(stem)), "")


def basic_label(text: str) -> str | None:
    """The application field that a label (with or without a colon, number or note) names, or None."""
    label = re.sub(r"^[\d.、()]+|[::*]+$|\(.*\)$", "", compact(text))
    return BASIC_LABELS.get(label)


def find_header(sheet: Sheet) -> Header | None:
    """The header within the first 30 rows, or None. A basic-facts form has labels instead of a header row."""
    rows = sheet.filled[: HEADER_WITHIN + 1]
    folded = [[compact(words(cell)) for cell in row] for row in rows]
    for index, line in enumerate(folded[:HEADER_WITHIN]):
        if not any(cell.endswith("序号") and len(cell) <= 8 for cell in line):
            continue
        header = _columns(folded, index)
        if header:
            return header
    found = {basic_label(cell) for line in folded for cell in line[:8]} - {None}
    if len(found) >= 4:
        return Header("basic", 0, 0, {})
    return None


def _columns(folded: list[list[str]], index: int) -> Header | None:
    """Read the header row at `index` (and the second one below it, if there is one)."""
    top = folded[index]
    below = folded[index + 1] if index + 1 < len(folded) else []
    has_second = _is_second_row(top, below)
    if has_second:
        # captions that stand only in the first row of an unmerged pair spread to the right over blank neighbours
        captions = {}
        last = ""
        for column, cell in enumerate(top):
            sub = below[column] if column < len(below) else ""
            if cell:
                last = cell
            owner = cell or (last if sub else "")
            captions[column] = owner if sub in ("", owner) else f"{owner}/{sub}"
    else:
        captions = dict(enumerate(top))
    captions = {column: caption for column, caption in captions.items() if caption and len(caption) <= 60}
    body = index + (2 if has_second else 1)
    for recognise in (_change, _equipment, _capability, _signatories, _staff):
        found = recognise(captions)
        if found:
            table, columns, layout = found
            return Header(table, index, body, columns, captions, layout)
    return None


def _is_second_row(top: list[str], below: list[str]) -> bool:
    subs = 0
    for column, cell in enumerate(below):
        above = top[column] if column < len(top) else ""
        if not cell or cell == above:
            continue
        if not _SUB_CAPTION.fullmatch(cell):
            return False
        subs += 1
    same = sum(1 for column, cell in enumerate(below) if cell and column < len(top) and cell == top[column])
    return subs > 0 or same >= 3


Found = tuple[str, dict[str, int], str | None]


def _first(captions: dict[int, str], pattern: str, taken: dict[str, int]) -> int | None:
    used = set(taken.values())
    return next((c for c, caption in captions.items() if c not in used and re.search(pattern, caption)), None)


def _assign(captions: dict[int, str], wanted: tuple[tuple[str, str], ...]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for name, pattern in wanted:
        column = _first(captions, pattern, columns)
        if column is not None:
            columns[name] = column
    return columns


def _capability(captions: dict[int, str]) -> Found | None:
    standard = [c for c, caption in captions.items() if "依据" in caption and "标准" in caption]
    if not standard:
        return None
    columns: dict[str, int] = {}
    wide = any("参数名称" in caption or "参数序号" in caption for caption in captions.values()) and any(
        "领域" in caption or "对象" in caption for caption in captions.values()
    )
    layout = "L1"
    if len(standard) > 1:
        tails = {c: captions[c].rpartition("/")[2] for c in standard}
        numbers = [
            c
            for c in standard
            if "编号" in tails[c] and "名称" not in re.sub(r"^依据.*标准\(方法\)", "", tails[c])
        ]
        titles = [c for c in standard if c not in numbers]
        if numbers and titles:
            columns["title"], columns["standard"], layout = titles[0], numbers[0], "L2"
    columns.setdefault("standard", standard[0])
    if wide:
        layout = "L3"
        columns |= _assign(
            {c: v for c, v in captions.items() if c not in standard},
            (
                ("section_serial", "^领域序号"), ("category_serial", "^类别序号"), ("object_serial", "对象序号"),
                ("parameter_serial", "(参数|项目)序号"), ("section", "领域"), ("category", "类别"), ("object", "对象"),
                ("parameter", "参数|项目"),
            ),
        )  # fmt: skip
        serials = [columns[n] for n in ("section_serial", "category_serial", "object_serial") if n in columns]
        columns["serial"] = min(serials) if serials else 0
    else:
        columns |= _assign(
            {c: v for c, v in captions.items() if c not in standard},
            (
                ("serial", "^序号$"), ("parameter_serial", "/序号$|^序号$|参数序号"),
                ("parameter", "/名称$|参数名称|项目名称"),
                ("object", "类别|对象|产品"), ("parameter", "名称$|参数|项目"),
            ),
        )  # fmt: skip
    columns |= _assign(
        {c: v for c, v in captions.items() if c not in columns.values()},
        (("limit", "限制"), ("note", "说明|备注"), ("approved", "批准日期"), ("site", "地址|场所")),
    )
    if "approved" in columns and layout == "L1":
        layout = "L4"
    if "parameter" not in columns:
        # an unusual caption: the nearest column left of the standard that is nothing else
        free = [c for c in captions if c < columns["standard"] and c not in columns.values()]
        if free:
            columns["parameter"] = max(free)
    if not {"serial", "parameter"} <= columns.keys():
        return None
    return "capability", columns, layout


def _equipment(captions: dict[int, str]) -> Found | None:
    everything = "|".join(captions.values())
    if not ("溯源" in everything and ("设备" in everything or "确认" in everything)):
        return None
    columns = _assign(
        captions,
        (
            ("serial", "^序号$"), ("parameter_serial", "参数/序号$"), ("parameter", "参数/名称$"),
            ("standard", "依据|标准\\(方法"), ("model", "型号|规格"), ("range", "测量范围"),
            ("name", "(设备|标准物质).*名称$|^设备名称"), ("trace", "溯源"), ("valid", "有效(日)?期"),
            ("confirmation", "确认"), ("category", "类别"), ("name", "设备"),
        ),
    )  # fmt: skip
    return ("equipment", columns, None) if {"name", "serial"} <= columns.keys() else None


def _signatories(captions: dict[int, str]) -> Found | None:
    if not any("签字领域" in caption or "授权领域" in caption for caption in captions.values()):
        return None
    columns = _assign(
        captions,
        (
            ("serial", "^序号$"), ("signature", "/签名$"), ("name", "姓名"), ("field", "领域"),
            ("post_title", "职务.*职称"), ("title", "职称"), ("post", "职务"), ("note", "备注|说明"),
        ),
    )  # fmt: skip
    return ("signatories", columns, None) if {"name", "field"} <= columns.keys() else None


def _staff(captions: dict[int, str]) -> Found | None:
    columns = _assign(
        captions,
        (
            ("serial", "^序号$"), ("name", "姓名"), ("sex", "性别"), ("age", "年龄"), ("education", "文化|学历"),
            ("years", "年限"), ("title", "职称"), ("major", "专业"), ("department_post", "现在部门|部门岗位"),
            ("post", "职务|岗位"),
        ),
    )  # fmt: skip
    return ("staff", columns, None) if {"name", "sex", "age"} <= columns.keys() else None


def _change(captions: dict[int, str]) -> Found | None:
    standards = {
        c: v
        for c, v in captions.items()
        if ("标准" in v or "方法" in v) and not re.search("内容|情况|说明|理由", v)
    }
    old = [c for c, v in standards.items() if re.search("已批准|原|变更前|旧|现行|现有", v)]
    new = [c for c, v in standards.items() if c not in old and re.search("变更后|新|拟|现|替代", v)]
    if not old or not new:
        return None

    def number_column(places: list[int]) -> int:
        return next((c for c in places if "编号" in captions[c].rpartition("/")[2]), places[0])

    columns = {"old": number_column(old), "new": number_column(new)}
    columns |= _assign(
        {c: v for c, v in captions.items() if c not in standards},
        (
            ("serial", "^序号$"), ("parameter", "/名称$|参数名称|项目名称"), ("category", "类别|产品|项目|对象"),
            ("content", "变更.*内容|内容|说明|情况"),
        ),
    )  # fmt: skip
    return ("standard_change", columns, None) if "serial" in columns else None


def row_text(row: list[Cell]) -> str:
    """A whole row in compact form, to compare rows."""
    return "\t".join(compact(words(cell)) for cell in row)

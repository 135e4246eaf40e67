"""The reading rules, one by one, on small tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from intake.application import is_valid_uscc
from intake.reader import read_package, read_table
from intake.readings import TableReading
from intake.rows import CapabilityRow, EquipmentRow, StandardChangeRow
from intake.standards import Catalogue

from .sheets import HEADER, MERGES, NOTE, ROWS, sheet_xml, table, xlsx

ROOT = Path(__file__).parents[2]
STANDARD = "《水质 pH值的测定 电极法》HJ 1147-2020"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.from_csv(ROOT / "reference" / "standards.csv")


def capability(catalogue: Catalogue, *rows: Sequence[object], merges: Sequence[str] = ()) -> TableReading:
    return read_table("附表1.xlsx", table([*ROWS, *rows], extra_merges=merges), catalogue)


def found(reading: TableReading) -> list[tuple[str, int | None]]:
    return [(problem.code, problem.row) for problem in reading.problems]


def last(reading: TableReading) -> CapabilityRow:
    row = reading.records[-1]
    assert isinstance(row, CapabilityRow)
    return row


def test_a_serial_without_a_name_is_refused(catalogue: Catalogue) -> None:
    reading = capability(catalogue, ["", "", "1.3", "", STANDARD, "", ""])
    assert found(reading) == [("PARAM_MISSING", 8)]
    assert (reading.data_rows, reading.accepted, reading.rejected) == (3, 2, 1)
    assert reading.outcome == "accept_with_problems"


def test_a_blank_serial_and_name_mean_the_parameter_above(catalogue: Catalogue) -> None:
    reading = capability(catalogue, ["", "", "", "", STANDARD, "", ""])
    assert reading.problems == () and last(reading).parameter == "色度"


def test_rows_under_a_nameless_parameter_do_not_slip_to_another_one(catalogue: Catalogue) -> None:
    reading = capability(
        catalogue, ["", "", "1.3", "", STANDARD, "", ""], ["", "", "", "", "GB 3838-2002", "", ""]
    )
    assert found(reading) == [("PARAM_MISSING", 8), ("PARAM_MISSING", 9)]


def test_a_blank_standard_never_inherits_unless_merged(catalogue: Catalogue) -> None:
    assert found(capability(catalogue, ["", "", "1.3", "镍", "", "", ""])) == [("STD_EMPTY", 8)]
    rows = (["", "", "1.3", "镍", STANDARD, "", ""], ["", "", "1.4", "铜", "", "", ""])
    reading = capability(catalogue, *rows, merges=["E8:E9"])
    assert reading.problems == () and last(reading).standards == ("HJ1147-2020",)


@pytest.mark.parametrize("ditto", ["同上", "〃", " 同 上 ", "″"])
def test_ditto_means_the_standard_of_the_row_above(catalogue: Catalogue, ditto: str) -> None:
    assert last(capability(catalogue, ["", "", "1.3", "镍", ditto, "", ""])).standards == ("GB/T11903-1989",)


def test_a_standard_without_a_number_is_refused(catalogue: Catalogue) -> None:
    reading = capability(catalogue, ["", "", "1.3", "镍", "《水和废水监测分析方法》（第四版）", "", ""])
    assert found(reading) == [("STD_NO_NUMBER", 8)]


def test_title_of_another_standard_is_told(catalogue: Catalogue) -> None:
    reading = capability(
        catalogue, ["", "", "1.3", "镍", "《食品安全国家标准 预包装标签通则》HJ 1147-2020", "", ""]
    )
    assert found(reading) == [("STD_TITLE_MISMATCH", 8)]


def test_several_numbers_in_a_cell_are_all_read(catalogue: Catalogue) -> None:
    reading = capability(
        catalogue, ["", "", "1.3", "镍", f"{STANDARD}\n《水质 色度的测定》 GB/T 11903—1989", "", ""]
    )
    assert last(reading).standards == ("HJ1147-2020", "GB/T11903-1989") and reading.problems == ()


def test_a_duplicate_names_the_first_row(catalogue: Catalogue) -> None:
    reading = capability(catalogue, ["", "", "1.3", " pH 值", "ＨＪ １１４７—２０２０", "", ""])
    assert found(reading) == [("DUPLICATE_ROW", 8)]
    assert reading.problems[0].detail["first_row"] == 6


def test_blank_rows_sections_subtotals_and_headers_are_no_data(catalogue: Catalogue) -> None:
    more = [["", "", "", "", "", "", ""], ["合计", "2", "", "", "", "", ""], ["二", "环境空气", "", "", "", "", ""],
            HEADER[2], HEADER[3], ["续表", "", "", "", "", "", ""],
            [1, "环境空气", "1.1", "臭氧", "HJ 590-2010", "", ""]]  # fmt: skip
    reading = capability(catalogue, *more, merges=["B10:G10"])
    assert reading.data_rows == 3
    assert last(reading).section == "环境空气"
    assert reading.skipped is not None
    assert (reading.skipped["blank"], reading.skipped["subtotal"], reading.skipped["section_header"]) == (
        1,
        1,
        2,
    )
    assert reading.skipped["repeated_header"] == 3


def test_the_table_ends_at_its_note(catalogue: Catalogue) -> None:
    body = [*HEADER, *ROWS, *NOTE, [9, "水", "9.1", "镍", "", "", ""]]
    reading = read_table("附表1.xlsx", xlsx([("附表1", sheet_xml(body, MERGES))]), catalogue)
    assert reading.data_rows == 2 and reading.problems == ()


def test_rows_added_below_the_note_are_told(catalogue: Catalogue) -> None:
    body = [*HEADER, *ROWS, *NOTE, *([["", "", f"9.{n}", "镍", ROWS[1][4], "", ""] for n in (1, 2)])]
    reading = read_table("附表1.xlsx", xlsx([("附表1", sheet_xml(body, MERGES))]), catalogue)
    (problem,) = reading.problems
    assert (problem.code, problem.row, problem.severity) == ("ROWS_BELOW_NOTE", len(body) - 1, "warning")
    assert reading.data_rows == 2 and problem.detail["count"] == 2


def test_columns_are_found_by_caption_not_by_place(catalogue: Catalogue) -> None:
    order = (0, 6, 1, 2, 3, 5, 4)
    body = [[row[i] if i < len(row) else "" for i in order] for row in [*HEADER[2:], *ROWS[1:]]]
    body[0][1:3] = ["说明", "类别(产品/项目/参数)"]
    reading = read_table("x.xlsx", xlsx([("表", sheet_xml(body))]), catalogue)
    assert [row.standards for row in reading.records] == [("HJ1147-2020",), ("GB/T11903-1989",)]  # type: ignore[union-attr]


def test_eleven_columns_are_read_as_layout_3(catalogue: Catalogue) -> None:
    head = ["领域序号", "领域", "类别序号", "类别", "对象序号", "检测对象", "参数序号", "参数名称",
            "依据的标准（方法）名称及编号（含年号）", "限制范围", "说明"]  # fmt: skip
    rows = [[1, "生态环境", 1, "水和废水", 1, "地表水", "1.1", "pH值", STANDARD, "限", "新"],
            ["", "", "", "", "", "", "1.2", "色度", "GB/T 11903-1989", "", ""]]  # fmt: skip
    reading = read_table("x.xlsx", xlsx([("表", sheet_xml([head, *rows]))]), catalogue)
    assert reading.layout == "L3" and reading.problems == ()
    assert (last(reading).section, last(reading).category, last(reading).object) == (
        "生态环境",
        "水和废水",
        "地表水",
    )


def test_name_and_number_in_two_columns_are_layout_2(catalogue: Catalogue) -> None:
    head = [
        "序号",
        "类别(产品/项目/参数)",
        "产品/项目/参数",
        "",
        "依据的标准（方法）",
        "",
        "限制范围",
        "说明",
    ]
    below = ["", "", "序号", "名称", "名称", "编号（含年号）", "", ""]
    rows = [[1, "地表水", "1.1", "pH值", "水质 pH值的测定 电极法", "HJ 1147-2020", "", ""],
            ["", "", "1.2", "色度", "水质 色度的测定", "", "", ""],
            ["", "", "1.3", "镍", "", "", "", ""]]  # fmt: skip
    reading = read_table(
        "x.xlsx", xlsx([("表", sheet_xml([head, below, *rows], ["C1:D1", "E1:F1"]))]), catalogue
    )
    assert reading.layout == "L2"
    assert found(reading) == [("STD_NO_NUMBER", 4), ("STD_EMPTY", 5)]
    single = [
        "序号",
        "类别",
        "参数序号",
        "参数名称",
        "依据的标准（方法）名称",
        "依据的标准（方法）编号（含年号）",
        "限制范围",
        "说明",
    ]
    reading = read_table("x.xlsx", xlsx([("表", sheet_xml([single, *rows[:1]]))]), catalogue)
    assert reading.layout == "L2" and reading.problems == () and last(reading).standards == ("HJ1147-2020",)


STAFF_HEAD = [
    "序号",
    "姓 名",
    "性别",
    "年龄",
    "文化程度",
    "职务（岗位）",
    "职称",
    "所学专业",
    "从事本技术领域年限",
    "现在部门岗位",
]
SIGN_HEAD = [["序号", "姓名", "", "职务/职称", "申请授权签字领域", "备注"], ["", "正体", "签名", "", "", ""]]


def staff(*rows: Sequence[object]) -> bytes:
    return xlsx([("附表4", sheet_xml([["附表4 检验检测人员表"], STAFF_HEAD, *rows, ["注：…"]]))])


def signatories(*rows: Sequence[object]) -> bytes:
    return xlsx([("附表2", sheet_xml([*SIGN_HEAD, *rows], ["A1:A2", "B1:C1", "D1:D2", "E1:E2", "F1:F2"]))])


def person(
    name: str, sex: str = "女", age: object = 40, title: str = "工程师", years: object = 5
) -> list[object]:
    return [1, name, sex, age, "本科", "检测员", title, "化学", years, "检测员"]


def test_staff_rules(catalogue: Catalogue) -> None:
    rows = [person("张 三"), person("", age="40岁"), person("李四", age=15), person("王五", "不详"),
            person("赵六", age=30, years="30年"),
            person("张三"), person("孙七", age="45 岁"), person("周八", age=40.5), person("吴九", age=""),
            person("郑十", age=100)]  # fmt: skip
    reading = read_table("附表4.xlsx", staff(*rows), catalogue)
    assert found(reading) == [
        ("PERSON_NAME_MISSING", 4), ("AGE_INVALID", 5), ("SEX_INVALID", 6), ("EXPERIENCE_EXCEEDS_AGE", 7),
        ("DUPLICATE_PERSON", 8), ("AGE_INVALID", 10), ("AGE_INVALID", 11),
    ]  # fmt: skip
    assert (reading.data_rows, reading.accepted) == (10, 9)


def test_signatories_are_looked_for_among_the_staff(catalogue: Catalogue) -> None:
    rows = [[1, "张　三", "", "授权签字人/工程师", "水", ""], [2, "李四", "", "助理工程师/主任", "水", ""],
            [3, "王五", "", "主任/技术员", "", ""], [4, "赵六", "", "主任/无", "水", ""]]  # fmt: skip
    files = [
        ("附表2.xlsx", signatories(*rows)),
        ("附表4.xlsx", staff(person("张三"), person("李四"), person("王五"))),
    ]
    reading = read_package(files, catalogue).tables[0]
    assert found(reading) == [
        ("SIGNATORY_TITLE_BELOW_INTERMEDIATE", 4), ("SIGNATORY_TITLE_BELOW_INTERMEDIATE", 5),
        ("SIGNATORY_FIELD_MISSING", 5), ("SIGNATORY_TITLE_BELOW_INTERMEDIATE", 6), ("SIGNATORY_NOT_IN_STAFF", 6),
    ]  # fmt: skip
    assert reading.accepted == 3
    alone = read_table("附表2.xlsx", files[0][1], catalogue)
    assert "SIGNATORY_NOT_IN_STAFF" not in alone.problem_counts


EQUIP_HEAD = [["序号", "类别(产品/项目/参数)", "产品/项目/参数", "", "依据的标准（方法）名称及编号（含年号）",
               "仪器设备（标准物质）",
               "", "",
               "溯源方式", "有效日期", "确认结果"],
              ["", "", "序号", "名称", "", "名称", "型号/规格/等级", "测量范围", "", "", ""]]  # fmt: skip


def equipment(*cells: tuple[str, str, object, str]) -> bytes:
    rows = [
        ["", "水", "1", "镍", STANDARD, name, "X", "0-1", trace, valid, sure]
        for name, trace, valid, sure in cells
    ]
    return xlsx([("附表5", sheet_xml([*EQUIP_HEAD, *rows], ["C1:D1", "F1:H1"]))])


def test_equipment_rules(catalogue: Catalogue) -> None:
    content = equipment(
        ("天平", "校准", "2026年7月1日", "符合"), ("", "检定", "20270101", "符合"),
        ("天平", "比对?", "2027.1.1", "符合"),
        ("天平", "内部 校准", "2026-06-30", "符合"), ("天平", "检定", "待检", ""),
        ("天平", "检定", "2026-02-30", "符合"),
        ("天平", "检定", 46600, "符合"),
    )  # fmt: skip
    reading = read_table("附表5.xlsx", content, catalogue, applied_on=date(2026, 7, 1))
    assert found(reading) == [
        ("EQUIP_NAME_MISSING", 4), ("TRACE_METHOD_INVALID", 5), ("EQUIP_CALIBRATION_EXPIRED", 6),
        ("DATE_UNPARSEABLE", 7), ("EQUIP_CONFIRMATION_MISSING", 7), ("DATE_UNPARSEABLE", 8), ("DATE_UNPARSEABLE", 9),
    ]  # fmt: skip
    first = reading.records[0]
    assert isinstance(first, EquipmentRow) and first.valid_to == date(2026, 7, 1)
    assert "EQUIP_CALIBRATION_EXPIRED" not in read_table("附表5.xlsx", content, catalogue).problem_counts


@pytest.mark.parametrize(
    ("head", "merges"),
    [
        ([["序号", "类别(产品/项目/参数)", "已批准的标准（方法）名称、编号（含年号）",
           "变更后的标准（方法）名称、编号（含年号）", "变更内容"]], []),
        ([["序号", "类别/项目", "原标准（方法）名称及编号", "新标准（方法）名称及编号", "变更内容"]], []),
        ([["序号", "类别", "标准（方法）名称、编号（含年号）", "", "变更内容"], ["", "", "变更前", "变更后", ""]],
         ["A1:A2", "B1:B2", "C1:D1", "E1:E2"]),
        ([["序号", "项目", "变更前依据的标准（方法）名称及编号",
           "变更后依据的标准（方法）名称及编号", "标准变更内容"]], []),
    ],
)  # fmt: skip
def test_changed_standards_must_be_replacements(
    catalogue: Catalogue, head: list[list[object]], merges: list[str]
) -> None:
    rows: list[list[object]] = [
        [1, "pH值", "《水质 pH值的测定 玻璃电极法》GB/T 6920-1986", STANDARD, "方法变更"],
        [2, "pH值", "GB/T 6920-1986", "GB/T 11903-1989", ""],
        [3, "色度", "GB 5009.35-2016", "GB 5009.35—2023", ""],
        [4, "色度", "GB 5009.35-2016", "", ""],
        ["检验检测机构自我承诺：以上内容真实。", "", "", "", ""],
    ]
    reading = read_table(
        "标准（方法）变更审批表.xlsx", xlsx([("表", sheet_xml([*head, *rows], merges))]), catalogue
    )
    assert reading.table == "standard_change"
    start = len(head)
    assert found(reading) == [("CHANGE_TARGET_NOT_REPLACEMENT", start + 2), ("STD_EMPTY", start + 4)]
    first = reading.records[0]
    assert isinstance(first, StandardChangeRow)
    assert (first.old_standards, first.new_standards) == (("GB/T6920-1986",), ("HJ1147-2020",))
    assert (reading.data_rows, reading.accepted) == (4, 3)


def basic(**changed: object) -> bytes:
    fields: dict[str, object] = {
        "检验检测机构名称": "甲公司", "统一社会信用代码": "91422826YTB9XRUG7Q",
        "注册地址": "某地1号", "检验检测地址": "某地2号",
        "法定代表人": "张三", "申请类型": "首次", "申请日期": "2026.7.5", "申请能力项数": "30项",
    } | changed  # fmt: skip
    rows = [["检验检测机构资质认定申请书（基本信息）"], *([label, value] for label, value in fields.items())]
    return xlsx([("申请书基本信息", sheet_xml(rows, ["A1:D1"]))])


def test_the_application_form_is_read_by_its_labels(catalogue: Catalogue) -> None:
    reading = read_table("申请书基本信息.xlsx", basic(统一社会信用代码=" 91422826ytb9xrug7q "), catalogue)
    assert (reading.table, reading.outcome, reading.data_rows) == ("basic", "accept", 8)
    facts = read_package([("申请书基本信息.xlsx", basic())], catalogue).facts
    assert facts is not None and facts.applied_on == date(2026, 7, 5) and facts.items_declared == 30


def test_wrong_fields_of_the_application_are_refused_one_by_one(catalogue: Catalogue) -> None:
    content = basic(统一社会信用代码="91422826YTB9XRUG7X", 法定代表人="", 检验检测地址=" ", 申请日期="近日")
    reading = read_table("申请书基本信息.xlsx", content, catalogue)
    assert reading.outcome == "reject_fields"
    assert found(reading) == [
        ("USCC_CHECK_DIGIT", 3), ("ADDRESS_MISSING", 5), ("LEGAL_PERSON_MISSING", 6), ("DATE_UNPARSEABLE", 8),
    ]  # fmt: skip
    assert (reading.data_rows, reading.accepted) == (8, 5)


@pytest.mark.parametrize(
    "code", ["9144030071526726XG", "91110000802100433B", "914403001922038216", "91330100799655058B"]
)
def test_real_credit_codes_are_valid_and_any_changed_character_is_not(code: str) -> None:
    assert is_valid_uscc(code)
    for place in range(18):
        other = "7" if code[place] != "7" else "3"
        assert not is_valid_uscc(code[:place] + other + code[place + 1 :])


def test_a_table_of_another_kind_is_refused_where_one_kind_is_wanted(catalogue: Catalogue) -> None:
    reading = read_table("附表1.xlsx", staff(person("张三")), catalogue, table="capability")
    assert reading.reject_code == "HEADER_NOT_RECOGNISED"

"""Licences of any procedure: their own page, and after it a table of their own or capability rows."""

import json
from datetime import date

import pikepdf
import pytest

from pdf.licences import Licence
from pdf.values import Annex, AnnexRow, InvalidValue

ANNEX = Annex(rows=tuple(
    AnnexRow("示例市示例区1号", "饲料", "", "配合饲料", f"参数{n}", "GB/T 6435-2014") for n in range(1, 41)))


def make_licence(**changes: object) -> Licence:
    usual = {
        "title": "考核合格证书",
        "number": "NZJ-27-2026-0001",
        "holder": "示例检测有限公司",
        "statement": "经考核合格，特发此证。",
        "shown": (("检测产品类别", "种植业产品"),),
        "issued_on": date(2026, 3, 2),
        "valid_from": date(2026, 3, 2),
        "valid_to": date(2029, 3, 1),
        "authority_name": "示例省农业农村厅",
        "annex_title": "考核合格项目表",
        "verify_url": "https://cma.bureau.example/v/abcdefghijklmnopqrstuv",
        "verify_code": "abcdefghijklmnopqrstuv",
    }
    return Licence(**{**usual, **changes})  # type: ignore[arg-type]


def test_capability_rows_follow_the_page_under_the_title_of_the_licence(renderer, page_text) -> None:
    done = renderer.licence(make_licence(), ANNEX)
    assert done.pages == 3
    assert "（见附页“考核合格项目表”）" in page_text(done.pdf, 0)
    for page in (1, 2):
        text = page_text(done.pdf, page)
        assert "考核合格项目表" in text and "NZJ-27-2026-0001" in text and f"第{page + 1}页共3页" in text
        assert "批准的检验检测能力表" not in text
    assert "参数40" in page_text(done.pdf, 2)


def test_the_rows_are_in_the_record_that_machines_read(renderer, tmp_path) -> None:
    path = tmp_path / "licence.pdf"
    path.write_bytes(renderer.licence(make_licence(), ANNEX).pdf)
    with pikepdf.open(path) as pdf:
        record = json.loads(pdf.attachments["licence.json"].get_file().read_bytes())
    assert len(record["annex"]["rows"]) == 40 and record["licence"]["authority_name"] == "示例省农业农村厅"


def test_one_without_rows_promises_no_page_after_it(renderer, page_text) -> None:
    done = renderer.licence(make_licence())
    assert done.pages == 1 and "见附页" not in page_text(done.pdf, 0)


def test_a_table_of_its_own_and_capability_rows_are_one_too_many(renderer) -> None:
    with pytest.raises(InvalidValue, match="besides"):
        renderer.licence(make_licence(columns=("领域",), rows=(("产品认证",),)), ANNEX)

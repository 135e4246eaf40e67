"""`wujian intake check` reads the files of a package without a database and answers in the documented shape."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.web.command_line import CORPUS, ROOT, wujian

KEPT = ("table", "outcome", "reject_code", "rows", "problem_counts", "sheets_imported", "sheets_ignored")


def expected(package: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = json.loads((CORPUS / package / "expected.json").read_text("utf-8"))["files"]
    return shown


def files_of(package: str) -> list[Path]:
    return [CORPUS / package / entry["path"] for entry in expected(package)]


def marks(entry: dict[str, Any]) -> Counter[tuple[Any, ...]]:
    return Counter((p["code"], p["severity"], p.get("sheet"), p.get("row"), p.get("column"), p.get("cell"))
                   for p in entry["problems"])


def assert_as_expected(package: str, answer: str) -> None:
    shown = json.loads(answer)
    assert set(shown) == {"files"}
    assert [entry["path"] for entry in shown["files"]] == [entry["path"] for entry in expected(package)]
    for ours, theirs in zip(shown["files"], expected(package), strict=True):
        assert {k: ours.get(k) for k in KEPT} == {k: theirs.get(k) for k in KEPT}, ours["path"]
        assert marks(ours) == marks(theirs), ours["path"]


@pytest.mark.parametrize("package", ["P02", "P08"])
def test_a_package_is_read_as_its_expected_result_says(package: str, tmp_path: Path) -> None:
    done = wujian("intake", "check", *files_of(package), "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_as_expected(package, done.stdout)
    assert list(tmp_path.iterdir()) == []  # no database, no directory of ours


def test_files_are_named_relative_to_where_one_stands(tmp_path: Path) -> None:
    done = wujian("intake", "check", *[path.name for path in files_of("P02")], "--json", cwd=CORPUS / "P02",
                  var=tmp_path / "var")
    assert done.returncode == 0, done.stderr
    assert_as_expected("P02", done.stdout)


def test_a_named_catalogue_of_standards_is_the_one_used(tmp_path: Path) -> None:
    same = tmp_path / "standards.csv"
    same.write_bytes((ROOT / "reference" / "standards.csv").read_bytes())
    done = wujian("intake", "check", *files_of("P08"), "--json", "--standards", same, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_as_expected("P08", done.stdout)

    bare = tmp_path / "bare.csv"
    bare.write_text(same.read_text("utf-8").partition("\n")[0] + "\n", "utf-8")  # its head and no standard
    other = wujian("intake", "check", *files_of("P08"), "--json", "--standards", bare, cwd=tmp_path)
    assert other.returncode == 0, other.stderr
    withdrawn = [sum(entry["problem_counts"].get("STD_WITHDRAWN", 0) for entry in json.loads(answer)["files"])
                 for answer in (done.stdout, other.stdout)]
    assert withdrawn[0] > 0 and withdrawn[1] == 0  # what is not in the catalogue cannot be known as withdrawn


def test_a_file_that_is_no_workbook_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    junk = tmp_path / "附表1_检验检测能力申请表.xlsx"
    junk.write_bytes(b"PK\x03\x04 and nothing more")
    done = wujian("intake", "check", junk, *files_of("P02")[1:], "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, *others = json.loads(done.stdout)["files"]
    assert first["outcome"] == "reject" and first["reject_code"]
    assert all(entry["outcome"] != "reject" for entry in others)


def test_without_json_it_speaks_in_words(tmp_path: Path) -> None:
    done = wujian("intake", "check", *files_of("P02"), cwd=tmp_path)
    assert done.returncode == 0 and not done.stdout.startswith("{")
    assert all(path.name in done.stdout for path in files_of("P02"))


def test_a_file_that_is_not_there_is_said_and_is_an_error(tmp_path: Path) -> None:
    done = wujian("intake", "check", tmp_path / "nowhere.xlsx", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "nowhere.xlsx" in done.stderr and "Traceback" not in done.stderr


def test_a_catalogue_that_is_none_is_said_and_is_an_error(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(b"\xff\xfe\x00not a catalogue")
    done = wujian("intake", "check", *files_of("P02"), "--json", "--standards", wrong, cwd=tmp_path)
    assert done.returncode == 1
    assert "Error" in done.stderr and "Traceback" not in done.stderr

"""Certificate and annex of P01, P13 and P14 beside typst and one plain WeasyPrint table.

Run: `python -m bench.certificate [--rounds 3] [--json]`. Every figure comes from a fresh process and all take turns.
CPU is user + system of that process; "warm" is the document without the start of Python: a second render of ours,
the one call of typst. Peers draw the annex table alone, with equal columns and row heights, merged groups, repeated
headers and page numbers; ours is certificate, annex, embedded record and PDF/A-3b.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html import escape
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from pikepdf import Pdf

from pdf.values import Annex, Certificate, Signatory
from tests.pdf.samples import accepted_rows, agency_of

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("P01", "P13", "P14")
BATCH = 200
PLAIN_LIMIT = 1000  # rows; a plain table needs minutes for more
TARGETS = {
    "certificate alone, warm": "at most 0.25 s and 60 KB",
    "P14": "at most 4 s, 300 MB, 3.5 MB",
    "P13 against typst": "at most 0.7",
    "P14 against typst": "at most 0.35",
    "200 certificates": "at most 17 s and 2 MB",
}
HEADERS = (
    "序号",
    "类别（产品/项目/参数）",
    "序号",
    "名称",
    "依据的标准（方法）名称及编号（含年号）",
    "限制范围",
    "说明",
)
SHARES = (6, 15, 7.5, 17, 32.5, 13, 9)


def package_values(package: str, most: int | None = None) -> tuple[Certificate, Annex]:
    """Certificate and annex from the accepted rows of a sample package."""
    agency = agency_of(package)
    certificate = Certificate(
        number="261712050001", agency_name=agency["name"], agency_address=agency["address"],
        liability_bearer=agency["name"], issued_on=date(2026, 11, 21), valid_from=date(2026, 11, 21),
        valid_to=date(2032, 11, 20), authority_name="示例省市场监督管理局",
        verify_url="https://cma.example.gov.cn/verify/261712050001/K7QM2P9XW4TR8HND", verify_code="K7QM2P9XW4TR8HND",
    )  # fmt: skip
    return certificate, Annex((Signatory("示例甲", "高级工程师", "全部领域"),), accepted_rows(package)[:most])


def ours(package: str) -> dict[str, Any]:
    """Our renderer: cold, then once more warm."""
    from pdf.certificate import Renderer

    certificate, annex = package_values(package)
    with Renderer() as renderer:
        done = renderer.certificate(certificate, annex)
        cold = time.process_time()
        started = time.process_time()
        again = renderer.certificate(certificate, annex)
        warm = time.process_time() - started
    return {
        "rows": len(annex.rows), "pages": done.pages, "kb": len(done.pdf) / 1024, "cpu": cold, "warm": warm,
        "same": again.sha256 == done.sha256,
    }  # fmt: skip


def alone(_: str) -> dict[str, Any]:
    """One certificate page, warm."""
    from pdf.certificate import Renderer

    certificate, _annex = package_values("P01", 0)
    with Renderer() as renderer:
        done = renderer.certificate(certificate)
        cold = time.process_time()
        renderer.certificate(replace(certificate, number="261712050002"))
        warm = time.process_time() - cold
    return {"rows": 0, "pages": 1, "kb": len(done.pdf) / 1024, "cpu": cold, "warm": warm}


def batch(_: str) -> dict[str, Any]:
    """Two hundred certificates with names of their own, and the one file for the printer."""
    from pdf.certificate import Renderer
    from pdf.printing import merge_for_printing

    certificate, _annex = package_values("P01", 0)
    letters = sorted(
        {
            letter
            for row in package_values("P14")[1].rows
            for letter in row.object + row.parameter
            if letter > "一"
        }
    )
    with Renderer() as renderer:
        issued = []
        for number in range(BATCH):
            name = (
                "".join(letters[(number * 7 + place * 131) % len(letters)] for place in range(6))
                + "检测有限公司"
            )
            one = replace(certificate, number=f"26171205{number:04}", agency_name=name, liability_bearer=name)
            issued.append(renderer.certificate(one).pdf)
        merged = merge_for_printing(issued, renderer.faces)
    return {"rows": 0, "pages": BATCH, "kb": len(merged) / 1024, "cpu": time.process_time()}


def plain(package: str) -> dict[str, Any]:
    """WeasyPrint, one table, at most 1,000 rows."""
    from weasyprint import HTML

    annex = package_values(package, PLAIN_LIMIT)[1]
    body = []
    for section, in_section in groupby(annex.rows, key=lambda row: row.section):
        body.append(f'<tr><td class="s" colspan="7"><b>{escape(section)}</b></td></tr>')
        for number, (label, in_object) in enumerate(groupby(in_section, key=lambda row: row.object), 1):
            objects = list(in_object)
            first = (
                f'<td rowspan="{len(objects)}">{number}</td><td rowspan="{len(objects)}">{escape(label)}</td>'
            )
            for place, (name, in_item) in enumerate(groupby(objects, key=lambda row: row.parameter), 1):
                items = list(in_item)
                head = f'<td rowspan="{len(items)}">{number}.{place}</td><td rowspan="{len(items)}">{escape(name)}</td>'
                for row in items:
                    body.append(
                        f'<tr>{first}{head}<td class="s">{escape(row.standard_text)}</td>'
                        f"<td>{escape(row.limit)}</td><td>{escape(row.note)}</td></tr>"
                    )
                    first = head = ""
    columns = "".join(f'<col style="width:{share}%">' for share in SHARES)
    headings = "".join(f"<th>{heading}</th>" for heading in HEADERS)
    page = f"""<!doctype html><html lang="zh-CN"><meta charset="utf-8"><style>
@page {{ size: A4 landscape; margin: 27mm 13mm 15mm;
  @top-right {{ content: "第 " counter(page) " 页 共 " counter(pages) " 页" }} }}
body {{ font: 9pt/1.35 "Noto Serif CJK SC" }} table {{ width: 100%; table-layout: fixed; border-collapse: collapse }}
th, td {{ border: .5pt solid #333; padding: 1.05mm 1.1mm; text-align: center }} td.s {{ text-align: left }}
thead {{ display: table-header-group }} tr {{ break-inside: avoid }}</style>
<table><colgroup>{columns}</colgroup><thead><tr>{headings}</tr></thead><tbody>{"".join(body)}</tbody></table>"""
    document = HTML(string=page).render()
    written = document.write_pdf(pdf_variant="pdf/a-3b")
    return {
        "rows": len(annex.rows),
        "pages": len(document.pages),
        "kb": len(written) / 1024,
        "cpu": time.process_time(),
    }


TYPST = """
#set page(paper: "a4", flipped: true, margin: (top: 27mm, x: 13mm, bottom: 15mm), header: align(right, context [第
  #counter(page).display() 页 共 #counter(page).final().at(0) 页]))
#set text(font: "Noto Serif CJK SC", size: 9pt, lang: "zh", region: "cn")
#set document(title: "附表", date: datetime(year: 2026, month: 11, day: 21))
#let rows = json("rows.json")
#table(columns: (6fr, 15fr, 7.5fr, 17fr, 32.5fr, 13fr, 9fr), stroke: .5pt, inset: (x: 1.1mm, y: 2.33mm),
  align: (x, y) => (if x == 4 and y > 0 {left} else {center}) + horizon,
  table.header(HEADINGS),
  ..rows.map(r => {
    let cells = ()
    if r.at(0) != "" { cells.push(table.cell(colspan: 7, align: left, strong(r.at(0)))) }
    let merged(n, text) = table.cell(rowspan: n, text)
    if r.at(1) > 0 { cells.push(merged(r.at(1), r.at(2))); cells.push(merged(r.at(1), r.at(3))) }
    if r.at(4) > 0 { cells.push(merged(r.at(4), r.at(5))); cells.push(merged(r.at(4), r.at(6))) }
    cells.push(r.at(7)); cells.push(r.at(8)); cells.push(r.at(9))
    cells
  }).flatten())
"""


def typst_peer(package: str) -> dict[str, Any]:
    """typst, one table of all rows with the same columns."""
    import typst

    annex = package_values(package)[1]
    flat: list[list[Any]] = []
    for section, in_section in groupby(annex.rows, key=lambda row: (row.site, row.section)):
        bar = section[1]
        for number, (label, in_object) in enumerate(groupby(in_section, key=lambda row: row.object), 1):
            objects = list(in_object)
            span = len(objects)
            for place, (name, in_item) in enumerate(groupby(objects, key=lambda row: row.parameter), 1):
                items = list(in_item)
                inner = len(items)
                for row in items:
                    texts = [row.standard_text, row.limit, row.note]
                    flat.append([bar, span, str(number), label, inner, f"{number}.{place}", name, *texts])
                    bar, span, inner = "", 0, 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rows.json").write_text(json.dumps(flat, ensure_ascii=False), "utf-8")
        headings = ", ".join(f"[*{heading}*]" for heading in HEADERS)
        source = Path(folder) / "annex.typ"
        source.write_text(TYPST.replace("HEADINGS", headings), "utf-8")
        started = time.process_time()
        written = typst.compile(str(source), pdf_standards=["a-3b"])
    spent = time.process_time()
    compiling = spent - started
    with Pdf.open(io.BytesIO(written)) as document:
        pages = len(document.pages)
    return {
        "rows": len(annex.rows),
        "pages": pages,
        "kb": len(written) / 1024,
        "cpu": spent,
        "warm": compiling,
    }


KINDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "ours": ours, "typst": typst_peer, "plain WeasyPrint": plain, "certificate alone": alone, "200 certificates": batch,
}  # fmt: skip
RUNS = (
    ("certificate alone", "P01"), ("ours", "P01"), ("typst", "P01"), ("plain WeasyPrint", "P01"),
    ("ours", "P13"), ("typst", "P13"), ("plain WeasyPrint", "P13"), ("ours", "P14"), ("typst", "P14"),
    ("200 certificates", "P01"),
)  # fmt: skip


def one(kind: str, package: str) -> dict[str, Any]:
    """Measure once, in a process of its own."""
    asked = [sys.executable, "-m", "bench.certificate", "--one", kind, package]
    done = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def results(rounds: int) -> dict[tuple[str, str], dict[str, Any]]:
    """Medians over interleaved rounds."""
    seen: dict[tuple[str, str], list[dict[str, Any]]] = {run: [] for run in RUNS}
    for _ in range(rounds):
        for run in RUNS:
            seen[run].append(one(*run))
    return {
        run: {name: statistics.median(each[name] for each in found) for name in found[0]}
        for run, found in seen.items()
    }


def report(found: dict[tuple[str, str], dict[str, Any]], rounds: int) -> str:
    """The results as Markdown."""
    names = ("weasyprint", "typst", "uharfbuzz", "pikepdf")
    lines = [
        f"Medians of {rounds} interleaved rounds; Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in names) + f", {os.cpu_count()} processors.",
        "",
        "| what | rows | pages | CPU s, whole process | CPU s, warm | peak MB | file KB |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for (kind, package), one_of in found.items():
        warm = f"{one_of['warm']:.2f}" if "warm" in one_of else ""
        label = kind if kind in ("certificate alone", "200 certificates") else f"{package}, {kind}"
        lines.append(
            f"| {label} | {one_of['rows']:,.0f} | {one_of['pages']:,.0f} | {one_of['cpu']:.2f} | {warm} "
            f"| {one_of['peak']:.0f} | {one_of['kb']:,.0f} |"
        )
    lines += ["", "| promise | target | measured |", "|---|---|---|"]
    p14, small, many = (
        found["ours", "P14"],
        found["certificate alone", "P01"],
        found["200 certificates", "P01"],
    )

    def against(package: str) -> str:
        mine, theirs = found["ours", package], found["typst", package]
        return f"{mine['warm'] / theirs['warm']:.2f} (whole processes: {mine['cpu'] / theirs['cpu']:.2f})"

    measured = {
        "certificate alone, warm": f"{small['warm']:.2f} s, {small['kb']:.0f} KB",
        "P14": f"{p14['warm']:.2f} s ({p14['cpu']:.2f} s with start), {p14['peak']:.0f} MB, {p14['kb'] / 1024:.1f} MB",
        "P13 against typst": against("P13"),
        "P14 against typst": against("P14"),
        "200 certificates": f"{many['cpu']:.1f} s with start, {many['kb'] / 1024:.1f} MB",
    }
    lines += [f"| {promise} | {target} | {measured[promise]} |" for promise, target in TARGETS.items()]
    return "\n".join(lines) + "\n"


def measure(rounds: int = 3) -> str:
    """Everything, as Markdown."""
    return report(results(rounds), rounds)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Certificate and annex beside typst and plain WeasyPrint.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("KIND", "PACKAGE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        answer = KINDS[asked.one[0]](asked.one[1])
        answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer))
        return
    found = results(asked.rounds)
    if asked.json:
        print(json.dumps({"/".join(run): values for run, values in found.items()}, indent=2))
    else:
        print(report(found, asked.rounds))


if __name__ == "__main__":
    main()

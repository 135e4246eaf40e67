"""A bureau's old certificates come in from a CSV file; what is wrong is said by its line and stops nothing else."""

from dataclasses import MISSING, fields

import pytest
from click.testing import CliRunner

import app as root
from store.certificates import CertificateStore
from tests.web.browsers import quick_passwords
from web.commands import Installation, command_line

HEAD = "number,uscc,agency_name,agency_address,valid_from,valid_to,annex,signatories\n"


@pytest.fixture
def run(settings, clock, house, tmp_path):
    """`run(content, **files)`: the command on a CSV file, beside which further files lie."""

    def command(content, **files):
        for name, text in {"old": content, **files}.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")

        def open_house(_settings):
            return root.open_house(settings, clock=clock, passwords=quick_passwords())

        unused = {f.name: None for f in fields(Installation) if f.default is f.default_factory is MISSING}
        place = Installation(**{**unused, "open_house": open_house})
        place._settings = settings
        return CliRunner().invoke(command_line(), ["certificate", "import", str(tmp_path / "old.csv")], obj=place)

    return command


def test_old_certificates_are_entered_with_their_annex_and_may_be_given_again(run, house):
    lines = HEAD + "202713340777,9144030071526726XG,云岭检测,示例路1号,2020-05-06,2026-05-05,rows.csv,people.csv\n"
    rows = "site,section,category,object,parameter,standard_text\n一号楼,水,水质,地表水,pH,GB 6920-1986\n"
    people = "name,title,field\n李四,高工,水质\n"
    done = run(lines, rows=rows, people=people)
    assert "1 certificates entered, 0 refused" in done.output, done.output
    held = CertificateStore(house.database).find(number="202713340777")
    assert held.imported and held.agency_name == "云岭检测"
    assert CertificateStore(house.database).annex(held.id).rows[0].parameter == "pH"
    again = run(lines, rows=rows, people=people)
    assert again.exit_code == 1 and "already in the register" in again.output


@pytest.mark.parametrize(("line", "said"), [
    ("20271334077,9144030071526726XG,x,,2020-05-06,2026-05-05,,", "12 digits"),
    ("202713340777,9144030071526726XH,x,,2020-05-06,2026-05-05,,", "line 2"),
    ("202713340777,9144030071526726XG,x,,06.05.2020,2026-05-05,,", "not a date"),
    ("202713340777,9144030071526726XG,x,,2020-05-06,2020-05-06,,", "end before it begins"),
    ("202713340777,9144030071526726XG,x,,2020-05-06,2026-05-05,../rows.csv,", "no file"),
    ("202713340777,9144030071526726XG,x,,2020-05-06,2026-05-05,absent.csv,", "no file"),
])  # fmt: skip
def test_what_is_wrong_is_said_by_its_line(run, house, line, said):
    done = run(HEAD + line + "\n")
    assert done.exit_code == 1 and said in done.output and "Traceback" not in done.output
    assert CertificateStore(house.database).find(number="202713340777") is None


def test_a_file_without_the_needed_columns_is_refused(run):
    done = run("number,uscc\n1,2\n")
    assert done.exit_code == 1 and "valid_from" in done.output

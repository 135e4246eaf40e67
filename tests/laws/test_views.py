"""Laws of the ways in: short views, typed kebab-case addresses, one form per command, one pen for a state."""
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import app as root
import configuration
from forms.actions import FORMS
from workflow.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
LONGEST_VIEW = 15
METHODS = {"get", "post", "route", "put", "delete", "patch"}
SEGMENT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?$|<([a-z]+(\([^)]*\))?:)?[a-z_]+>(\.[a-z]+)?$")


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def is_view(node: ast.FunctionDef) -> bool:
    return any(isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) and d.func.attr in METHODS
               and isinstance(d.func.value, ast.Name) for d in node.decorator_list)


def lines_of(node: ast.FunctionDef) -> int:
    """Lines of the body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]


VIEWS = [(path, node) for path in sorted((ROOT / "web").rglob("*.py")) for node in functions(path) if is_view(node)]


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    var = tmp_path_factory.mktemp("laws")
    made = root.create_app(configuration.load(
        var=var, database_url=f"sqlite:///{var}/laws.sqlite3", secret_key="k" * 40, embedded_worker=False))
    yield made
    made.extensions["wujian"].database.close()


def test_there_are_views_to_judge():
    assert len(VIEWS) > 20


def test_a_view_is_at_most_fifteen_lines():
    assert [f"{path.relative_to(ROOT)}: {node.name} {lines_of(node)}" for path, node in VIEWS
            if lines_of(node) > LONGEST_VIEW] == []


def test_addresses_are_kebab_case_and_typed(application):
    wrong = [rule.rule for rule in application.url_map.iter_rules() if rule.endpoint != "static"
             for segment in rule.rule.strip("/").split("/") if segment and not SEGMENT.fullmatch(segment)]
    assert wrong == []


def test_an_endpoint_answers_one_method(application):
    wrong = {rule.endpoint: sorted(rule.methods) for rule in application.url_map.iter_rules()
             if len((rule.methods or set()) - {"HEAD", "OPTIONS"}) != 1}
    assert wrong == {}


def test_every_command_of_a_person_has_a_form():
    told_by_cases = {"Inform"}
    assert {command.__name__ for command in FORMS} == set(COMMANDS) - told_by_cases


def test_only_the_pen_changes_a_case():
    """An UPDATE of the case table is written down in `store/pen.py` and nowhere else."""
    writers = {str(path.relative_to(ROOT)) for path in sorted((ROOT / "store").rglob("*.py"))
               for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if updates_a_case(node)}
    assert writers == {"store/pen.py"}


def updates_a_case(node: ast.AST) -> bool:
    """`update(CaseRecord)`, `update(_CASE)` or `update(table_of(CaseRecord))`, and `insert` alike."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("update", "insert")):
        return False
    target = node.args[0] if node.args else None
    if isinstance(target, ast.Call) and target.args:
        target = target.args[0]
    return isinstance(target, ast.Name) and target.id in ("CaseRecord", "_CASE")


def test_the_law_of_the_pen_sees_a_second_pen():
    for text in ("update(_CASE).values(state='granted')", "update(CaseRecord)", "insert(table_of(CaseRecord))"):
        assert any(updates_a_case(node) for node in ast.walk(ast.parse(text))), text

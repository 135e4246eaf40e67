"""Every word on a screen goes through the catalogue, and the Chinese catalogue is whole."""
import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from jinja2 import Environment, nodes
from jinja2.visitor import NodeVisitor

ROOT = Path(__file__).resolve().parents[2]
CJK = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"(?!\b(?:KB|MB|GB|mm|PDF|SHA)\b)\b[A-Za-z]{2,}|[\u3400-\u9fff]")   # units are the same everywhere
SPOKEN_ATTRIBUTES = {"alt", "aria-label", "aria-description", "aria-roledescription", "placeholder", "title", "label"}
SILENT_ELEMENTS = {"script", "style", "code", "kbd", "samp", "path"}
GETTEXT = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
PRINTED = ROOT / "templates" / "pdf"                # Chinese by law: certificates, notices
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if PRINTED not in path.parents)

_spec = importlib.util.spec_from_file_location("translations_update", ROOT / "translations" / "update.py")
assert _spec and _spec.loader
update = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(update)


def test_no_message_lacks_its_chinese() -> None:
    complaints = list(update.complaints(update.extracted(), update.catalogue()))
    assert not complaints, "run translations/update.py --missing, fill, and --fill it:\n" + "\n".join(
        f"{why}: {msgid}" for msgid, why in complaints)


def test_the_extraction_reads_code_and_templates() -> None:
    ids = {update.singular(message) for message in update.extracted() if message.id}
    assert {"What you can do now", "due today", "%(num)d working day left", "Waiting for %(departments)s."} <= ids


def test_a_chinese_text_is_chinese() -> None:
    for message in update.catalogue():
        if message.id and WORD.search(update.singular(message)):
            assert all(CJK.search(text) for text in update.strings(message) if text), message.id


@pytest.mark.parametrize("broken, why", [
    ('msgid "Save"\nmsgstr ""\n', "missing"), ('#, fuzzy\nmsgid "Save"\nmsgstr "保存"\n', "fuzzy"),
    ('msgid "%(n)s rows"\nmsgstr "行"\n', "names"), ("", "missing"),
])
def test_a_gap_in_the_catalogue_is_noticed(broken: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "messages.po"
    path.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n' + broken, encoding="utf-8")
    with path.open("rb") as stream:
        kept = update.read_po(stream, locale="zh_Hans_CN")
    code = update.Catalog(locale="zh_Hans_CN")
    code.add("%(n)s rows" if why == "names" else "Save")
    assert [said.split()[0] for _, said in update.complaints(code, kept)] == [why]


# -- templates: the words between the tags, and the words handed to macros ---------------------------------------


class Skeleton(NodeVisitor):
    """The raw HTML of a template in source order, with a neutral mark where it computes something, and every
    string constant that is not already inside a gettext call."""

    def __init__(self) -> None:
        self.html: list[str] = []
        self.constants: list[tuple[int, str]] = []

    def visit_TemplateData(self, node: nodes.TemplateData) -> None:
        self.html.append(node.data)

    def visit_Block(self, node: nodes.Block) -> None:
        if not node.name.endswith("_class"):         # such a block holds class names, which nobody reads
            self.generic_visit(node)

    def visit_Output(self, node: nodes.Output) -> None:
        for child in node.nodes:
            if isinstance(child, nodes.TemplateData):
                self.html.append(child.data)
            else:
                self.html.append("0")
                self.visit(child)

    def visit_Call(self, node: nodes.Call) -> None:
        if isinstance(node.node, nodes.Name) and node.node.name in GETTEXT:
            for keyword in node.kwargs:              # the values put into a sentence are judged on their own
                self.visit(keyword)
            return
        self.generic_visit(node)

    def visit_Const(self, node: nodes.Const) -> None:
        if isinstance(node.value, str):
            self.constants.append((node.lineno, node.value))


def skeleton(source: str) -> Skeleton:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    environment.newstyle_gettext = True
    found = Skeleton()
    found.visit(environment.parse(source))
    return found


def bare_words(source: str) -> Iterator[str]:
    """Words of a template that a reader would see and no catalogue would translate."""
    found = skeleton(source)
    tree = html5lib.parse("".join(found.html), treebuilder="etree", namespaceHTMLElements=False)
    yield from _in_elements(tree, marked=False)
    for line, text in found.constants:
        sentence = re.search(r"^[A-Z][a-z]+( |$|[.,:?!])", text) and not re.search(r"^[A-Z]\w*/\w+$", text)
        if CJK.search(text) or sentence:
            yield f"line {line}: {text!r}"


def _in_elements(element: object, marked: bool) -> Iterator[str]:
    tag = element.tag                                # type: ignore[attr-defined]
    if not isinstance(tag, str) or tag in SILENT_ELEMENTS:
        return
    # <html lang> names the page's language; a lang on an inner element marks a name that stands as it is
    marked = marked or (tag != "html" and "lang" in element.attrib)      # type: ignore[attr-defined]
    if not marked:
        for name, value in element.attrib.items():   # type: ignore[attr-defined]
            spoken = name in SPOKEN_ATTRIBUTES or name.startswith("data-words") or (name == "value" and tag == "input"
                     and element.attrib.get("type") in ("submit", "button", "reset"))     # type: ignore[attr-defined]
            if spoken and WORD.search(value):
                yield f"<{tag} {name}={value!r}>"
        if element.text and WORD.search(element.text):                    # type: ignore[attr-defined]
            yield f"<{tag}>{element.text.strip()}"                        # type: ignore[attr-defined]
    for child in element:                            # type: ignore[attr-defined]
        yield from _in_elements(child, marked)
        if not marked and child.tail and WORD.search(child.tail):
            yield f"<{tag}>…{child.tail.strip()}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_speaks_only_through_the_catalogue(path: Path) -> None:
    assert list(bare_words(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("source", [
    "<p>Hello there</p>", "<p>您好</p>", "<p>{{ name }} waits</p>", '<input placeholder="Type here">',
    '<img alt="印章">', "{{ field(form.name, hint='As on the licence') }}", "{{ '已保存' }}",
    "{% if x %}<b>Yes</b>{% endif %}", "{{ _('fine', who='张三') }}", '<input type="submit" value="Go on">',
    "{% set words = 'Nothing here.' %}", "<p>{{ _('fine') }} and more</p>", "{% macro m(label='Send') %}{% endmacro %}",
])
def test_words_that_bypass_the_catalogue_are_noticed(source: str) -> None:
    assert list(bare_words(source))


@pytest.mark.parametrize("source", [
    "<p>{{ _('Hello') }}</p>", "{% trans %}Hello there{% endtrans %}", '<b lang="zh-Hans">五减</b>',
    "<a class='btn btn-primary' href='/x'>{{ label }}</a>", "<code>GB/T 5750</code>", "<p>{{ 3 }} · 5</p>",
    "{# 注释 Comment #}<p>{{ say(label) }}</p>", "{% if kind == 'error' %}{% endif %}",
])
def test_words_of_the_catalogue_and_marked_names_pass(source: str) -> None:
    assert not list(bare_words(source))


# -- code: what is flashed, and what forms call their fields ------------------------------------------------------

SPEAKING_ROOMS = [path for room in ("web", "forms") for path in sorted((ROOT / room).rglob("*.py"))]


def untranslated_calls(source: str) -> Iterator[str]:
    """flash("..."), SomeField("...") and message="..." whose words are a bare string."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        spoken = list(node.args[:1]) if name == "flash" or (name.endswith("Field") and name != "field") else []
        if name in ("StopValidation", "ValidationError"):
            spoken += node.args[:1]
        spoken += [keyword.value for keyword in node.keywords if keyword.arg in ("message", "description")
                   and (name[:1].isupper() and not name.isupper())]
        for words in spoken:
            literal = isinstance(words, ast.Constant) and isinstance(words.value, str)
            if (literal or isinstance(words, ast.JoinedStr)) and WORD.search(ast.unparse(words)):
                yield f"line {node.lineno}: {name}({ast.unparse(words)})"


@pytest.mark.parametrize("path", SPEAKING_ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_speaks_to_people_only_through_the_catalogue(path: Path) -> None:
    assert list(untranslated_calls(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("source", ["flash('Saved')", "flash(f'{n} rows read')", "StringField('Name')",
                                    "wtforms.IntegerField('数量')", "Length(max=5, message='Too long')"])
def test_bare_words_in_code_are_noticed(source: str) -> None:
    assert list(untranslated_calls(source))


def test_translated_words_in_code_pass() -> None:
    source = "flash(_('Saved'))\nStringField(_l('Name'), description=_l('x'))\nflash(say(m))"
    assert not list(untranslated_calls(source))

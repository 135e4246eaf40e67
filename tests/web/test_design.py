"""The look, by itself: every component of /design under the strict policy, at both widths, in both languages."""
import re
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from types import SimpleNamespace as Sample
from typing import Any

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, render_template, render_template_string, request
from flask.testing import FlaskClient
from flask_babel import lazy_gettext
from flask_wtf import CSRFProtect, FlaskForm
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.serving import make_server
from wtforms import FieldList, FormField, HiddenField, RadioField, SelectChoice, StringField

from web import design, faces, language
from workflow.deadlines import Standing
from workflow.reckoning import Why
from workflow.vocabulary import Message

ROOT = Path(__file__).resolve().parents[2]
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
          "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'")
STATUSES = (400, 401, 403, 404, 409, 413, 422, 429, 500, 503)
WIDTHS = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
GUARDED_FORM = """{% extends "layouts/page.html" %}{% from "macros/forms.html" import saved_status %}
{% block content %}<form id="f" method="post" action="/saved" data-autosave="/saved" data-dirty-guard>
<input type="hidden" name="version" value="1"><label>{{ _("Opinion") }} <input name="words"></label>
<button class="btn">{{ _("Save") }}</button>{{ saved_status() }}</form>{% endblock %}"""


def make_app() -> Flask:
    app = Flask("wujian", root_path=str(ROOT))
    app.config.update(SECRET_KEY="only for tests", BUREAU_NAME="云岭省市场监督管理局", TESTING=True)
    app.jinja_env.undefined = StrictUndefined
    CSRFProtect(app)
    language.register(app)
    design.register(app)
    app.config["SENT"] = []

    @app.get("/error/<int:status>")
    def error(status: int) -> tuple[str, int]:
        return render_template(f"errors/{status}.html", reference="R-1234"), status

    @app.get("/form")
    def form() -> str:
        return render_template_string(GUARDED_FORM)

    @app.post("/saved")
    def saved() -> tuple[dict[str, Any], int]:
        app.config["SENT"].append(request.form.to_dict())
        version = str(len(app.config["SENT"]) + 1)
        return {"saved_at": "14:05", "fields": {"version": version}}, app.config.get("STATUS", 200)

    @app.after_request
    def policy(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


@pytest.fixture
def app() -> Flask:
    return make_app()


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


def rendered(app: Flask, template: str, **values: Any) -> str:
    with app.test_request_context("/"):
        return unescape(render_template_string(template, **values))


# -- every page --------------------------------------------------------------------------------------------------

PAGES = ["/design", "/design/print", "/form", *(f"/error/{status}" for status in STATUSES)]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("tongue, lang", [("zh", "zh-Hans-CN"), ("en", "en")])
def test_a_page_is_html_without_inline_script_or_style(visitor: FlaskClient, path: str, tongue: str, lang: str) -> None:
    page = visitor.get(f"{path}?lang={tongue}").get_data(as_text=True)
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(page)
    assert not parser.errors, parser.errors
    assert tree.attrib["lang"] == lang
    for element in tree.iter():
        assert not [name for name in element.attrib if name == "style" or name.startswith("on")], element.tag
        assert element.tag != "style"
        assert element.tag != "script" or element.attrib.get("src", "").startswith("/static/")
        assert "://" not in element.attrib.get("href", "") + element.attrib.get("src", "")
    assert len(tree.findall(".//h1")) == 1
    ids = [element.attrib["id"] for element in tree.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("status", STATUSES)
def test_an_error_page_says_what_to_do_next_and_gives_a_number_to_quote(visitor: FlaskClient, status: int) -> None:
    answer = visitor.get(f"/error/{status}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert "下一步怎么办" in page and "R-1234" in page and page.count("<li>") >= 2


def test_pages_stand_without_a_visitor_and_without_desks(visitor: FlaskClient) -> None:
    page = visitor.get("/form").get_data(as_text=True)
    assert "wj-rail" not in page and "跳到正文" in page


def test_a_class_of_ours_that_a_template_names_has_a_style() -> None:
    styles = "".join(path.read_text("utf-8") for path in (ROOT / "static" / "css").glob("*.css"))
    known = set(re.findall(r"\.(wj-[\w-]+)", styles))
    for folder in ("layouts", "macros", "design", "errors"):
        for path in (ROOT / "templates" / folder).glob("*.html"):
            named = {word for value in re.findall(r'class="([^"]*)"', path.read_text("utf-8"))
                     for word in re.findall(r"(?<![\w-])wj-[a-z][\w-]*", value)}
            assert named <= known, f"{path.name}: {sorted(named - known)}"


# -- language ----------------------------------------------------------------------------------------------------


def test_chinese_is_the_default_and_a_choice_is_remembered(visitor: FlaskClient) -> None:
    assert "设计规范" in visitor.get("/design", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Design language" in visitor.get("/design?lang=en").get_data(as_text=True)
    assert "Design language" in visitor.get("/design").get_data(as_text=True)
    assert "设计规范" in visitor.get("/design?lang=zh").get_data(as_text=True)
    assert "设计规范" in visitor.get("/design").get_data(as_text=True)


@pytest.mark.parametrize("asked", ["fr", "", "zh'", "../en", "en\x00"])
def test_a_language_we_do_not_speak_changes_nothing(visitor: FlaskClient, asked: str) -> None:
    answer = visitor.get("/design", query_string={"lang": asked})
    assert "设计规范" in answer.get_data(as_text=True) and "Set-Cookie" not in answer.headers


def test_the_switch_keeps_the_rest_of_the_address(app: Flask) -> None:
    with app.test_request_context("/design?after=9&q=%E6%B0%B4&lang=zh"):
        assert language.here(lang="en", after=None) == "/design?q=%E6%B0%B4&lang=en"
    with app.test_request_context("/nowhere?a=1"):
        assert language.here(lang="en") == "/nowhere?a=1&lang=en"


def test_words_that_come_as_data_are_translated_and_percent_signs_survive(app: Flask) -> None:
    waiting = Message("Waiting for %(departments)s.", {"departments": ["公安厅", "交通运输厅"]})
    with app.test_request_context("/"):
        assert language.say(waiting) == "等待公安厅、交通运输厅答复。"
        assert language.say(Message("Accept", {}, "受理申请")) == "受理申请"
        assert language.say(Message("Until %(on)s", {"on": date(2026, 2, 10)})) == "Until 2026年2月10日"
        assert language.say("100% sure") == "100% sure"
        assert language.say(None) == ""
    with app.test_request_context("/?lang=en"):
        assert language.say(waiting) == "Waiting for 公安厅, 交通运输厅."
        assert language.say(Message("Accept", {}, "受理申请")) == "Accept"


def test_dates_and_numbers_follow_the_language_and_the_clock_of_shanghai(app: Flask) -> None:
    late = datetime(2026, 2, 9, 17, 30, tzinfo=UTC)
    with app.test_request_context("/"):
        assert (language.day(late), language.moment(late)) == ("2026年2月10日", "2026-02-10 01:30")
        assert language.day_with_weekday(date(2026, 2, 10)) == "2026年2月10日 周二"
        assert (language.working_days(5), language.number(20075)) == ("5 个工作日", "20,075")
        assert language.left(-3) == "已逾期 3 个工作日" and language.left(0) == "今日到期"
    with app.test_request_context("/?lang=en"):
        assert (language.day(late), language.working_days(1)) == ("10 Feb 2026", "1 working day")
        assert language.left(2) == "2 working days left"
        assert language.iso_day(None) == "—"
    with pytest.raises(ValueError):
        language.moment(datetime(2026, 2, 9, 17, 30))  # noqa: DTZ001


def test_a_changed_catalogue_is_compiled_once(tmp_path: Path) -> None:
    source = tmp_path / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    source.write_text(header + 'msgid "a"\nmsgstr "甲"\n', "utf-8")
    assert language.compile_stale(tmp_path) == [source.with_suffix(".mo")]
    assert language.compile_stale(tmp_path) == []


# -- components --------------------------------------------------------------------------------------------------


def test_every_standing_of_a_clock_has_a_face_of_its_own(app: Flask) -> None:
    with app.test_request_context("/"):
        shown = {standing: faces.due_face(Sample(standing=standing, days_left=1, due_on=None)) for standing in Standing}
    assert {standing.value for standing in shown} == set(faces.STANDINGS)
    assert len({(face.css, face.words, face.icon) for face in shown.values()}) == len(shown)
    assert {why.value for why in Why} == set(faces.WHY)


@pytest.mark.parametrize("days, strokes", [(0, 0), (1, 1), (4, 4), (5, 5), (28, 5)])
def test_a_due_badge_draws_one_stroke_for_each_day_left_to_five(app: Flask, days: int, strokes: int) -> None:
    page = rendered(app, '{% from "macros/status.html" import due %}{{ due(clock) }}',
                    clock={"standing": "running", "days_left": days, "due_on": date(2026, 3, 2), "provisional": True})
    assert page.count('class="on"') == strokes
    assert "2026-03-02" in page and "暂按法定节假日推算" in page


def test_each_tone_has_its_own_shape_and_an_unknown_tone_is_neutral() -> None:
    assert len(set(faces.SHAPES.values())) == len(faces.TONES)
    assert faces.shape_of("purple") == faces.SHAPES["neutral"]


def test_a_greyed_button_says_why_in_text_and_takes_the_focus(app: Flask) -> None:
    offers = [Sample(action=Sample(name="grant", label=Message("Grant", {}, "准予许可")),
                     unmet=Message("Waiting for %(departments)s.", {"departments": ["公安厅"]}))]
    bar = '{% from "macros/actions.html" import action_bar %}{{ action_bar(none, offers, address=address) }}'
    page = rendered(app, bar, offers=offers, address=str)
    assert 'aria-disabled="true" tabindex="0" aria-describedby="why-grant"' in page
    assert "等待公安厅答复。" in page and "href" not in page


def test_an_act_against_the_applicant_looks_different_from_the_first_thing_to_do(app: Flask) -> None:
    offers = [Sample(action=Sample(name=name, label=name, spec=Sample(tone=tone)), unmet=None)
              for name, tone in (("accept", "primary"), ("refuse", "danger"), ("correct", "plain"))]
    bar = '{% from "macros/actions.html" import action_bar %}{{ action_bar(none, offers, address=address) }}'
    page = rendered(app, bar, offers=offers, address=str)
    assert [part.split('"')[0] for part in page.split('class="')[2:]] == ["btn btn-primary", "btn btn-danger", "btn"]


def test_words_in_values_are_escaped(app: Flask) -> None:
    with app.test_request_context("/"):
        page = render_template_string('{% from "macros/status.html" import status %}{{ status(label, "<b>") }}',
                                      label=Message("%(x)s", {"x": "<script>"}))
    assert "&lt;script&gt;" in page and isinstance(page, (str, Markup)) and "<script" not in page


class InnerForm(FlaskForm):  # type: ignore[misc]
    standard = StringField("Standard")


class OuterForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", description="As on the licence")
    track = RadioField("Track", choices=[SelectChoice("a", "A"), SelectChoice("b", "B")])
    secret = HiddenField()
    rows = FieldList(FormField(InnerForm), min_entries=1)


def make_refused_form() -> OuterForm:
    form = OuterForm(formdata=None, meta={"csrf": False})
    form.name.errors = [lazy_gettext("Too <short>")]
    form.track.errors = ["Choose one"]
    form.secret.errors = ["Expired"]
    form.rows[0].form.standard.errors = ["Replaced"]
    return form


def test_a_field_ties_label_hint_and_error_together(app: Flask) -> None:
    with app.test_request_context("/"):
        fields = '{% from "macros/forms.html" import field %}{% for f in form %}{{ field(f) }}{% endfor %}'
        page = render_template_string(fields, form=make_refused_form())
    tree = html5lib.parse(f"<!doctype html><title>x</title>{page}", namespaceHTMLElements=False)
    by_id = {element.attrib["id"]: element for element in tree.iter() if "id" in element.attrib}
    name = by_id["name"]
    assert name.attrib["aria-invalid"] == "true"
    described = name.attrib["aria-describedby"].split()
    assert described == ["name-hint", "name-error"]
    assert "Too <short>" in "".join(by_id["name-error"].itertext())
    assert by_id["track"].tag == "fieldset" and by_id["track"].find("legend") is not None
    labels = {element.attrib.get("for") for element in tree.iter("label")}
    assert {"name", "track-0", "track-1", "rows-0-standard"} <= labels


def test_the_summary_leads_to_each_field_also_to_nested_ones(app: Flask) -> None:
    with app.test_request_context("/"):
        problems = faces.form_problems(make_refused_form())
        page = render_template_string('{% from "macros/forms.html" import error_summary %}{{ error_summary(form) }}',
                                      form=make_refused_form())
    assert problems == [("name", "Name", "Too <short>"), ("track", "Track", "Choose one"), (None, "", "Expired"),
                        ("rows-0-standard", "Standard", "Replaced")]
    assert 'href="#rows-0-standard"' in page and "4 处需要更正" in page and 'role="alert"' in page


def test_a_page_of_a_queue_keeps_its_filter(app: Flask) -> None:
    with app.test_request_context("/design?q=x&before=3"):
        pager = '{% from "macros/tables.html" import pager %}{{ pager(next_key="9|2026", total=12) }}'
        page = render_template_string(pager)
    assert 'href="/design?q=x&amp;after=9%7C2026"' in page and "共 12 条" in page


def test_an_empty_place_says_what_comes_next(app: Flask) -> None:
    place = '{% from "macros/tables.html" import empty %}{{ empty(title, text, {"url": "/x", "label": "查询"}) }}'
    page = rendered(app, place, title="无待办", text="新申请会出现在这里")
    assert "新申请会出现在这里" in page and 'href="/x"' in page


# -- in a browser ------------------------------------------------------------------------------------------------


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def complaints(page: Any) -> list[str]:
    """What the browser's console says: broken policy, missing files, errors of scripts."""
    said: list[str] = []
    page.set_default_timeout(8000)
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def visit(page: Any, address: str) -> None:
    page.set_default_timeout(8000)
    page.goto(address)
    page.wait_for_selector("body[data-ready]")


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/design", "/design/print", "/error/404"])
def test_nothing_breaks_the_policy_and_nothing_scrolls_sideways(page: Any, site: str, complaints: list[str],
                                                                 width: str, path: str) -> None:
    page.set_viewport_size(WIDTHS[width])
    visit(page, site + path)
    assert [said for said in complaints if "404 (NOT FOUND)" not in said] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/design", "/design/print", "/error/500"])
def test_axe_finds_nothing_serious(browser: Any, site: str, width: str, path: str) -> None:
    context = browser.new_context(bypass_csp=True, viewport=WIDTHS[width])
    try:
        page = context.new_page()
        visit(page, site + path)
        found = Axe().run(page).response["violations"]
    finally:
        context.close()
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


@pytest.mark.browser
def test_what_is_pressed_on_a_phone_is_44_pixels_high(page: Any, site: str) -> None:
    page.set_viewport_size(WIDTHS["phone"])
    visit(page, site + "/design")
    low = page.evaluate("""[...document.querySelectorAll(
        '.btn, .form-control, .form-select, .wj-rail a, .wj-tabs a, .wj-check')]
        .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML.slice(0, 80))
    """)
    assert low == []


@pytest.mark.browser
def test_a_queue_is_walked_by_keyboard(page: Any, site: str) -> None:
    visit(page, site + "/design")
    focused = "document.activeElement.textContent"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "2026-0214"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "2026-0231"
    page.keyboard.press("k")
    assert page.evaluate(focused) == "2026-0214"
    page.keyboard.press("?")
    assert page.locator("#wj-keys").is_visible()
    page.keyboard.press("Escape")
    page.locator("#opinion").focus()
    page.keyboard.press("j")
    assert page.locator("#opinion").input_value() == "j"


@pytest.mark.browser
def test_accepting_all_then_excepting_sends_only_the_exceptions(page: Any, site: str) -> None:
    visit(page, site + "/design")
    page.locator("#selection input[data-row][value='2']").uncheck()
    assert "例外 2 行" in page.locator("[data-selection] output").inner_text()
    sent = page.evaluate("[...new FormData(document.querySelector('#selection form'))]")
    assert sent == [["selection", "all"], ["except", "3"], ["except", "2"]]
    page.locator("[data-selection-set='none']").click()
    assert page.locator("#selection input[data-row]:checked").count() == 0


@pytest.mark.browser
def test_giving_up_is_asked_about_first(page: Any, site: str) -> None:
    visit(page, site + "/design")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.locator("[data-confirm]").click()
    page.locator("#give-up button[value=cancel]").click()
    assert posts == [] and not page.locator("#give-up").is_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("[data-confirm]").click()
    with page.expect_request(lambda request: request.method == "POST"):
        page.locator("#give-up button[value=confirm]").click()
    assert len(posts) == 1


@pytest.mark.browser
def test_what_is_typed_is_saved_and_the_hidden_version_follows(app: Flask, page: Any, site: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    visit(page, site + "/form")
    page.locator("[name=words]").fill("同意")
    page.wait_for_selector("[data-saved-status][data-state=saved]")
    assert page.locator("[data-saved-status]").inner_text() == "已保存 14:05"
    assert app.config["SENT"] == [{"version": "1", "words": "同意"}]
    assert page.locator("[name=version]").input_value() == "2"
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.browser
def test_what_could_not_be_saved_is_offered_again(app: Flask, page: Any, site: str) -> None:
    app.config.update(WTF_CSRF_ENABLED=False, STATUS=503)
    page.on("dialog", lambda dialog: dialog.accept())
    visit(page, site + "/form")
    page.locator("[name=words]").fill("不同意，理由如下")
    page.wait_for_selector("[data-saved-status][data-state=failed]")
    visit(page, site + "/form")
    assert page.locator("[name=words]").input_value() == ""
    page.locator("[data-restore-yes]").click()
    assert page.locator("[name=words]").input_value() == "不同意，理由如下"


@pytest.mark.browser
def test_a_second_press_sends_nothing(app: Flask, page: Any, site: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    visit(page, site + "/form")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.evaluate("() => { const b = document.querySelector('#f button'); b.click(); b.click(); b.click(); }")
    page.wait_for_url("**/saved")
    assert len(posts) == 1

"""Every verb from the act page, as the person whose it is would use it."""

from collections.abc import Callable
from typing import Any

import pytest

from store.people import Account
from tests.store import factories
from tests.store.factories import CaseHand
from tests.web.pageforms import form_to
from web.context import House
from web.language import beside
from workflow import procedures
from workflow import verb_commands as v
from workflow.vocabulary import Role

# action -> (state, acts taken before it, who acts, what is typed or ticked)
USES: dict[str, tuple[str, tuple[str, ...], Role | str, dict[str, Any]]] = {
    "return_to_under_review_by_leader": (
        "awaiting_decision", (), Role.LEADER, {"reason": "补充", "way": "straight_back"}),
    "return_to_correction_requested": (
        "accepted", (), Role.REVIEW_ORGANISER, {"reason": "缺平面图", "way": "in_order"}),
    "transfer_by_leader": ("awaiting_decision", (), Role.LEADER, {"person": "second-leader", "reason": "出差"}),
    "consult_by_leader": ("awaiting_decision", (), Role.LEADER, {"person": "leader/second-leader", "question": "？"}),
    "stop_consulting_by_leader": ("awaiting_decision", ("consult_by_leader",), Role.LEADER, {}),
    "add_signer": ("awaiting_sign_off", (), Role.REVIEW_ORGANISER,
                   {"department": "transport", "place": "before", "reason": "涉及"}),
    "remove_signer": ("awaiting_sign_off", ("add_signer",), Role.REVIEW_ORGANISER,
                      {"department": "transport", "reason": "不涉及"}),
    "remind_by_applicant": ("awaiting_decision", (), "applicant", {}),
    "remind_by_officer": ("awaiting_decision", (), Role.WINDOW_OFFICER, {}),
    "suspend": ("awaiting_decision", (), Role.LEADER, {"ground": "hearing", "reason": "申请人要求听证"}),
    "resume": ("awaiting_decision", ("suspend",), Role.LEADER, {"reason": "听证结束"}),
    "copy": ("awaiting_decision", (), Role.WINDOW_OFFICER, {"persons": "second-leader"}),
    "comment_by_officer": ("awaiting_decision", (), Role.WINDOW_OFFICER, {"text": "已电话联系"}),
    "comment_by_applicant": ("awaiting_decision", (), "applicant", {"text": "材料已寄出"}),
}  # fmt: skip


@pytest.fixture
def case_in(house: House, accounts: dict[str, Account]) -> Callable[..., CaseHand]:
    """A case of the agency behind the account `applicant`, and a second leader to whom work can be given."""
    with house.database.writing() as connection:
        factories.in_the_pool(connection, "second-leader", [Role.LEADER])

    def make(state: str) -> CaseHand:
        return factories.cma_case(
            house.cases, state, agency_id=accounts["applicant"].agency_id, departments=["ecology", "health"]
        )

    return make


def use(browser: Any, hand: CaseHand, action: str, fields: dict[str, Any]) -> Any:
    """Open the page of the act, fill its form in and send it."""
    url = f"/cases/{hand.public_id}/actions/{action}"
    page = browser.get(url)
    assert page.status_code == 200, page.text
    form = form_to(page.text, url)
    assert set(fields) <= set(form.names), form.names
    for name, value in fields.items():
        assert name not in form.choices or value in form.choices[name], (name, form.choices)
    return browser.send(form.action, **form.with_(fields).to_dict(flat=False))


@pytest.mark.parametrize("action", USES)
def test_a_verb_is_done_from_its_page_and_told_in_the_history(
    case_in: Callable[..., CaseHand], client_of: Callable[..., Any], action: str
) -> None:
    state, before, who, fields = USES[action]
    hand = case_in(state)
    for earlier in before:
        assert use(client_of(USES[earlier][2]), hand, earlier, USES[earlier][3]).status_code == 302, earlier
    browser = client_of(who)
    home = "applications" if who == "applicant" else "cases"
    assert f"/actions/{action}" in browser.get(f"/{home}/{hand.public_id}").text
    answer = use(browser, hand, action, fields)
    assert answer.status_code == 302, answer.text
    done = hand.file.procedure.by_name[action].spec.done.zh
    history = client_of(Role.WINDOW_OFFICER).get(f"/cases/{hand.public_id}/timeline").text
    assert done in history
    if "person" in fields or "persons" in fields:
        assert "second-leader" in history
    assert all(text in history for name, text in fields.items() if name in ("reason", "question", "text"))
    assert factories.flaws(hand) == []


@pytest.mark.parametrize("action", [a for a in USES if USES[a][3]])
def test_a_verb_without_its_words_is_refused_on_the_field(
    case_in: Callable[..., CaseHand], client_of: Callable[..., Any], action: str
) -> None:
    state, before, who, fields = USES[action]
    hand = case_in(state)
    for earlier in before:
        use(client_of(USES[earlier][2]), hand, earlier, USES[earlier][3])
    version = hand.version
    for name in fields:
        if name in ("way", "place"):  # one of these is always chosen
            continue
        answer = use(client_of(who), hand, action, {n: value for n, value in fields.items() if n != name})
        assert answer.status_code == 422, name
        assert "error" in answer.text and hand.version == version, name


def test_whom_the_page_does_not_offer_is_refused(
    case_in: Callable[..., CaseHand], client_of: Callable[..., Any]
) -> None:
    hand = case_in("awaiting_decision")
    browser, url = client_of(Role.LEADER), f"/cases/{hand.public_id}/actions/transfer_by_leader"
    form = form_to(browser.get(url).text, url)
    for person in ("nobody", "second-leader ", "officer-ecology"):
        answer = browser.send(form.action, **form.with_({"person": person, "reason": "x"}).to_dict(flat=False))
        assert answer.status_code == 422, person


def test_straight_back_is_no_choice_where_it_leads_nowhere(
    case_in: Callable[..., CaseHand], client_of: Callable[..., Any]
) -> None:
    hand = case_in("under_review")
    url = f"/cases/{hand.public_id}/actions/return_to_accepted"
    assert form_to(client_of(Role.REVIEW_ORGANISER).get(url).text, url).choices["way"] == ["in_order"]


def test_every_verb_of_the_current_procedure_has_a_form_and_is_used_above() -> None:
    verbs = {a.spec.verb for a in procedures.find("cma", 2).actions if a.spec.verb}
    used = {procedures.find("cma", 2).by_name[name].spec.verb for name in USES}
    assert verbs - used == {"recall", "hand_back", "advise"}  # walked in the test below


def test_a_return_is_answered_straight_back_and_advice_given(
    case_in: Callable[..., CaseHand], client_of: Callable[..., Any], house: House
) -> None:
    hand = case_in("awaiting_decision")
    use(client_of(Role.LEADER), hand, "consult_by_leader", USES["consult_by_leader"][3])
    asked = factories.person("second-leader", Role.LEADER)
    hand.take("advise", v.Advise(advice="可以"), by=asked)
    returned = use(client_of(Role.LEADER), hand, "return_to_under_review_by_leader",
                   USES["return_to_under_review_by_leader"][3])  # fmt: skip
    assert returned.status_code == 302 and hand.state == "under_review"
    hand.take("conclude_meets_back_to_awaiting_decision")
    assert hand.state == "awaiting_decision" and factories.flaws(hand) == []
    page = client_of(Role.LEADER).get(f"/cases/{hand.public_id}").text
    assert "/actions/grant" in page and house.settings


def test_an_applicant_reads_why_the_application_came_back_and_hands_it_in_again_where_it_was(
    case_in: Callable[..., CaseHand], client_of: Callable[..., Any]
) -> None:
    hand = case_in("accepted")
    hand.take("return_to_correction_requested", v.Return(reason="附表1第3行缺少限制范围", way="straight_back"))
    own, home = client_of("applicant"), f"/applications/{hand.public_id}"
    assert "附表1第3行缺少限制范围" in own.get(home).text
    form = form_to(own.get(f"{home}/preview").text, f"{home}/resubmit")
    assert own.send(form.action, **form.filled.to_dict(flat=False)).status_code == 303
    assert hand.state == "accepted" and factories.flaws(hand) == []


@pytest.mark.parametrize("action", USES)
def test_a_verb_on_a_case_that_changed_meanwhile_says_by_whom_and_keeps_what_was_typed(
    case_in: Callable[..., CaseHand], client_of: Callable[..., Any], action: str
) -> None:
    state, before, who, fields = USES[action]
    hand = case_in(state)
    for earlier in before:
        use(client_of(USES[earlier][2]), hand, earlier, USES[earlier][3])
    browser, url = client_of(who), f"/cases/{hand.public_id}/actions/{action}"
    form = form_to(browser.get(url).text, url)
    other = factories.person("另一位官员", Role.INSPECTOR)
    hand.take("comment_by_officer", v.Comment(text="窗口同时补充了说明"), by=other)
    seen, typed = hand.version, {**fields, "note": "我写下的话"}
    answer = browser.send(form.action, **form.with_(typed).to_dict(flat=False))
    assert answer.status_code == 409 and hand.version == seen
    assert "您填写期间案件已有变化" in answer.text and "另一位官员" in answer.text
    kept = form_to(answer.text, url)
    for name, value in typed.items():
        assert kept.filled.getlist(name) == ([value] if isinstance(value, str) else list(value)), name
    again = browser.send(kept.action, **kept.filled.to_dict(flat=False))  # knowingly, with what changed in view
    assert again.status_code == 302 and hand.version > seen


def test_a_suspended_case_says_so_to_officials_and_to_its_applicant(
    case_in: Callable[..., CaseHand], client_of: Callable[..., Any]
) -> None:
    hand = case_in("awaiting_decision")
    own, official = client_of("applicant"), client_of(Role.WINDOW_OFFICER)
    pages = {official: [f"/cases/{hand.public_id}", f"/cases/{hand.public_id}/limits"],
             own: [f"/applications/{hand.public_id}", f"/applications/{hand.public_id}/preview"]}  # fmt: skip
    assert all("本案已中止办理" not in browser.get(page).text for browser, paths in pages.items() for page in paths)
    use(client_of(Role.LEADER), hand, "suspend", USES["suspend"][3])
    spec = hand.file.procedure.spec
    rests = [spec.clocks[c.name].label.zh for c in hand.file.case.clocks if c.is_resting]
    assert rests
    for browser, paths in pages.items():
        for page in paths:
            text = browser.get(page).text
            banner = text[text.index("wj-suspended"):]
            banner = banner[:banner.index("</section>")]
            said = ["本案已中止办理", "听证", spec.grounds["hearing"].article, "2026-03-02", "领导", *rests]
            assert [word for word in said if word not in banner] == [], page
            assert text.count("wj-suspended") == 1
    use(client_of(Role.LEADER), hand, "resume", USES["resume"][3])
    assert all("本案已中止办理" not in browser.get(page).text for browser, paths in pages.items() for page in paths)


def test_a_task_that_was_passed_on_names_the_person(
    case_in: Callable[..., CaseHand], client_of: Callable[..., Any]
) -> None:
    hand = case_in("awaiting_decision")
    browser = client_of(Role.LEADER)
    answer = use(browser, hand, "transfer_by_leader", USES["transfer_by_leader"][3])
    assert answer.status_code == 302
    page = browser.get(f"/cases/{hand.public_id}").text
    told = page[page.index("已办理"):][:400]
    assert "second-leader（" in told, "what comes next names whom it waits for"
    assert "离岗交接" in page, "what to do while that person is away"
    progress = page[page.index("wj-side"):]
    assert "second-leader（" in progress
    assert "second-leader（" in client_of("applicant").get(f"/applications/{hand.public_id}").text


def test_brackets_are_those_of_the_language(app: Any) -> None:
    for language, words in (("zh", "于闻（司法行政）"), ("en", "于闻 (司法行政)")):
        with app.test_request_context(f"/?lang={language}"):
            assert beside("于闻", "司法行政") == words

"""Accounts and sessions below the pages, on both databases."""
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from store import audit
from store.accounts import STREAM, AccountStore, SignInPolicy, SignInRefused
from store.database import Database
from store.passwords import Passwords, weakness
from store.sessions import SessionStore, hash_of
from store.throttles import ThrottleStore, address_key
from tests.store.factories import MovableClock
from workflow.vocabulary import SYSTEM, Actor, Refusal, Role

PASSWORD = "Correct-Horse-7"
OTHER = "Another-Horse-8"
HERE = "192.0.2.7"


class CountedPasswords(Passwords):
    """Quick, and it remembers what was verified against an account and what against nobody."""

    def __init__(self) -> None:
        self.checked: list[bool] = []
        super().__init__(memory_kib=8, passes=1)

    def fits(self, kept: str | None, password: str) -> bool:
        self.checked.append(kept is not None)
        return super().fits(kept, password)


@pytest.fixture
def passwords() -> CountedPasswords:
    return CountedPasswords()


@pytest.fixture
def accounts(database: Database, passwords: CountedPasswords) -> AccountStore:
    return AccountStore(database, passwords=passwords, identity_key="key of a test",
                        policy=SignInPolicy(failures=5, rest=timedelta(minutes=15), address_failures=20))


@pytest.fixture
def sessions(database: Database) -> SessionStore:
    return SessionStore(database)


@pytest.fixture
def officer(accounts: AccountStore) -> int:
    return accounts.add_account("officer", PASSWORD, name="程一鸣", roles=[Role.WINDOW_OFFICER])


def register(accounts: AccountStore, **changes: str) -> int:
    typed = {"uscc": "91610100MA6U00005J", "agency_name": "云岭检测有限公司", "division": "610102",
             "address": "示范路 1 号", "legal_person": "高原", "phone": "13800000000", "email": "a@agency.example",
             "login": "yunling", "password": PASSWORD, "name": "经办甲"}
    return accounts.register_agency(**{**typed, **changes})


def refused_text(accounts: AccountStore, login: str, password: str, ip: str = HERE) -> str:
    with pytest.raises(SignInRefused) as refused:
        accounts.authenticate(login, password, ip)
    return str(refused.value)


def acts(database: Database) -> list[str]:
    """The acts on the stream of accounts, in their order; the chain must be whole."""
    with database.reading() as connection:
        assert audit.broken_links(connection, STREAM) == []
        rows = connection.exec_driver_sql(
            "SELECT action FROM audit_entry WHERE stream = 'accounts' ORDER BY seq")
        return [row[0] for row in rows]


# -- signing in ----------------------------------------------------------------------------------------------


def test_the_right_password_gives_the_account_whatever_the_case_of_its_name(
        accounts: AccountStore, officer: int) -> None:
    assert accounts.authenticate("  OFFICER ", PASSWORD, HERE).id == officer


def test_every_cause_of_refusal_reads_the_same(accounts: AccountStore, officer: int) -> None:
    closed = accounts.add_account("closed", PASSWORD, name="已停用", roles=[Role.LEADER])
    accounts.deactivate(closed)
    texts = {refused_text(accounts, "nobody", PASSWORD), refused_text(accounts, "closed", PASSWORD),
             refused_text(accounts, "officer", OTHER), refused_text(accounts, "", ""),
             refused_text(accounts, "closed", OTHER)}
    for _ in range(4):
        texts.add(refused_text(accounts, "officer", OTHER))
    texts.add(refused_text(accounts, "officer", PASSWORD))  # resting by now
    assert len(texts) == 1


def test_an_unknown_name_costs_one_check_like_a_known_one(
        accounts: AccountStore, officer: int, passwords: CountedPasswords) -> None:
    refused_text(accounts, "nobody", PASSWORD)
    refused_text(accounts, "officer", OTHER)
    assert passwords.checked == [False, True]


def test_the_fifth_wrong_password_rests_the_account_and_time_wakes_it(
        accounts: AccountStore, officer: int, clock: MovableClock) -> None:
    for _ in range(4):
        refused_text(accounts, "officer", OTHER)
    assert accounts.get(officer).locked_until is None
    refused_text(accounts, "officer", OTHER)
    refused_text(accounts, "officer", PASSWORD)
    clock.move(minutes=14, seconds=59)
    refused_text(accounts, "officer", PASSWORD)
    clock.move(seconds=1)
    assert accounts.authenticate("officer", PASSWORD, HERE).id == officer


def test_tries_during_the_rest_do_not_prolong_it(
        accounts: AccountStore, officer: int, clock: MovableClock) -> None:
    for _ in range(5):
        refused_text(accounts, "officer", OTHER)
    until = accounts.get(officer).locked_until
    clock.move(minutes=10)
    for _ in range(5):
        refused_text(accounts, "officer", OTHER)
    assert accounts.get(officer).locked_until == until


def test_success_forgets_the_failures_before_it(accounts: AccountStore, officer: int) -> None:
    for _ in range(3):
        for _ in range(4):
            refused_text(accounts, "officer", OTHER)
        accounts.authenticate("officer", PASSWORD, HERE)


def test_guesses_sent_together_are_counted_one_by_one(accounts: AccountStore, officer: int) -> None:
    start = threading.Barrier(8)

    def guess(_turn: int) -> None:
        start.wait()
        refused_text(accounts, "officer", OTHER)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(8)))
    assert accounts.get(officer).locked_until is not None


def test_an_address_with_twenty_failures_is_refused_before_any_check(
        accounts: AccountStore, officer: int, passwords: CountedPasswords, clock: MovableClock) -> None:
    for turn in range(20):
        refused_text(accounts, f"guess{turn}", PASSWORD)
    checked = len(passwords.checked)
    with pytest.raises(SignInRefused) as refused:
        accounts.authenticate("officer", PASSWORD, HERE)
    assert refused.value.crowded and len(passwords.checked) == checked
    assert accounts.authenticate("officer", PASSWORD, "198.51.100.9").id == officer
    clock.move(minutes=10)
    assert accounts.authenticate("officer", PASSWORD, HERE).id == officer


def test_the_addresses_of_one_ipv6_site_count_together() -> None:
    assert address_key("x", "2001:db8:1:2::1") == address_key("x", "2001:db8:1:2:ffff::9")
    assert address_key("x", "2001:db8:1:2::1") != address_key("x", "2001:db8:1:3::1")
    assert len(address_key("x", "z" * 500)) < 120


def test_unlocking_lets_the_person_in_at_once(accounts: AccountStore, officer: int) -> None:
    for _ in range(5):
        refused_text(accounts, "officer", OTHER)
    accounts.unlock(officer)
    assert accounts.authenticate("officer", PASSWORD, HERE).id == officer


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(database: Database, accounts: AccountStore,
                                                           officer: int) -> None:
    stronger = AccountStore(database, passwords=Passwords(memory_kib=16, passes=1))
    stronger.authenticate("officer", PASSWORD, HERE)
    with database.reading() as connection:
        kept = str(connection.exec_driver_sql("SELECT password_hash FROM account").scalar())
    assert "m=16," in kept and stronger.passwords.fits(kept, PASSWORD)


def test_no_more_than_four_hashes_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(memory_kib=8, passes=1, at_once=4)
    running, most, guard, gate = 0, 0, threading.Lock(), threading.Event()

    class Watched:
        def verify(self, _kept: str, _password: str) -> bool:
            nonlocal running, most
            with guard:
                running += 1
                most = max(most, running)
                if running == 4:
                    gate.set()
            gate.wait(20)
            with guard:
                running -= 1
            return True
    monkeypatch.setattr(passwords, "_hasher", Watched())
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: passwords.fits("kept", "x"), range(12)))
    assert most == 4


@pytest.mark.parametrize("password", ["Short-7", "alllowercaseletters", "ALLUPPER12345", "aA1-" * 40,
                                      "Officer-2026", "Password-2026", "Aa1-Aa1-Aa1-", "Qwerty-2026-x"])
def test_a_weak_password_is_refused(password: str) -> None:
    assert weakness(password, "officer") is not None


@pytest.mark.parametrize("password", [PASSWORD, "五减平台-Sign-2026", "mnop-qrst-12X"])
def test_a_good_password_is_taken(password: str) -> None:
    assert weakness(password, "officer") is None


def test_the_same_letters_typed_full_width_are_the_same_password(accounts: AccountStore, officer: int) -> None:
    assert accounts.authenticate("officer", "Ｃorrect-Horse-７", HERE).id == officer


# -- people and roles ----------------------------------------------------------------------------------------


def test_one_id_number_is_one_person_with_every_agency_of_theirs(accounts: AccountStore) -> None:
    person = accounts.add_person("高原", "11010519491231002X")
    assert accounts.add_person("高 原", " 11010519491231002x ") == person
    assert accounts.add_person("高原") != person
    agencies = set()
    for login, uscc in (("first", "91610100MA6U00005J"), ("second", "91610100MA6U00013D")):
        made = accounts.get(register(accounts, login=login, uscc=uscc))
        assert made.agency_id is not None
        agencies.add(made.agency_id)
        accounts.add_account(f"{login}.too", PASSWORD, name="高原", roles=[Role.APPLICANT], person_id=person,
                             agency_id=made.agency_id)
    inspector = accounts.add_account("gao", PASSWORD, name="高原", roles=[Role.INSPECTOR], person_id=person)
    actor = accounts.actor_for(inspector, HERE)
    assert actor and actor.affiliations == agencies and actor.agency_id is None and actor.ip == HERE


@pytest.mark.parametrize(("roles", "columns", "field"), [
    ([Role.SYSTEM], {}, "roles"), ([Role.ADMINISTRATOR, Role.LEADER], {}, "roles"),
    ([Role.APPLICANT], {}, "agency"), ([Role.DEPARTMENT_OFFICER], {}, "department")])
def test_roles_that_do_not_go_together_are_refused(
        accounts: AccountStore, roles: list[Role], columns: dict[str, Any], field: str) -> None:
    with pytest.raises(Refusal) as refusal:
        accounts.add_account("mixed", PASSWORD, name="某人", roles=roles, **columns)
    assert refusal.value.code == "malformed" and refusal.value.field == field
    assert accounts.find("mixed") is None


def test_an_applicant_never_becomes_an_official_of_the_same_account(accounts: AccountStore) -> None:
    account_id = register(accounts)
    for wanted in ([Role.APPLICANT, Role.LEADER], [Role.LEADER], []):
        with pytest.raises(Refusal):
            accounts.set_roles(account_id, wanted)
    assert accounts.get(account_id).roles == {Role.APPLICANT}


def test_a_registration_is_whole_or_not_at_all(accounts: AccountStore, database: Database) -> None:
    register(accounts)
    before = acts(database)
    for changes, field in (({"login": "fresh"}, "uscc"), ({"uscc": "91610100MA6U00013D"}, "login"),
                           ({"uscc": "91610100MA6U00013D", "login": "fresh", "password": "weak"}, "password"),
                           ({"uscc": "91610100MA6U00013D", "login": "有 空格"}, "login")):
        with pytest.raises(Refusal) as refusal:
            register(accounts, **changes)
        assert refusal.value.field == field
    with database.reading() as connection:
        for table, count in (("agency", 1), ("account", 1), ("person", 1)):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == count
    assert acts(database) == before == ["register_agency", "add_person", "add_account"]


def test_two_registrations_of_one_agency_at_once_make_one(accounts: AccountStore, database: Database) -> None:
    start, results = threading.Barrier(2), []

    def go(login: str) -> None:
        start.wait()
        try:
            results.append(register(accounts, login=login))
        except Refusal as refusal:
            results.append(str(refusal.field))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(go, ("one.login", "two.login")))
    assert sorted(str(type(result).__name__) for result in results) == ["int", "str"] and "uscc" in results
    assert acts(database).count("register_agency") == 1


def test_each_act_is_in_the_audit_with_who_did_it(accounts: AccountStore, database: Database, officer: int) -> None:
    by = Actor(account_id=99, person_id="p99", name="管理员", roles=frozenset({Role.ADMINISTRATOR}))
    me = accounts.authenticate("officer", PASSWORD, HERE)
    accounts.confirm(officer, PASSWORD, HERE)
    accounts.set_roles(officer, [Role.LEADER], by=by)
    accounts.set_expertise(me.person_id, ["food"], by=by)
    accounts.change_password(officer, PASSWORD, OTHER, by=me.actor(HERE))
    accounts.signed_out(me, HERE)
    accounts.deactivate(officer, by=by)
    accounts.reactivate(officer, by=by)
    for _ in range(5):
        refused_text(accounts, "officer", PASSWORD)
    accounts.unlock(officer, by=by)
    accounts.set_password(officer, PASSWORD, by=by)
    assert acts(database) == [
        "add_person", "add_account", "sign_in", "confirm_identity", "set_roles", "set_expertise",
        "confirm_identity", "change_password", "sign_out", "deactivate_account", "reactivate_account",
        "lock_account", "unlock_account", "set_password"]
    with database.reading() as connection:
        told = connection.exec_driver_sql("SELECT payload FROM audit_entry WHERE stream = 'accounts'").fetchall()
    assert not any(secret in str(row) for row in told for secret in (PASSWORD, OTHER, "argon2"))


def test_the_chain_of_accounts_holds_when_many_act_at_once(
        accounts: AccountStore, database: Database, officer: int) -> None:
    start = threading.Barrier(6)

    def sign_in(_turn: int) -> None:
        start.wait()
        for _ in range(3):
            accounts.authenticate("officer", PASSWORD, HERE)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(sign_in, range(6)))
    assert acts(database).count("sign_in") == 18


def test_a_wrong_present_password_changes_nothing(accounts: AccountStore, officer: int) -> None:
    for old, new, field in ((OTHER, OTHER, "old"), (PASSWORD, PASSWORD, "new"), (PASSWORD, "weak", "new")):
        with pytest.raises(Refusal) as refusal:
            accounts.change_password(officer, old, new, by=SYSTEM)
        assert refusal.value.field == field
    assert accounts.authenticate("officer", PASSWORD, HERE)


# -- sessions ------------------------------------------------------------------------------------------------

Ending = Callable[[AccountStore, int], None]
ENDINGS: dict[str, Ending] = {
    "deactivated": lambda accounts, one: accounts.deactivate(one),
    "password changed": lambda accounts, one: accounts.change_password(one, PASSWORD, OTHER, by=SYSTEM),
    "password set": lambda accounts, one: accounts.set_password(one, OTHER),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_ends_an_account_s_sessions_ends_all_of_them(
        ending: str, accounts: AccountStore, sessions: SessionStore, officer: int) -> None:
    tokens = [sessions.create({}, officer) for _ in range(3)]
    other = sessions.create({}, accounts.add_account("other", PASSWORD, name="他人", roles=[Role.LEADER]))
    ENDINGS[ending](accounts, officer)
    assert [sessions.find(token) for token in tokens] == [None] * 3
    assert sessions.find(other) is not None
    accounts.reactivate(officer)
    assert [sessions.find(token) for token in tokens] == [None] * 3


def test_a_session_begun_just_after_its_account_was_closed_opens_nothing(
        accounts: AccountStore, sessions: SessionStore, officer: int) -> None:
    accounts.deactivate(officer)
    assert sessions.find(sessions.create({}, officer)) is None


def test_only_a_hash_of_the_identifier_is_kept(database: Database, sessions: SessionStore) -> None:
    token = sessions.create({"a": 1})
    with database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT id_hash FROM session").scalar()
    assert kept == hash_of(token) and sessions.find(str(kept)) is None and len(token) >= 43


@pytest.mark.parametrize(("role", "idle"), [(Role.LEADER, 30), (Role.ADMINISTRATOR, 15)])
def test_an_idle_session_is_over_and_an_administrator_s_sooner(
        role: Role, idle: int, accounts: AccountStore, sessions: SessionStore, clock: MovableClock) -> None:
    token = sessions.create({}, accounts.add_account("someone", PASSWORD, name="某人", roles=[role]))
    clock.move(minutes=idle, seconds=-1)
    kept = sessions.find(token)
    assert kept
    sessions.touch(kept.id_hash)
    clock.move(minutes=idle, seconds=-1)
    assert sessions.find(token)
    clock.move(seconds=1)
    assert sessions.find(token) is None


def test_no_session_outlives_eight_hours_not_even_renewed(
        accounts: AccountStore, sessions: SessionStore, officer: int, clock: MovableClock) -> None:
    token: str | None = sessions.create({}, officer)
    for _ in range(8 * 4 - 1):
        clock.move(minutes=15)
        kept = sessions.find(token or "")
        assert kept
        token = sessions.rotate(kept, {}, reauthenticated=True)
    clock.move(minutes=15)
    assert sessions.find(token or "") is None


def test_a_session_ended_meanwhile_is_not_brought_back(sessions: SessionStore, officer: int) -> None:
    kept = sessions.find(sessions.create({}, officer))
    assert kept and kept.account
    sessions.end(kept.id_hash)
    sessions.write(kept.id_hash, {"late": 1})
    sessions.touch(kept.id_hash)
    assert sessions.rotate(kept, {}, reauthenticated=True) is None
    assert sessions.list_of(kept.account) == []


def test_rows_of_sessions_that_are_over_are_removed(
        sessions: SessionStore, officer: int, clock: MovableClock, database: Database) -> None:
    sessions.create({}, officer)
    clock.move(hours=1)
    living = sessions.create({}, officer)  # making one clears away the dead
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM session").scalar() == 1
    assert sessions.purge() == 0 and sessions.find(living)


# -- throttles -----------------------------------------------------------------------------------------------


@pytest.fixture
def throttles(database: Database) -> Iterator[ThrottleStore]:
    yield ThrottleStore(database)


def test_a_throttle_fills_and_empties_with_its_window(throttles: ThrottleStore, clock: MovableClock) -> None:
    minute = timedelta(minutes=1)
    for _ in range(3):
        assert not throttles.full("look-up:a", 3, minute)
        throttles.add("look-up:a", minute)
    assert throttles.full("look-up:a", 3, minute) and not throttles.full("look-up:b", 3, minute)
    clock.move(minutes=1)
    assert not throttles.full("look-up:a", 3, minute)
    throttles.add("look-up:a", minute)
    assert not throttles.full("look-up:a", 2, minute) and throttles.full("look-up:a", 1, minute)
    clock.move(days=2)
    assert throttles.purge() == 1

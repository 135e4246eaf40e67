"""Persons and their accounts: registering, signing in, changing and closing, each act in the audit.

Natural persons stand behind accounts: the same human with two accounts is one person, which separation of
duties looks at. Failed sign-ins say the same whatever was wrong, and take the same time.
"""
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from store import audit, throttles
from store.database import Database
from store.passwords import Passwords, weakness
from store.people import Account, normal_login, read_account, read_accounts
from store.records.agencies import AgencyRecord
from store.records.people import (
    AccountRecord,
    AccountRoleRecord,
    ExpertiseRecord,
    PersonRecord,
    SessionRecord,
)
from store.tokens import new_token
from workflow.vocabulary import N_, OF_A_DEPARTMENT, SYSTEM, Actor, Message, Refusal, Role

STREAM = "accounts"
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{2,79}", re.ASCII)
_ACCOUNT = AccountRecord.__table__


@dataclass(frozen=True, slots=True)
class SignInPolicy:
    """After how many wrong passwords an account rests and how long; how many an address has in its window."""

    failures: int = 5
    rest: timedelta = timedelta(minutes=15)
    address_failures: int = 20
    address_window: timedelta = timedelta(minutes=10)


class SignInRefused(Exception):
    """Not signed in. `crowded`: too many tries from this address, whatever the account."""

    def __init__(self, reason: Message, *, crowded: bool = False) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.crowded = crowded


class AccountStore:
    """`identity_key` keys the hash under which ID numbers meet; `passwords` and `policy` have their defaults."""

    def __init__(self, database: Database, *, passwords: Passwords | None = None,
                 policy: SignInPolicy | None = None, identity_key: str = "") -> None:
        self.database = database
        self.passwords = passwords or Passwords()
        self.policy = policy or SignInPolicy()
        self._identity_key = identity_key.encode()

    # -- reading ---------------------------------------------------------------------------------------

    def get(self, account_id: int) -> Account:
        """The account. Raises Refusal("unknown")."""
        with self.database.reading() as connection:
            return _require(connection, account_id)

    def find(self, login: str) -> Account | None:
        with self.database.reading() as connection:
            found = read_accounts(connection, _ACCOUNT.c.login == normal_login(login))
        return found[0] if found else None

    def list_(self, *, role: Role | None = None, agency_id: int | None = None) -> list[Account]:
        """All accounts by sign-in name, or those that hold a role or belong to an agency."""
        clause: Any = text("1=1")
        if role is not None:
            clause = _ACCOUNT.c.id.in_(
                select(AccountRoleRecord.account_id).where(AccountRoleRecord.role == role.value))
        if agency_id is not None:
            clause = clause & (_ACCOUNT.c.agency_id == agency_id)
        with self.database.reading() as connection:
            return read_accounts(connection, clause)

    def actor_for(self, account_id: int, ip: str = "") -> Actor | None:
        """Who acts with this account now; None when it is closed or was never there."""
        with self.database.reading() as connection:
            account = read_account(connection, account_id)
        return account.actor(ip) if account and account.active else None

    # -- signing in ------------------------------------------------------------------------------------

    def authenticate(self, login: str, password: str, ip: str = "") -> Account:
        """The account of this sign-in name and password. Raises SignInRefused, with one text for every cause.

        Five failures in a row and the account rests; while it rests the right password is refused as well,
        and tries are not counted, so that nobody can keep it resting for ever.
        """
        with self.database.reading() as connection:
            self._refuse_a_crowd(connection, ip)
            row = connection.execute(select(_ACCOUNT.c.id, _ACCOUNT.c.password_hash).where(
                _ACCOUNT.c.login == normal_login(login))).first()
        fits = self.passwords.fits(row.password_hash if row else None, password)
        renewed = self.passwords.hash(password) if row and fits and self.passwords.outdated(
            row.password_hash) else None
        with self.database.writing() as connection:
            account = self._settle(connection, row.id if row else None, fits, ip, "sign_in")
            if account and renewed:
                _set(connection, account.id, password_hash=renewed)
        if account is None:
            raise SignInRefused(self._not_right())
        return account

    def confirm(self, account_id: int, password: str, ip: str = "") -> bool:
        """Whether this is the account's password; a wrong one counts like a failed sign-in.

        Raises SignInRefused when the address has had too many.
        """
        with self.database.reading() as connection:
            self._refuse_a_crowd(connection, ip)
            kept = connection.scalar(select(_ACCOUNT.c.password_hash).where(_ACCOUNT.c.id == account_id))
        fits = self.passwords.fits(kept, password)
        with self.database.writing() as connection:
            return self._settle(connection, account_id, fits, ip, "confirm_identity") is not None

    def _refuse_a_crowd(self, connection: Connection, ip: str) -> None:
        key, at = throttles.address_key("sign-in", ip), self.database.clock.now()
        if throttles.hits(connection, key, at, self.policy.address_window) >= self.policy.address_failures:
            raise SignInRefused(Message(
                N_("Too many wrong passwords came from your address. Try again in %(minutes)s minutes."),
                {"minutes": _minutes(self.policy.address_window)}), crowded=True)

    def _not_right(self) -> Message:
        return Message(
            N_("The sign-in name or the password is not right. After %(times)s wrong passwords an account rests for "
               "%(minutes)s minutes; if you have forgotten yours, ask your administrator."),
            {"times": self.policy.failures, "minutes": _minutes(self.policy.rest)})

    def _settle(self, connection: Connection, account_id: int | None, fits: bool, ip: str,
                act: str) -> Account | None:
        """Count the try under the lock of the account's row: tries sent together are counted one by one."""
        at = self.database.clock.now()
        row = connection.execute(select(_ACCOUNT.c.failures, _ACCOUNT.c.locked_until).where(
            _ACCOUNT.c.id == account_id).with_for_update()).first() if account_id is not None else None
        account = read_account(connection, account_id) if row and account_id is not None else None
        resting = bool(row and row.locked_until and row.locked_until > at)
        if account and fits and account.active and not resting:
            _set(connection, account.id, failures=0, locked_until=None)
            _tell(connection, at, account.actor(ip), act, account)
            return account
        throttles.add(connection, throttles.address_key("sign-in", ip), at, self.policy.address_window)
        if account and row and account.active and not fits and not resting:
            failures = row.failures + 1
            if failures >= self.policy.failures:
                _set(connection, account.id, failures=0, locked_until=at + self.policy.rest)
                _tell(connection, at, SYSTEM, "lock_account", account, {"ip": ip})
            else:
                _set(connection, account.id, failures=failures)
        return None

    # -- making and changing ---------------------------------------------------------------------------

    def add_person(self, name: str, id_number: str | None = None, *, by: Actor = SYSTEM) -> str:
        """The id of a person; one with the same ID number is the same person and is answered with."""
        with self.database.writing() as connection:
            return self._person(connection, name, id_number, by)

    def _person(self, connection: Connection, name: str, id_number: str | None, by: Actor) -> str:
        key = hmac.new(self._identity_key, id_number.strip().upper().encode(), hashlib.sha256).hexdigest() \
            if id_number else None
        if key and (found := connection.scalar(select(PersonRecord.id).where(PersonRecord.identity_key == key))):
            return found
        person_id = new_token()
        connection.execute(insert(PersonRecord).values(id=person_id, name=name, identity_key=key))
        _append(connection, self.database.clock.now(), by, "add_person", {"person": person_id})
        return person_id

    def add_account(self, login: str, password: str, *, name: str, roles: Iterable[Role],
                    person_id: str | None = None, department: str | None = None, agency_id: int | None = None,
                    email: str | None = None, language: str = "zh_Hans_CN", by: Actor = SYSTEM) -> int:
        """The id of a new account; without `person_id` its person is made too.

        Raises Refusal("malformed") with the field: the name is taken or not one, the password is weak, or the
        roles do not go together.
        """
        kept, login = self._acceptable(login, password), normal_login(login)
        with self.database.writing() as connection:
            return self._add(connection, login, kept, name=name, roles=frozenset(roles), person_id=person_id,
                             department=department, agency_id=agency_id, email=email, language=language, by=by)

    def _acceptable(self, login: str, password: str) -> str:
        if not _LOGIN.fullmatch(normal_login(login)):
            raise _malformed("login", N_("A sign-in name has 3 to 80 characters: letters a to z, digits, and . _ @ -"))
        if why := weakness(password, normal_login(login)):
            raise Refusal("malformed", why, field="password")
        return self.passwords.hash(password)

    def _add(self, connection: Connection, login: str, kept: str, *, name: str, roles: frozenset[Role],
             person_id: str | None, by: Actor, **columns: Any) -> int:
        _refuse_mixed(roles, columns.get("department"), columns.get("agency_id"))
        at = self.database.clock.now()
        person_id = person_id or self._person(connection, name, None, by)
        try:
            added = connection.execute(insert(AccountRecord).values(
                login=login, password_hash=kept, person_id=person_id, name=name, active=True, failures=0,
                created_at=at, **columns).returning(AccountRecord.id)).scalar_one()
        except IntegrityError as error:
            if "login" not in str(error.orig):
                raise
            raise _malformed("login", N_("This sign-in name is taken: choose another.")) from error
        _put_roles(connection, added, roles)
        _tell(connection, at, by, "add_account", _require(connection, added), {"roles": sorted(roles)})
        return added

    def register_agency(self, *, uscc: str, agency_name: str, division: str, address: str, legal_person: str,
                        phone: str, email: str, login: str, password: str, name: str, ip: str = "") -> int:
        """An agency, the person who registers it and that person's account, in one transaction; the account's id.

        Raises Refusal("malformed") with the field: the code is registered, the sign-in name is taken, ...
        """
        kept, login = self._acceptable(login, password), normal_login(login)
        by = Actor(account_id=0, person_id="visitor", name=name, roles=frozenset(), ip=ip)
        with self.database.writing() as connection:
            agency_id = _add_agency(connection, uscc=uscc, name=agency_name, division=division, address=address,
                                    legal_person=legal_person, phone=phone, email=email,
                                    created_at=self.database.clock.now())
            _append(connection, self.database.clock.now(), by, "register_agency",
                    {"agency": agency_id, "uscc": uscc, "name": agency_name, "ip": ip})
            return self._add(connection, login, kept, name=name, roles=frozenset({Role.APPLICANT}),
                             person_id=None, department=None, agency_id=agency_id, email=email,
                             language="zh_Hans_CN", by=by)

    def change_password(self, account_id: int, old: str, new: str, *, by: Actor) -> None:
        """Change one's own password; ends every session of the account.

        Raises Refusal("malformed") with the field `old` or `new`, SignInRefused when there were too many tries.
        """
        if not self.confirm(account_id, old, by.ip):
            raise _malformed("old", N_("This is not your present password."))
        if old == new:
            raise _malformed("new", N_("The new password is the same as the old one."))
        self._put_password(account_id, new, "change_password", by)

    def set_password(self, account_id: int, new: str, *, by: Actor = SYSTEM) -> None:
        """Give an account another password, unlock it and end its sessions. Raises Refusal("malformed")."""
        self._put_password(account_id, new, "set_password", by)

    def _put_password(self, account_id: int, new: str, act: str, by: Actor) -> None:
        if why := weakness(new, self.get(account_id).login):
            raise Refusal("malformed", why, field="new")
        kept = self.passwords.hash(new)
        self._change(account_id, act, by, {}, password_hash=kept, failures=0, locked_until=None)

    def deactivate(self, account_id: int, *, by: Actor = SYSTEM) -> None:
        """Close an account and end its sessions; what it did stays in the audit."""
        self._change(account_id, "deactivate_account", by, {}, active=False)

    def reactivate(self, account_id: int, *, by: Actor = SYSTEM) -> None:
        self._change(account_id, "reactivate_account", by, {}, active=True)

    def unlock(self, account_id: int, *, by: Actor = SYSTEM) -> None:
        """End the rest of an account after wrong passwords; its sessions go on."""
        self._change(account_id, "unlock_account", by, {}, sessions_end=False, failures=0, locked_until=None)

    def set_roles(self, account_id: int, roles: Iterable[Role], *, by: Actor = SYSTEM) -> None:
        """What the account may act as from its next request on. Raises Refusal("malformed")."""
        wanted = frozenset(roles)
        with self.database.writing() as connection:
            account = _require(connection, account_id)
            _refuse_mixed(wanted, account.department, account.agency_id)
            _put_roles(connection, account_id, wanted)
            _tell(connection, self.database.clock.now(), by, "set_roles", account,
                  {"before": sorted(account.roles), "after": sorted(wanted)})

    def set_expertise(self, person_id: str, sectors: Iterable[str], *, by: Actor = SYSTEM) -> None:
        """The sectors in which a person may review."""
        wanted = sorted(set(sectors))
        with self.database.writing() as connection:
            connection.execute(delete(ExpertiseRecord).where(ExpertiseRecord.person_id == person_id))
            if wanted:
                connection.execute(insert(ExpertiseRecord), [
                    {"person_id": person_id, "sector": sector} for sector in wanted])
            _append(connection, self.database.clock.now(), by, "set_expertise",
                    {"person": person_id, "sectors": wanted})

    def signed_out(self, account: Account, ip: str = "") -> None:
        """Note in the audit that somebody signed out; the session itself is ended by the session store."""
        with self.database.writing() as connection:
            _tell(connection, self.database.clock.now(), account.actor(ip), "sign_out", account)

    def _change(self, account_id: int, act: str, by: Actor, payload: Mapping[str, Any], *,
                sessions_end: bool = True, **columns: Any) -> None:
        with self.database.writing() as connection:
            account = _require(connection, account_id)
            _set(connection, account_id, **columns)
            if sessions_end:
                connection.execute(delete(SessionRecord).where(SessionRecord.account_id == account_id))
            _tell(connection, self.database.clock.now(), by, act, account, payload)


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)


def _malformed(name: str, words: str, **values: Any) -> Refusal:
    return Refusal("malformed", Message(words, values), field=name)


def _require(connection: Connection, account_id: int) -> Account:
    account = read_account(connection, account_id)
    if account is None:
        raise Refusal("unknown", Message(N_("There is no such account.")))
    return account


def _refuse_mixed(roles: frozenset[Role], department: str | None, agency_id: int | None) -> None:
    """Who administers accounts handles no case, and who applies for an agency holds no office."""
    if Role.SYSTEM in roles:
        raise _malformed("roles", N_("No account can act as the system."))
    if Role.ADMINISTRATOR in roles and len(roles) > 1:
        raise _malformed("roles", N_("An administrator's account holds no other role."))
    if Role.APPLICANT in roles and len(roles) > 1:
        raise _malformed("roles", N_("An applicant's account holds no other role."))
    if (Role.APPLICANT in roles) != (agency_id is not None):
        raise _malformed("agency", N_("An applicant's account belongs to an agency, and no other account does."))
    if roles & OF_A_DEPARTMENT and not department:
        raise _malformed("department", N_("The account of a department's officer or leader names the department."))


def _set(connection: Connection, account_id: int, **columns: Any) -> None:
    connection.execute(update(AccountRecord).where(AccountRecord.id == account_id).values(**columns))


def _put_roles(connection: Connection, account_id: int, roles: frozenset[Role]) -> None:
    connection.execute(delete(AccountRoleRecord).where(AccountRoleRecord.account_id == account_id))
    if roles:
        connection.execute(insert(AccountRoleRecord), [
            {"account_id": account_id, "role": role.value} for role in sorted(roles)])


def _add_agency(connection: Connection, **columns: Any) -> int:
    registered = _malformed("uscc", N_(
        "An agency with this code is already registered. Ask the colleague who keeps its account, or call the bureau."))
    if connection.scalar(select(AgencyRecord.id).where(AgencyRecord.uscc == columns["uscc"])):
        raise registered
    try:
        return connection.execute(insert(AgencyRecord).values(
            public_id=new_token(), particulars={}, **columns).returning(AgencyRecord.id)).scalar_one()
    except IntegrityError as error:  # registered by another at this very moment
        raise registered from error


def _append(connection: Connection, at: datetime, by: Actor, act: str, payload: Mapping[str, Any]) -> None:
    if connection.dialect.name == "postgresql":  # the chain of a stream grows by one writer at a time
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:stream))"), {"stream": f"audit:{STREAM}"})
    audit.append(connection, STREAM, at, by, act, ",".join(sorted(by.roles))[:60] or "visitor", payload)


def _tell(connection: Connection, at: datetime, by: Actor, act: str, account: Account,
          payload: Mapping[str, Any] | None = None) -> None:
    _append(connection, at, by, act, {"account": account.id, "login": account.login, **(payload or {})})

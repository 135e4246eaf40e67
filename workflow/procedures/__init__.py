"""The versions of every procedure, in one place: the shipped files, and what an installation has entered itself.

`find` is the only way in. A version is known by its name and number and pinned by the digest of its text, which
never changes once a case may run on it. This room asks nobody: whoever keeps versions elsewhere (a database) hands
them in with `hold`, says with `put_in_force` on which of them new cases open, and may be asked, by `look_up_with`,
for one that is not held yet.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from workflow.faults import located
from workflow.joint_proofreading import among_others, children_of
from workflow.procedure import DefinitionError, Procedure, load
from workflow.vocabulary import N_, Message, Refusal

HERE = Path(__file__).parent
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Term:
    """Since when, or from which local date on, new cases open on a version."""

    effective_on: date
    version: int
    begun: bool = True  # False while its day lies ahead, or has come and nobody has turned the version yet


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What is known, replaced as a whole, so that no thread sees half of a change."""

    held: dict[Key, Procedure]
    by_digest: dict[str, Procedure]
    terms: dict[str, tuple[Term, ...]]
    look_up: Callable[[str, int, str | None], Procedure | None] | None = None


_shelf: _Shelf | None = None


@cache
def shipped() -> tuple[Procedure, ...]:
    """The definitions that come with this release, by name and version."""
    paths = {path: load(path) for path in HERE.glob("*.yaml")}
    newest = {p.name: p for p in sorted(paths.values(), key=lambda p: p.version)}
    for path, procedure in paths.items():
        if newest[procedure.name] is procedure:
            side_by_side(procedure, path.read_bytes(), path.name, paths.values())
    return tuple(sorted(paths.values(), key=lambda p: (p.name, p.version)))


@cache
def proofs_at_release() -> Mapping[Key, Mapping[str, Any]]:
    """What was found of the shipped definitions before they were released (`Proof.plain`): those proofs alone that are
    of the very text that ships. Written by `docs/procedures/draw.py`; the people of a bureau are not looked at."""
    path = HERE / "PROOFS"
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    digests = {(p.name, p.version): p.digest for p in shipped()}
    return {key: f for f in found if digests.get(key := (f["procedure"], f["version"])) == f["digest"]}


def side_by_side(
    procedure: Procedure, text: bytes, source: str, others: Iterable[Procedure] | None = None
) -> Procedure:
    """The procedure, once it has been read together with those that it opens, informs or is opened by: `others`, or
    all that are known here. Raises `DefinitionError`."""
    found = list(among_others(procedure, every() if others is None else others))
    if found:
        raise DefinitionError(source, located(text, found))
    return procedure


def departments_of(procedure: Procedure) -> tuple[str, ...]:
    """The departments whose licence a case may be about: the procedure's own, and those of the licences it opens."""
    own = (procedure.spec.department,) if procedure.spec.department else ()
    newest = {p.name: p.spec.department for p in every()}
    return tuple(dict.fromkeys((*own, *(d for name in children_of(procedure) if (d := newest.get(name))))))


def every() -> tuple[Procedure, ...]:
    """Every version known here, by name and version."""
    return tuple(p for _, p in sorted(_known().held.items()))


def find(name: str, version: int) -> Procedure:
    """The version. Raises Refusal("unknown")."""
    shelf = _known()
    found = shelf.held.get((name, version)) or _looked_up(shelf, name, version, None)
    if found is None:
        raise Refusal("unknown", Message(N_("There is no procedure %(name)s version %(version)s."),
                                         {"name": name, "version": version}))
    return found


def pinned(name: str, version: int, digest: str) -> Procedure:
    """The very text that a case is pinned to. Raises Refusal("unmet") when there is none with that digest: nothing
    may be done by another text than the one the case was opened, or migrated, under."""
    shelf = _known()
    found = shelf.by_digest.get(digest) or _looked_up(shelf, name, version, digest)
    if found is None or (found.name, found.version) != (name, version):
        raise Refusal("unmet", Message(
            N_("This case is pinned to procedure %(name)s version %(version)s with the fingerprint %(digest)s, and "
               "the definition here is another one. Nothing can be done until an administrator has put the right "
               "definition back."),
            {"name": name, "version": version, "digest": digest[:16]}))
    return found


def current(name: str, on: date | None = None) -> Procedure:
    """The version on which new cases open on the local date `on`: a scheduled one whose day has come goes before the
    one that is active. Without a date only terms that have begun count. Before anybody has said what is in force it is
    the newest version shipped. Raises Refusal: unknown (no such procedure), unmet (none is in force).
    """
    shelf = _known()
    if name in shelf.terms:
        begun = [t for t in shelf.terms[name] if t.begun or (on is not None and t.effective_on <= on)]
        if not begun:
            raise Refusal("unmet", Message(
                N_("No version of the procedure %(name)s is in force: no case can be opened on it."), {"name": name}))
        return find(name, max(begun, key=lambda t: (not t.begun, t.effective_on, t.version)).version)
    versions = [p for p in shipped() if p.name == name]
    if not versions:
        raise Refusal("unknown", Message(N_("There is no procedure called %(name)s."), {"name": name}))
    return versions[-1]


def latest(name: str) -> Procedure:
    """The version on which new cases open, else, while none is in force, the newest one known: for what a procedure
    is, not for opening a case. Raises Refusal("unknown")."""
    try:
        return current(name)
    except Refusal as refusal:
        known = [p for p in every() if p.name == name]
        if refusal.code != "unmet" or not known:
            raise
        return known[-1]


def hold(*found: Procedure) -> None:
    """Know these versions from now on; one of the same name and number takes the place of the other."""
    global _shelf
    shelf = _known()
    _shelf = _Shelf({**shelf.held, **{(p.name, p.version): p for p in found}},
                    {**shelf.by_digest, **{p.digest: p for p in found}}, shelf.terms, shelf.look_up)


def put_in_force(terms: Iterable[tuple[str, Term]], names: Iterable[str] = ()) -> None:
    """Say on which versions new cases open, in place of what was said before. Of `names` without a term none is."""
    global _shelf
    shelf, told = _known(), list(terms)
    found = {name: tuple(t for n, t in told if n == name) for name in {*names, *(n for n, _ in told)}}
    _shelf = _Shelf(shelf.held, shelf.by_digest, found, shelf.look_up)


def look_up_with(ask: Callable[[str, int, str | None], Procedure | None]) -> None:
    """Whom to ask for a version that is not held: (name, version, digest or None) -> the version or None."""
    global _shelf
    shelf = _known()
    _shelf = _Shelf(shelf.held, shelf.by_digest, shelf.terms, ask)


def forget() -> None:
    """Know nothing but the shipped files again; for tests and for tools that work on files alone."""
    global _shelf
    _shelf = None


def _known() -> _Shelf:
    global _shelf
    if _shelf is None:
        _shelf = _Shelf({(p.name, p.version): p for p in shipped()}, {p.digest: p for p in shipped()}, {})
    return _shelf


def _looked_up(shelf: _Shelf, name: str, version: int, digest: str | None) -> Procedure | None:
    found = shelf.look_up(name, version, digest) if shelf.look_up else None
    if found is not None:
        hold(found)
    return found

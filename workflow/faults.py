"""Where a definition is wrong: each fault with its line, the place in words, what is wrong and why."""

import re
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from workflow.vocabulary import N_

TOLD = 200  # faults told at once: nobody reads more, and finding the lines of a hundred thousand takes minutes
_PLACE = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)(?::? )")
_UNKNOWN = re.compile(r"there is no \w+ called ([A-Za-z0-9_]+)")
# Why the reader insists: said beside what is wrong, by the words of the fault.
_WHY = (
    ("cannot be reached", N_("no action leads there from the initial state, so it would never be used")),
    ("can never finish", N_("from there no way leads to a final state, so its cases would wait for ever")),
    ("waits for nobody", N_("it has no duty and nothing the system does, so nobody would be asked to act")),
    ("needs an outcome", N_("a case that ends must say how: granted, refused, retracted or closed")),
    ("leaves the final state", N_("a case that has ended takes no more steps")),
    ("fire for ever", N_("an automatic action is taken as soon as it may be, so it has to lead out of its state")),
    ("round in a circle", N_("the system would take these steps one after another without end")),
    ("needs its article", N_("no number of the law stands in a definition without its article")),
    ("Extra inputs are not permitted", N_("the grammar knows no such word here: it is misspelt or indented wrongly")),
    ("Field required", N_("every entry of this kind has it")),
    ("exactly one of", N_("two of them could contradict each other, and none says nothing")),
    ("which a clock cannot give", N_("when a limit lapses nobody is there to fill in a form")),
    ("where the clock runs", N_("the lapse would be tried and refused at every sweep")),
    ("not an action of the system", N_("when a limit lapses it is the system that acts")),
    ("can never be agreed", N_("a case would wait for an agreement that nobody can give")),
    ("has one sign-off state", N_("an answer would not tell to which of them it belongs")),
    ("need a sign_off", N_("without a rule nobody is asked")),
    ("nobody is told to answer", N_("a department that gets no task does not know that it is waited for")),
    ("records an answer", N_("the departments could say nothing")),
    ("when the sign-off is settled", N_("the case would stay after everything has been said")),
    ("the lapse must be noted", N_("nobody would know from when on the silent may be passed over")),
    ("passes over the silence", N_("a silent department would hold up the case for ever")),
    ("no cases for what a fact lists", N_("nobody would hear what it tells")),
    ("has no action called", N_("what is told would be heard by nobody, and the case would wait for it for ever")),
    ("may not be told", N_("only such an action can be taken without a person when another case tells something")),
    ("nobody keeps the fact", N_("neither the dossier nor a register nor an effect writes it, so it would be empty")),
    ("opens them again", N_("each licence of an application is one case, opened once")),
    ("begins with the applicant", N_("a case of a joint application is filed with it, at once")),
    ("is taken by the system", N_("nobody else knows what the other case has told")),
    ("whose licence it is", N_("without a department there is nobody who could decide")),
    ("there is no", N_("every word has to be declared, in the definition or in the engine, before it is used")),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `line` counts from 1; 0 where the fault is of the whole file."""

    line: int
    what: str  # "actions.grant.who: there is no rule called leadr"
    why: str = ""
    instead: str = ""  # a known word that is spelt nearly the same

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        meant = f" (did you mean {self.instead}?)" if self.instead else ""
        return f"{where}{self.what}{meant}"


def fault_of_yaml(error: YAMLError) -> Fault:
    """What the YAML reader stumbled over. Lines count from 1."""
    if not isinstance(error, MarkedYAMLError):
        return Fault(0, " ".join(str(error).split()), N_("this is not text that YAML can hold"))
    mark = error.problem_mark or error.context_mark
    said = "; ".join(" ".join(part.split()) for part in (error.problem, error.context) if part)
    return Fault(mark.line + 1 if mark else 0, said, N_("the file is not YAML up to this place"))


def said_of(errors: Iterable[Any]) -> list[str]:
    """pydantic's errors as "place: what (found ...)". What was found is cut short while it is written: a few
    lines of aliases may stand for gigabytes."""
    short = reprlib.Repr()
    short.maxlevel, short.maxdict, short.maxlist, short.maxstring = 2, 3, 3, 60
    return [f"{'.'.join(map(str, e['loc']))}: {e['msg']} (found {short.repr(e['input'])})" for e in errors]


def located(text: bytes, said: Sequence[str], words: Iterable[str] = ()) -> list[Fault]:
    """The first TOLD faults with their lines in `text`; `words` are those that may have been meant."""
    root = _tree(text)
    known = sorted({*words, *_names(root)})
    return [_fault(root, each, known) for each in said[:TOLD]]


def _fault(root: Node | None, said: str, known: list[str]) -> Fault:
    place = _PLACE.match(said)
    line = _line(root, place[1].split(".")) if root is not None and place else 0
    why = next((reason for mark, reason in _WHY if mark in said), "")
    unknown = _UNKNOWN.search(said)
    near = get_close_matches(unknown[1], known, 1, 0.75) if unknown else []
    return Fault(line, said, why, near[0] if near and unknown and near[0] != unknown[1] else "")


def _tree(text: bytes) -> Node | None:
    try:
        found: Node | None = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, RecursionError, UnicodeDecodeError):
        return None
    return found


def _line(node: Node | None, path: Sequence[str]) -> int:
    """The line of the deepest part of `path` that is there; words that name no part (a kind of union) are passed."""
    line = node.start_mark.line + 1 if node is not None and node.start_mark else 0
    for word in path:
        found = _inside(node, word)
        if found is not None:
            key, node = found
            line = key.start_mark.line + 1
    return line


def _inside(node: Node | None, word: str) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == word), None)
    if isinstance(node, SequenceNode) and word.isdigit() and int(word) < len(node.value):
        return node.value[int(word)], node.value[int(word)]
    return None


def _names(node: Node | None) -> Iterator[str]:
    """Every name that the definition itself declares: the keys of its sections."""
    for _, section in node.value if isinstance(node, MappingNode) else ():
        if isinstance(section, MappingNode):
            yield from (str(key.value) for key, _ in section.value)

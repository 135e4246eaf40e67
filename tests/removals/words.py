"""Every word a definition may use and every check of the engine, found by machine; how each is watched or taken away.

A word is `guard:NAME`, `rule:NAME`, `effect:NAME`, `register:NAME` or `check:NAME` (a check is what the engine asks of
every action, such as the separation of duties). What can refuse for more than one reason is, beside the whole of it,
a word for each reason: `guard:NAME#2`. A removed guard, check or rule never stands in the way; a removed effect or
register does nothing.

The registries are changed in place after the grammar knows them and before any definition is read, so `install` comes
first of all.
"""

import functools
import importlib
import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflow.procedure import Action

REASON = re.compile(r"N_\(\s*((?:\"(?:[^\"\\]|\\.)*\"\s*)+)\)")
Watch = Callable[[str], None]
Wrap = Callable[[str, Callable[..., Any]], Callable[..., Any]]


def reasons(function: Callable[..., Any]) -> tuple[str, ...]:
    """The sentences with which a guard or a check refuses, in the order of its text."""
    found = REASON.findall(inspect.getsource(inspect.unwrap(function)))
    return tuple("".join(re.findall(r"\"((?:[^\"\\]|\\.)*)\"", said)) for said in found)


def registries() -> dict[str, dict[str, Callable[..., Any]]]:
    """Kind of word -> the registry in which the reading of a definition looks it up."""
    procedure = importlib.import_module("workflow.procedure")
    return {"guard": procedure.GUARDS, "rule": procedure.RULES, "effect": procedure.EFFECTS}


def checks() -> Mapping[str, Callable[..., Any]]:
    """What the engine asks of every action beside its guards: its imported functions that answer with a reason."""
    engine = importlib.import_module("workflow.engine")
    return {
        name: function
        for name, function in vars(engine).items()
        if isinstance(function, types.FunctionType)
        and function.__module__ != engine.__name__
        and "Message | None" in str(inspect.signature(function).return_annotation)
    }


def every() -> tuple[str, ...]:
    """Every word there is, the reasons of each after it."""
    found = [(kind, name, function) for kind, words in registries().items() for name, function in words.items()]
    found += [("check", name, function) for name, function in checks().items()]
    registers = importlib.import_module("store.registers").REGISTERS
    found += [("register", name, function) for name, function in registers.items()]
    every_: list[str] = []
    for kind, name, function in found:
        every_.append(f"{kind}:{name}")
        said = reasons(function) if kind in ("guard", "check") else ()
        every_ += [f"{kind}:{name}#{n}" for n in range(1, len(said) + 1) if len(said) > 1]
    return tuple(every_)


def install(wrap: Wrap) -> None:
    """Put `wrap(word, function)` into the place of every word. Raises ImportError once definitions were read."""
    if "workflow.procedures" in sys.modules:
        raise ImportError("the definitions are read already: whatever takes words away is imported first of all")
    for kind, words in registries().items():
        for name, function in words.items():
            words[name] = functools.wraps(function)(wrap(f"{kind}:{name}", function))
    procedure = importlib.import_module("workflow.procedure")
    asked_by, signing = procedure.asked_by, "rule:answers_for_a_department_asked"

    def asked_by_switched(signs: Any) -> Callable[..., Any]:
        rule = asked_by(signs)
        return functools.wraps(rule)(wrap(signing, rule))

    procedure.asked_by = asked_by_switched
    engine = importlib.import_module("workflow.engine")
    for name, function in checks().items():
        setattr(engine, name, functools.wraps(function)(wrap(f"check:{name}", function)))
    registers = importlib.import_module("store.registers").REGISTERS
    for name, function in registers.items():
        registers[name] = functools.wraps(function)(wrap(f"register:{name}", function))


@contextmanager
def unconditional(action: "Action", number: int) -> Iterator[None]:
    """For a moment one guard of an action never stands in the way."""
    guards = action.guards
    met = tuple((lambda *_: None) if n == number else guard for n, guard in enumerate(guards))
    object.__setattr__(action, "guards", met)  # actions are frozen, and everybody shares them
    try:
        yield
    finally:
        object.__setattr__(action, "guards", guards)


def watching(seen: Watch) -> Wrap:
    """Tell of every word that made a difference: only then can anybody notice that it is gone."""

    def wrap(word: str, function: Callable[..., Any]) -> Callable[..., Any]:
        kind = word.partition(":")[0]
        said = reasons(function) if kind in ("guard", "check") else ()

        def watched(*arguments: Any) -> Any:
            if kind == "register":
                seen(word)
                return function(*arguments)
            answer = function(*arguments)
            if kind == "effect":
                if answer != arguments[0]:
                    seen(word)
            elif kind == "rule":
                if not answer:
                    seen(word)
            elif answer is not None:
                seen(word)
                if len(said) > 1:
                    seen(f"{word}#{said.index(str(answer.text)) + 1}")
            return answer

        return watched

    return wrap


GONE = {
    "rule": lambda actor, case: True,
    "effect": lambda case, actor, command: case,
    "register": lambda connection, step, moment: {},
    "guard": lambda *arguments: None,
    "check": lambda *arguments: None,
}


@dataclass
class Switch:
    """Everything is as it is, but for the one word that is off; none is until one is named."""

    off: str = ""

    def wrap(self, word: str, function: Callable[..., Any]) -> Callable[..., Any]:
        kind = word.partition(":")[0]
        said = reasons(function) if kind in ("guard", "check") else ()
        gone = GONE[kind]

        def switched(*arguments: Any) -> Any:
            if not self.off.startswith(word):
                return function(*arguments)
            whole, _, number = self.off.partition("#")
            if whole != word:
                return function(*arguments)
            if not number:
                return gone(*arguments)
            answer = function(*arguments)
            return None if answer is not None and str(answer.text) == said[int(number) - 1] else answer

        return switched

"""A wrong definition is refused with the line, the place, what is wrong and why; a near miss is told what was meant."""

import pytest

from workflow import procedures
from workflow.faults import TOLD, Fault
from workflow.procedure import DefinitionError, parse

TEXT = (procedures.HERE / "cma.v1.yaml").read_text("utf-8")


def found(old: str, new: str) -> tuple[str, tuple[Fault, ...]]:
    """The changed text and what is said about it."""
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    with pytest.raises(DefinitionError) as refused:
        parse(text.encode(), "changed.yaml")
    return text, refused.value.found


@pytest.mark.parametrize("old, new, there, instead", [
    ("who: window_officer", "who: window_oficer", "who: window_oficer", "window_officer"),
    ("initial: draft", "initial: drafft", "initial: drafft", "draft"),
    ("    final: true\n", "    finall: true\n", "finall: true", ""),
    ("    stage: acceptance\n", "    stage: acceptanse\n", "stage: acceptanse", "acceptance"),
    ("    outcome: granted\n", "", "closed:", ""),
    ("initial: draft", "initial: [draft", "stages:", ""),  # the reader stumbles over the line after it
])  # fmt: skip
def test_a_fault_stands_with_its_line(old: str, new: str, there: str, instead: str) -> None:
    text, faults = found(old, new)
    assert any(there in text.splitlines()[f.line - 1] and f.instead == instead for f in faults), faults
    assert all(f.why for f in faults)


def test_the_line_is_that_of_the_word_itself() -> None:
    text, (fault,) = found("who: window_officer", "who: window_oficer")
    assert "window_oficer" in text.splitlines()[fault.line - 1]
    assert str(fault).startswith(f"line {fault.line}: actions.accept.who: ")


def test_a_handful_of_aliases_that_stand_for_gigabytes_is_refused_in_few_words() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    with pytest.raises(DefinitionError) as refused:
        parse((bomb + "states: *a9\n").encode(), "bomb.yaml")
    assert len(str(refused.value)) < 20_000


@pytest.mark.parametrize("text", [
    b"a: " + b"[" * 20_000, b"a:\n" + b" - " * 5000, b"\xff\xfe", b"- " * 3000,
    b"name: 2026-02-30\n", b"version: " + b"9" * 5000])  # fmt: skip
def test_whatever_cannot_be_read_is_refused_and_not_thrown(text: bytes) -> None:
    with pytest.raises(DefinitionError):
        parse(text, "odd.yaml")


def test_of_a_hundred_thousand_faults_only_so_many_are_told_as_anybody_reads() -> None:
    with pytest.raises(DefinitionError) as refused:
        parse("".join(f"k{n}: 1\n" for n in range(2000)).encode(), "odd.yaml")
    assert len(refused.value.found) == TOLD

"""What the exploration takes for granted about registers is what there is."""

import ast
import inspect

from store.registers import REGISTERS
from workflow.commands import COMMANDS
from workflow.specimens import KNOWN
from workflow.surroundings import GRANTING, REPORTED


def test_every_register_is_known_to_the_exploration() -> None:
    assert set(REPORTED) == set(REGISTERS)
    assert set(REGISTERS) >= GRANTING


def test_a_register_reports_only_facts_that_the_exploration_expects() -> None:
    for name, register in REGISTERS.items():
        tree = ast.parse(inspect.getsource(register))
        returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
        written = {key.value for value in returned if isinstance(value, ast.Dict) for key in value.keys
                   if isinstance(key, ast.Constant)}  # fmt: skip
        assert written <= set(REPORTED[name]), name


def test_every_command_has_its_specimens() -> None:
    assert set(COMMANDS.values()) <= KNOWN

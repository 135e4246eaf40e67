"""The same definition, drawn. `docs/procedures/` holds its output and a test keeps it fresh."""

from workflow.joint_commands import Inform
from workflow.procedure import Procedure


def mermaid(procedure: Procedure) -> str:
    """The procedure as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"  [*] --> {procedure.spec.initial}"]
    for name, state in procedure.states.items():
        lines.append(f"  {name}: {state.label.en}")
    for action in procedure.actions:
        if action.target is None:
            continue
        mark = " (by the system)" if action.automatic or action.spec.who == "is_the_system" else ""
        if action.command is Inform:
            mark = " (told by another case)"
        if (opens := action.spec.opens) and opens.each:
            mark += " [opens a case of each licence]"
        if informs := action.spec.informs:
            mark += " [tells its parent]" if informs.to == "parent" else " [tells its children]"
        lines += [
            f"  {source} --> {action.target}: {action.spec.label.en}{mark}" for source in action.sources
        ]
    return "\n".join([*lines, *(f"  {n} --> [*]" for n, s in procedure.states.items() if s.final)]) + "\n"

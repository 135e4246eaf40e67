"""Joint handling as people see it: every licence of one application, who decides it, where it stands, how it ended."""
from workflow import procedures
from workflow.vocabulary import Message


def licence_title(name: str) -> Message:
    """What a licence is called: the title of its procedure, in both languages."""
    return procedures.current(name).spec.title.message()

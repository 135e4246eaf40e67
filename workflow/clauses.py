"""Sentences made of clauses: several messages as one, and said in a language without a translator."""

from collections.abc import Iterable, Mapping
from typing import Any

from workflow.vocabulary import Message

Names = Mapping[str, Message | str]  # signer or subject -> its name


def in_one(words: Iterable[Message]) -> Message:
    """Clauses as one message, with the clauses as its values: whoever shows it says each in the reader's language."""
    clauses = {f"clause_{number}": clause for number, clause in enumerate(words, 1)}
    english, chinese = ("; ", "；")
    return Message(
        english.join(f"%({name})s" for name in clauses), clauses, chinese.join(f"%({name})s" for name in clauses)
    )


def spoken(words: Iterable[Message], language: str, names: Names | None = None) -> str:
    """Clauses as one sentence, `en` or `zh`, with the names of those it speaks of."""
    chinese = language == "zh"

    def value(found: Any) -> Any:
        if isinstance(found, Message):
            return say(found)
        if isinstance(found, list | tuple):
            return ("、" if chinese else ", ").join(str(value(f)) for f in found)
        name = (names or {}).get(found, found) if isinstance(found, str) else found
        return say(name) if isinstance(name, Message) else name

    def say(message: Message) -> str:
        pattern = message.zh if chinese and message.zh else message.text
        return str(Message(pattern, {key: value(v) for key, v in message.values.items()}))

    return ("；" if chinese else "; ").join(say(message) for message in words)

"""Sentences in two languages as JSON and back; their values may be sentences, dates, lists or plain."""

from datetime import date
from typing import Any

from workflow.vocabulary import Message


def plain(value: Any) -> Any:
    """A sentence, or one of its values, as JSON."""
    if isinstance(value, Message):
        return {"text": value.text, "zh": value.zh, "values": {k: plain(v) for k, v in value.values.items()}}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value


def spoken(said: Any) -> Any:
    """What `plain` wrote, as it was."""
    if isinstance(said, list):
        return [spoken(v) for v in said]
    if not isinstance(said, dict):
        return said
    if "on" in said:
        return date.fromisoformat(said["on"])
    return Message(said["text"], {k: spoken(v) for k, v in said["values"].items()}, said["zh"])

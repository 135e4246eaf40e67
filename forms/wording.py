"""Suggested wording for notices and decisions, read once from `wording.yaml` beside this file."""
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_BREAK = re.compile(r"(?<=[\u2e80-\uffef]) (?=[\u2e80-\uffef])")
FILE = Path(__file__).with_name("wording.yaml")


@cache
def _texts() -> Mapping[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(FILE.read_text("utf-8")))


def suggested(procedure: str, action: str) -> dict[str, str]:
    """Field name -> text to start from; empty when nothing is suggested for this action."""
    found = (_texts().get(procedure) or {}).get(action) or {}
    # A line break of the file becomes a space, which Chinese does not have.
    return {field: _BREAK.sub("", str(text).strip()) for field, text in found.items()}

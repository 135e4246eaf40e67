"""A problem found in a file, with its place, and how grave each kind of problem is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from intake.messages import MESSAGES, where, wording

ERROR, WARNING, INFO = "error", "warning", "info"

# Reading rule R9: a row is accepted unless it has an error; a warning is accepted and shown; info is optional.
_ERRORS = frozenset(
    [
        "PARAM_MISSING",
        "STD_EMPTY",
        "STD_NO_NUMBER",
        "SIGN_UNPRINTABLE",
        "USCC_CHECK_DIGIT",
        "LEGAL_PERSON_MISSING",
        "ADDRESS_MISSING",
        "PERSON_NAME_MISSING",
        "SIGNATORY_FIELD_MISSING",
        "EQUIP_NAME_MISSING",
        "MATERIAL_EMPTY",
        "MATERIAL_TYPE_MISMATCH",
        "MATERIAL_UNREADABLE",
        "MATERIAL_TYPE_NOT_ALLOWED",
    ]
)
_INFOS = frozenset(["ROW_HIDDEN", "SHEET_HIDDEN_IGNORED", "EMBEDDED_IMAGES_IGNORED"])
REJECTIONS = frozenset(
    [
        "FILE_CORRUPT",
        "FILE_EMPTY",
        "FILE_ENCRYPTED",
        "FILE_TYPE_MISMATCH",
        "FILE_TYPE_NOT_ALLOWED",
        "MACRO_ENABLED",
        "FILE_TOO_LARGE_UNCOMPRESSED",
        "ZIP_BOMB",
        "ZIP_PATH_FORBIDDEN",
        "XML_DTD_FORBIDDEN",
        "HEADER_NOT_RECOGNISED",
    ]
)
SEVERITY: dict[str, str] = {
    code: ERROR if code in _ERRORS or code in REJECTIONS else INFO if code in _INFOS else WARNING
    for code in MESSAGES
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `row` counts from 1 as the spreadsheet does, `column` is its letters, `detail` fills the message."""

    code: str
    severity: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    cell: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        code: str,
        sheet: str | None = None,
        row: int | None = None,
        column: str | None = None,
        **detail: Any,
    ) -> Problem:
        """A problem with the severity of its code. Raises KeyError for an unknown code."""
        cell = f"{column}{row}" if column and row else None
        return cls(code, SEVERITY[code], sheet, row, column, cell, detail)

    def message(self, language: str = "en") -> str:
        """Where, what and what to do, in the language asked for."""
        what, advice = wording(self.code, self.detail, language)
        gap = "" if language.lower().startswith("zh") else " "
        return where(self.sheet, self.row, self.column, language) + what + gap + advice

    def statement(self, language: str = "en") -> str:
        """Only what is wrong."""
        return wording(self.code, self.detail, language)[0]

    def advice(self, language: str = "en") -> str:
        """Only what to do."""
        return wording(self.code, self.detail, language)[1]

    def to_json(self) -> dict[str, Any]:
        """The shape of `problems[]`: keys that are unknown are left out."""
        shown: dict[str, Any] = {"code": self.code, "severity": self.severity}
        for name in ("sheet", "row", "column", "cell"):
            value = getattr(self, name)
            if value is not None:
                shown[name] = value
        if self.detail:
            shown["detail"] = dict(self.detail)
        return shown

    @classmethod
    def from_json(cls, shown: Mapping[str, Any]) -> Problem:
        return cls(
            shown["code"], shown["severity"], shown.get("sheet"), shown.get("row"), shown.get("column"),
            shown.get("cell"), shown.get("detail", {}),
        )  # fmt: skip


class Rejection(Exception):
    """The whole file is refused, with the code of the reason and what the message needs."""

    def __init__(self, code: str, **detail: Any) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    @property
    def problem(self) -> Problem:
        return Problem.of(self.code, **self.detail)

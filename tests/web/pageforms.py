"""The forms of a page as a browser would send them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import lxml.html
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart


@dataclass
class PageForm:
    """One form: where it goes, what it would send untouched, and every field that could be sent."""

    action: str
    method: str
    filled: MultiDict[str, Any] = field(default_factory=MultiDict)
    names: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def with_(self, changes: Mapping[str, Any]) -> "MultiDict[str, Any]":
        """What is sent when these fields are filled in so; a list sends a field several times."""
        sent: MultiDict[str, Any] = MultiDict(self.filled)
        for name, value in changes.items():
            sent.setlist(name, list(value) if isinstance(value, (list, tuple)) else [value])
        return sent


def forms_of(html: str, page: str = "") -> list[PageForm]:
    """Every form of a page. `page` is its address, for a form without one of its own."""
    if not html.strip():
        return []
    document = lxml.html.document_fromstring(html)
    return [_form(element, document, page) for element in document.iter("form")]


def form_to(html: str, action: str, page: str = "") -> PageForm:
    """The form of a page whose address ends so. Raises LookupError with those there are."""
    found = forms_of(html, page)
    for each in found:
        if each.action.partition("?")[0].endswith(action) and each.method == "post":
            return each
    raise LookupError(f"no form to {action}; there are {[each.action for each in found]}")


def _form(element: Any, document: Any, page: str) -> PageForm:
    made = PageForm(element.get("action") or page, (element.get("method") or "get").lower())
    controls = [c for c in element.iter("input", "select", "textarea", "button") if c.get("form") is None]
    if element.get("id"):
        controls += [c for c in document.iter("input", "select", "textarea", "button")
                     if c.get("form") == element.get("id")]
    for control in controls:
        name, kind = control.get("name"), (control.get("type") or control.tag).lower()
        if not name or kind == "button" and control.tag == "input":
            continue
        if name not in made.names:
            made.names.append(name)
        if kind == "file":
            made.files.append(name)
        elif control.tag == "select":
            _select(control, name, made)
        elif kind in ("checkbox", "radio"):
            made.choices.setdefault(name, []).append(control.get("value", "on"))
            if control.get("checked") is not None:
                made.filled.add(name, control.get("value", "on"))
        elif control.tag == "button" or kind in ("submit", "image"):
            made.choices.setdefault(name, []).append(control.get("value", ""))
        elif control.tag == "textarea":
            made.filled.add(name, (control.text or "").removeprefix("\n"))
        else:
            made.filled.add(name, control.get("value", ""))
    return made


def _select(control: Any, name: str, made: PageForm) -> None:
    options = [option.get("value", option.text or "") for option in control.iter("option")]
    chosen = [option.get("value", option.text or "") for option in control.iter("option")
              if option.get("selected") is not None]
    made.choices[name] = options
    for value in chosen or ([] if control.get("multiple") is not None else options[:1]):
        made.filled.add(name, value)


def encoded(fields: "MultiDict[str, Any]", files: Iterable[tuple[str, str, bytes]] = ()) -> tuple[bytes, str]:
    """A body and its media type: a form with files where there are some, else a plain one."""
    given = list(files)
    if not given:
        return urlencode(list(fields.items(multi=True))).encode(), "application/x-www-form-urlencoded"
    data: MultiDict[str, Any] = MultiDict(fields)
    for name, shown, content in given:
        data.add(name, FileStorage(BytesIO(content), filename=shown, content_type="application/octet-stream"))
    boundary, body = encode_multipart(data)
    return body, f"multipart/form-data; boundary={boundary}"

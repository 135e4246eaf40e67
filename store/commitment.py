"""The text of the notice and commitment 告知承诺书 exactly as it is shown, signed and digested."""
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any


def commitment_text(notice: Mapping[str, Any], agency_name: str, uscc: str, types: Sequence[str]) -> str:
    """The letter as plain text. `notice` is one version of the catalogue `commitment_notice`; `types` are the
    Chinese names of what is applied for. The same input always gives the same bytes (UTF-8, LF)."""
    lines = [notice["title"]["zh"], f"版本：{notice['version']}", "",
             f"申请机构：{agency_name}", f"统一社会信用代码：{uscc}", f"申请事项：{'、'.join(types)}", ""]
    for heading, part in (("notified_heading", "notified"), ("committed_heading", "committed")):
        lines.append(notice[heading]["zh"])
        lines += [f"{n}. {item['zh']}" for n, item in enumerate(notice[part], 1)]
        lines.append("")
    lines.append(f"{notice['signature']['zh']}：")
    return "\n".join(lines) + "\n"


def text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

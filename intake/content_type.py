"""What a file's bytes say it is, when they are neither a spreadsheet nor a known material."""

from __future__ import annotations

UNKNOWN = "application/octet-stream"


def content_type(content: bytes) -> str:
    """The media type of `content`, or UNKNOWN. Without the system's libmagic only text is told from the rest."""
    try:
        import magic
    except ImportError:
        return _without_libmagic(content[:8192])
    try:
        found = str(magic.from_buffer(content[:8192], mime=True))
    except magic.MagicException:
        return UNKNOWN
    return UNKNOWN if found == "application/x-empty" else found


def _without_libmagic(beginning: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            text = beginning.decode(encoding, "strict" if len(beginning) < 8192 else "ignore")
        except UnicodeDecodeError:
            continue
        if text.isprintable() or not any(mark < " " and mark not in "\t\r\n\f" for mark in text):
            return "text/plain"
    return UNKNOWN

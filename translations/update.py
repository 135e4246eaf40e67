"""Keep the catalogues beside the code.

    python translations/update.py                     read the code, update the .po files, compile, report
    python translations/update.py --missing           print what lacks a translation, as JSON ready to fill
    python translations/update.py --fill FILE.json    put translations in ({"msgid": "译文", ...}; for a plural
                                                      the key is the singular), then as without an option

Message ids are English. A translation must hold the same %(names)s and {names} as its message id. Run it after
adding words to a page; the law in tests/laws/test_translations.py fails while one is missing.
"""
from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
DIRECTORY = ROOT / "translations"
LOCALE = "zh_Hans_CN"
KEYWORDS = {
    "_": None, "gettext": None, "lazy_gettext": None, "_l": None, "N_": None,
    "ngettext": (1, 2), "lazy_ngettext": (1, 2), "pgettext": ((1, "c"), 2),
}
NAMES = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
LEFT_OUT = (".venv", ".git", "node_modules", "tests", "static", "docs", "build", "dist", "var", "reference", "bench")


def extracted(root: Path = ROOT) -> Catalog:
    """Every message of the code and the templates, as babel.cfg says."""
    with (root / "babel.cfg").open(encoding="utf-8") as stream:
        methods, options = parse_mapping_cfg(stream)
    found = Catalog(project="wujian", charset="utf-8")
    read = extract_from_dir(
        root, method_map=methods, options_map=options, keywords=KEYWORDS, comment_tags=("Translators:",),
        directory_filter=lambda path: os.path.basename(path) not in LEFT_OUT,
    )
    for filename, _line, message, comments, context in read:
        found.add(message, None, [(filename, 0)], auto_comments=comments, context=context)
    return found


def catalogue_path(locale: str = LOCALE) -> Path:
    return DIRECTORY / locale / "LC_MESSAGES" / "messages.po"


def catalogue(locale: str = LOCALE) -> Catalog:
    """The catalogue as it is kept; a new one if there is none."""
    path = catalogue_path(locale)
    if not path.exists():
        return Catalog(locale=locale, project="wujian", charset="utf-8", fuzzy=False)
    with path.open("rb") as stream:
        return read_po(stream, locale=locale)


def singular(message: Message) -> str:
    return message.id[0] if isinstance(message.id, (list, tuple)) else message.id


def identities(message: Message) -> list[str]:
    return list(message.id) if isinstance(message.id, (list, tuple)) else [message.id]


def strings(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, (list, tuple)) else [message.string or ""]


def complaints(code: Catalog, kept: Catalog) -> Iterator[tuple[str, str]]:
    """(message id, what is wrong) for each message of the code that a reader of the language would not get."""
    for message in code:
        if not message.id:
            continue
        ours = kept.get(message.id, message.context)
        if ours is None or not all(strings(ours)):
            yield singular(message), "missing"
        elif ours.fuzzy:
            yield singular(message), "fuzzy"
        else:
            wanted = {a or b for a, b in NAMES.findall(" ".join(identities(message)))}
            for text in strings(ours):
                given = {a or b for a, b in NAMES.findall(text)}
                if given != wanted and not (message.pluralizable and given <= wanted):
                    yield singular(message), f"names {sorted(given)} instead of {sorted(wanted)}"
                if len(re.findall(r"%\((\w+)\)", text)) != len(re.findall(r"%\((\w+)\)[sd]", text)):
                    yield singular(message), "a %(name) without its s or d"


def write(kept: Catalog, locale: str = LOCALE) -> None:
    """Write .po and .mo, each moved into place whole."""
    path = catalogue_path(locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    for target, writer in ((path, lambda out: write_po(out, kept, width=0, sort_output=True, omit_header=False,
                                                        no_location=True)),
                           (path.with_suffix(".mo"), lambda out: write_mo(out, kept))):
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as out:
            writer(out)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)


def fill(kept: Catalog, translations: dict[str, str]) -> list[str]:
    """Put translations in; the message ids that are not in the catalogue."""
    by_id = {singular(message): message for message in kept if message.id}
    unknown = []
    for msgid, text in translations.items():
        if (message := by_id.get(msgid)) is None:
            unknown.append(msgid)
            continue
        message.string = (text,) * kept.num_plurals if message.pluralizable else text
        message.flags.discard("fuzzy")
    return unknown


def updated() -> tuple[Catalog, Catalog]:
    """The messages of the code, and the kept catalogue holding exactly those."""
    code, kept = extracted(), catalogue()
    for message in list(kept.obsolete.values()):     # words that left the code stay at the end of the file and
        kept.add(message.id, message.string, context=message.context)       # come back with their translation
    kept.obsolete.clear()
    kept.update(code, no_fuzzy_matching=True)
    return code, kept


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--fill", type=Path, metavar="FILE.json")
    options = parser.parse_args(arguments)
    with (DIRECTORY / "update.py").open() as own:
        fcntl.flock(own, fcntl.LOCK_EX)              # two runs at once would lose the translations of one
        return run(options)


def run(options: argparse.Namespace) -> int:
    code, kept = updated()
    if options.missing:
        wrong = dict.fromkeys(msgid for msgid, _ in complaints(code, kept))
        print(json.dumps(dict.fromkeys(wrong, ""), ensure_ascii=False, indent=1))
        return 0
    if options.fill:
        given = json.loads(options.fill.read_text(encoding="utf-8"))
        for msgid in fill(kept, {key: text for key, text in given.items() if text}):
            print(f"not in the code: {msgid!r}")
    write(kept)
    wrong_ones = list(complaints(code, kept))
    for msgid, why in wrong_ones:
        print(f"{why}: {msgid!r}")
    print(f"{len(code)} messages, {len(wrong_ones)} to put right")
    return 1 if wrong_ones else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

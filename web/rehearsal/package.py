"""An application package on disk: its tables, its materials, and what its form says."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from pypdf import PdfWriter

from intake.check import table_files
from intake.child import check_material_in_child, read_in_child
from intake.materials import MaterialReading
from intake.readings import PackageReading
from intake.standards import Catalogue
from store.applications import Received
from store.dossier_values import Reader


class PackageRefused(Exception):
    """The package cannot be rehearsed; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """`tables` and `materials` as they lie in the directory; `reading` is what the intake makes of the tables."""

    directory: Path
    tables: tuple[Received, ...]
    materials: tuple[tuple[Received, MaterialReading], ...]
    reading: PackageReading

    @classmethod
    def open(cls, directory: Path, catalogue: Catalogue) -> "Package":
        """Read a package directory. Raises PackageRefused when it holds no readable application form."""
        tables = tuple(_received(path) for path in table_files([directory]))
        if not tables:
            raise PackageRefused(f"{directory} holds no spreadsheet; name the directory of one package")
        reading = read_in_child([(t.name, t.content) for t in tables], catalogue)
        if reading.facts is None:
            refused = [f"{t.path}: {t.reject_code}" for t in reading.tables if t.reject_code]
            raise PackageRefused(
                "the application form 申请书基本信息 is missing or unreadable. " + "; ".join(refused)
            )
        folder = directory / "materials"
        paths = sorted(p for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []
        materials = tuple(
            (file, check_material_in_child(file.name, file.content)) for file in map(_received, paths)
        )
        return cls(directory, tables, materials, reading)

    @property
    def facts(self) -> Any:
        """The typed fields of the application form."""
        return self.reading.facts

    def placed(self, wanted: Sequence[Any]) -> dict[str, list[tuple[Received, MaterialReading]]]:
        """Which file goes to which material: by the words in its name, the rest where one is missing."""
        left = list(self.materials)
        found: dict[str, list[tuple[Received, MaterialReading]]] = {state.code: [] for state in wanted}
        for state in wanted:
            for entry in list(left):
                if any(hint in entry[0].name for hint in state.row.get("file_hints") or ()):
                    found[state.code].append(entry)
                    left.remove(entry)
                    if not state.takes_several:
                        break
        for state in wanted:
            if state.is_missing and not found[state.code]:
                usable = next((e for e in left if e[1].outcome == "ok"), None)
                if usable:
                    found[state.code].append(usable)
                    left.remove(usable)
        return found


def reader(catalogue: Catalogue) -> Reader:
    """How the store has files read: in the contained child, against the installed catalogue."""
    return lambda files: read_in_child(list(files), catalogue).tables


def _received(path: Path) -> Received:
    return Received(path.name, path.read_bytes())


def stand_in(title: str) -> Received:
    """A blank page for a material that a package lacks."""
    writer = PdfWriter()
    writer.add_blank_page(width=595, height=842)
    writer.add_metadata({"/Title": f"{title} (stand-in of a rehearsal)"})
    content = BytesIO()
    writer.write(content)
    return Received(f"{title}.pdf", content.getvalue())

"""Laws of the repository: what may not be written into it, whoever writes it."""
import json
import re
import subprocess
from pathlib import Path

import pytest

import assets

ROOT = Path(__file__).resolve().parents[2]

# Put together here, so that this file does not break the law it states.
INDEXES = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "deb." + "debian.org"]
HOMES = ["work", "root"]
MACHINE_PATH = re.compile(rf"""(?<![\w.~}}*-])/({'|'.join(HOMES)})/|(?<![\w.~}}*-])/t{''}mp/[a-z]+\d*/""")
INDEX_ADDRESS = re.compile("|".join(re.escape(index) for index in INDEXES))

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "processor", "handler",
         "handlers", "service", "data", "info"}
VAGUE_ENDING = re.compile(r"(Utils?|Helpers?|Common|Misc|Manager|Processor|Handler|Service|Data|Info)$")
LONGEST_FILE = 400


def tracked() -> list[Path]:
    """What git tracks; where there is no git (an unpacked archive), every file that no run made."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    made = {".venv", "var", "node_modules", "vendor", "__pycache__", "build", "dist"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not made & set(path.parts)]


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content[:8000] else content.decode("utf-8", errors="replace")


TEXTS = {path: text_of(path) for path in tracked() if path.suffix not in {".svg", ".csv"}}
SOURCES = [path for path in TEXTS if path.suffix == ".py"]


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
            for path, text in TEXTS.items()
            for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def test_the_patterns_see_what_they_forbid():
    assert MACHINE_PATH.search("see /wo" + "rk/main/run")
    assert MACHINE_PATH.search('"/tm' + 'p/abc1/file"')
    assert not MACHINE_PATH.search("https://example.cn/wo" + "rk/permit")
    assert not MACHINE_PATH.search("/usr/lib/postgresql")
    assert INDEX_ADDRESS.search("https://py" + "pi.org/simple")


def test_no_address_of_a_package_index_is_written_down():
    assert lines_matching(INDEX_ADDRESS) == []


def test_no_path_of_a_machine_is_written_down():
    assert lines_matching(MACHINE_PATH) == []


def test_every_file_is_named_after_a_subject():
    vague = [str(path.relative_to(ROOT)) for path in SOURCES
             if VAGUE & {part.strip("_") for part in path.relative_to(ROOT).with_suffix("").parts}]
    assert vague == []


def test_every_class_is_named_after_a_subject():
    vague = [f"{path.relative_to(ROOT)}: {name}" for path in SOURCES
             for name in re.findall(r"^class (\w+)", TEXTS[path], re.MULTILINE) if VAGUE_ENDING.search(name)]
    assert vague == []


def test_no_module_outgrows_its_room():
    counted = {path: text.count("\n") for path, text in TEXTS.items() if path in SOURCES}
    assert [f"{path.relative_to(ROOT)}: {count} lines" for path, count in counted.items()
            if count > LONGEST_FILE and path.relative_to(ROOT).parts[0] not in {"tests", "migrations"}] == []


def test_every_package_says_what_its_room_promises():
    rooms = [path for path in SOURCES
             if path.name == "__init__.py" and path.relative_to(ROOT).parts[0] != "tests"]
    assert rooms
    assert [str(path.relative_to(ROOT)) for path in rooms if not TEXTS[path].lstrip().startswith('"""')] == []


def test_the_front_end_lock_pins_contents_and_names_no_host():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values()), "pin exactly"
    assert wanted.keys() == {package for _, package, _ in assets.FILES}, "used, and pinned here"


@pytest.mark.parametrize("name", ["runtime", "dev", "tools"])
def test_every_locked_library_carries_its_hashes(name):
    lock = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pins = [block for block in re.split(r"\n(?=\S)", lock) if "==" in block]
    assert pins
    assert [block.split()[0] for block in pins if "--hash=sha256:" not in block] == []


def test_the_copied_front_end_files_are_the_locked_ones():
    assert assets.problems() == []

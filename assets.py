"""Copy the front-end files that pages use from node_modules to static/vendor, and write down what was copied.

Only named files travel: a package brings hundreds. `static/vendor/manifest.json` lists, for each file, the
package, its version and the SHA-384 in the form that the `integrity` attribute takes. Standard library only,
since the set-up script runs it before anything else of ours can be imported.

    python assets.py            copy
    python assets.py --check    exit 1 if a file of static/vendor is missing or differs from the manifest
"""
import base64
import hashlib
import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PACKAGES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"

#: (name in static/vendor, package, file inside the package)
FILES = (
    ("tabler/tabler.min.css", "@tabler/core", "dist/css/tabler.min.css"),
    ("tabler/tabler.min.js", "@tabler/core", "dist/js/tabler.min.js"),
    ("htmx/htmx.min.js", "htmx.org", "dist/htmx.min.js"),
    ("htmx/LICENSE", "htmx.org", "LICENSE"),
    ("bpmn-js/bpmn-navigated-viewer.min.js", "bpmn-js", "dist/bpmn-navigated-viewer.production.min.js"),
    ("bpmn-js/diagram-js.css", "bpmn-js", "dist/assets/diagram-js.css"),
    ("bpmn-js/bpmn-js.css", "bpmn-js", "dist/assets/bpmn-js.css"),
    ("bpmn-js/LICENSE", "bpmn-js", "LICENSE"),
)


def integrity(path: Path) -> str:
    """The value of an `integrity` attribute for the file: `sha384-` and the digest in base64."""
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode("ascii")


def copy_all() -> dict[str, dict[str, str]]:
    """Copy FILES and return the manifest {name: {package, version, integrity}}; raises FileNotFoundError."""
    manifest = {}
    for name, package, inside in FILES:
        (VENDOR / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGES / package / inside, VENDOR / name)
        version = json.loads((PACKAGES / package / "package.json").read_text(encoding="utf-8"))["version"]
        manifest[name] = {"package": package, "version": version, "integrity": integrity(VENDOR / name)}
    known = {VENDOR / name for name in manifest} | {VENDOR / "manifest.json"}
    for stray in (path for path in VENDOR.rglob("*") if path.is_file() and path not in known):
        stray.unlink()
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def problems() -> list[str]:
    """What is wrong with static/vendor, one sentence each; empty when it is as the manifest says."""
    try:
        manifest = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ["static/vendor/manifest.json is missing: run ./run once"]
    found = [f"static/vendor/{name} is not in the manifest" for name, _, _ in FILES if name not in manifest]
    for name, entry in manifest.items():
        path = VENDOR / name
        if not path.is_file():
            found.append(f"static/vendor/{name} is missing")
        elif integrity(path) != entry["integrity"]:
            found.append(f"static/vendor/{name} differs from its manifest")
    return found


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        found = problems()
        print("\n".join(found) or "static/vendor is complete")
        return 1 if found else 0
    for name, entry in copy_all().items():
        print(f"  {name}  {entry['package']} {entry['version']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Debian's Chromium, told to speak to nobody but us."""
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = (
    "--no-sandbox",  # the sandbox needs user namespaces, which a build container may not give
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)


def executable() -> str:
    """The path of Chromium; raises RuntimeError with what to do."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise RuntimeError("Chromium is not installed: `./run test` installs it")

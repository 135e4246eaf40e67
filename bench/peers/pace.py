"""The talk between a peer and the bench: a count comes in, one JSON object with seconds and CPU goes out.

Nothing of ours is imported here, so that a peer's process holds the peer alone.
"""

import json
import sys
import time
from collections.abc import Callable

DEPARTMENTS = ("ecology", "construction", "transport", "public_security")
SQLITE = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", "cache_size=-65536")


def serve(run: Callable[[], None], version: str) -> None:
    """Do cases until the input ends. The first line out tells what is measured, name and version."""
    print(json.dumps({"version": version}), flush=True)
    for line in sys.stdin:
        cpu, started = time.process_time(), time.perf_counter()
        for _ in range(int(line)):
            run()
        said = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
        print(json.dumps(said), flush=True)


def postgresql(url: str) -> str:
    """An address that the driver itself reads."""
    return url.replace("postgresql+psycopg:", "postgresql:", 1)


def sqlite_file(url: str) -> str:
    """The file of a SQLite address; empty for another database."""
    return url.removeprefix("sqlite:///") if url.startswith("sqlite:") else ""

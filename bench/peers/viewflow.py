"""django-viewflow: a task row per step, people assigned, under the lock that its own guide recommends."""

import os
import sys
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import django
from django.conf import settings

from bench.peers.pace import DEPARTMENTS, SQLITE, postgresql, serve, sqlite_file


def database(url: str) -> dict[str, Any]:
    """A database address as Django takes it."""
    if file := sqlite_file(url):
        pragmas = ";".join(f"PRAGMA {pragma}" for pragma in SQLITE)
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": file,
                "OPTIONS": {"init_command": pragmas, "transaction_mode": "IMMEDIATE"}}  # fmt: skip
    parts = urlsplit(postgresql(url))
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    return {"ENGINE": "django.db.backends.postgresql", "NAME": parts.path.lstrip("/"), "USER": parts.username,
            "PASSWORD": unquote(parts.password or ""), "HOST": unquote(host), "PORT": parts.port or "",
            "CONN_MAX_AGE": None}  # fmt: skip


def set_up(url: str) -> None:
    settings.configure(
        DATABASES={"default": database(url)}, USE_TZ=True, SECRET_KEY="bench",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "viewflow", "viewflow.workflow",
                        "bench.peers"],
    )  # fmt: skip
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


urlpatterns: list[Any] = []


class Viewflow:
    def __init__(self, url: str) -> None:
        set_up(url)
        from django.contrib.auth.models import User

        from bench.peers.flows import ReferenceCase

        self.flow = ReferenceCase
        names = ("submit", "accept", *(f"sign_{d}" for d in DEPARTMENTS), "grant", "issue", "close")
        self.steps = [(name, User.objects.create_user(f"{name}-{os.getpid()}")) for name in names]

    def run(self) -> None:
        from viewflow.workflow.models import Task

        process = self.flow.start.run()
        for name, user in self.steps:
            with self.flow.lock(process.pk):
                task = Task.objects.get(process_id=process.pk, flow_task=getattr(self.flow, name))
                activation = getattr(self.flow, name).activation_class(task)
                activation.assign(user)
                activation.start(None)
                activation.execute()
        process.refresh_from_db()
        assert process.status == "DONE", process.status


if __name__ == "__main__":
    serve(Viewflow(sys.argv[1]).run, f"django-viewflow {version('django-viewflow')}, Django {django.__version__}")

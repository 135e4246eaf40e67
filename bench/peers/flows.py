"""The ten steps as a viewflow of human tasks; read only after Django has been set up."""

from typing import Any

from viewflow import this
from viewflow.workflow import flow, lock
from viewflow.workflow.models import Process

from bench.peers.pace import DEPARTMENTS


class ReferenceCase(flow.Flow):
    process_class = Process
    lock_impl = lock.SelectForUpdateLock(nowait=False)

    start = flow.StartHandle(this.opened).Next(this.submit)
    submit = flow.View(None).Next(this.accept)
    accept = flow.View(None).Next(this.ask)
    ask = flow.Split()
    for _department in DEPARTMENTS:
        ask = ask.Next(getattr(this, f"sign_{_department}"))
        locals()[f"sign_{_department}"] = flow.View(None).Next(this.join)
    join = flow.Join().Next(this.grant)
    grant = flow.View(None).Next(this.issue)
    issue = flow.View(None).Next(this.close)
    close = flow.View(None).Next(this.end)
    end = flow.End()

    def opened(self, activation: Any) -> Any:
        activation.process.data = {"departments": list(DEPARTMENTS)}
        return activation.process

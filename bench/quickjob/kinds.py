import time

from jobs.kinds import JobKind, Step, register
from jobs.run import Run


@register
class Tell(JobKind):
    name = "tell"
    steps = (Step("tell", "Tell the time"),)

    def tell(self, run: Run) -> None:
        run.result(began_at=time.time())

"""Compares a server with the desired configuration, and brings it there."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from django.utils import timezone

from jobs.kinds import Step, register
from jobs.run import Run
from servers import managed
from servers.converge import Change, ConvergeFailed, Outcome, compare
from servers.kinds.base import ServerKind
from servers.models import Comparison, Server
from servers.settling import settle
from servers.target import target_of


@register
class CheckConfiguration(ServerKind):
    name = "check_configuration"
    ability = "server:read"
    is_routine = True
    steps = (Step("check", "Compare with the desired configuration"),)

    def check(self, run: Run) -> None:
        server = self.server(run)
        differences = compare(target_of(server), managed.collect(server))
        describe(run, differences)
        store_comparison(run, server, differences)
        run.result(differences=len(differences))


@register
class ApplyConfiguration(ServerKind):
    name = "apply_configuration"
    ability = "server:update"
    steps = (Step("apply", "Apply the desired configuration"),)

    def apply(self, run: Run) -> None:
        changes = apply(run, self.server(run))
        run.result(changes=len(changes))


def apply(run: Run, server: Server, *, with_diffs: bool = True) -> tuple[Change, ...]:
    """Applies what the server should have, tells in the log what that changed, and stores that nothing differs."""
    changed: list[Change] = []
    try:
        for _, outcome in settle(server):
            changed += outcome.changed
            _tell(run, outcome, with_diffs)
    except ConvergeFailed as failed:
        run.line(failed.output)
        raise
    store_comparison(run, server, ())
    return tuple(changed)


def _tell(run: Run, outcome: Outcome, with_diffs: bool) -> None:
    describe(run, outcome.changed, with_diffs)
    for service in outcome.reloaded:
        run.line(f"reloaded {service}")
    if outcome.confirmed:
        run.line("A new login works, so the change of firewall or SSH stays.")


def describe(run: Run, changes: Sequence[Change], with_diffs: bool = True) -> None:
    for change in changes:
        run.line(f"{change.action} {change.path}")
        if with_diffs:
            run.log(change.diff or ("(secret)\n" if change.secret else ""))
    if not changes:
        run.line("ok: every file is as it should be")


def store_comparison(run: Run, server: Server, differences: Iterable[Change]) -> None:
    rows = [
        {**asdict(change), "diff": change.diff if change.diff is None else run.redact(change.diff)}
        for change in differences
    ]
    with run.write():
        Comparison.objects.update_or_create(
            server=server, defaults={"differences": rows, "compared_at": timezone.now()}
        )

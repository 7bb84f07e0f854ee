"""Removing proofs whose job has ended before it could."""

from certificates import proofs
from certificates.actions.proofs import CLEAN
from certificates.kinds.ordering import certificate_of
from jobs.kinds import JobKind, Step, register
from jobs.run import Run


@register
class CleanProofs(JobKind):
    name = CLEAN
    queue = "provider"
    is_routine = True
    steps = (Step("clean", "Remove the proofs"),)
    # Over about four hours: a provider that is down is the likeliest reason for the failure.
    max_retries = 8

    def clean(self, run: Run) -> None:
        proofs.take_down(run, proofs.standing(certificate_of(run)))

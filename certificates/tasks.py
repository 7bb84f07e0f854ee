from certificates import actions
from certificates.alarms import raise_alarms as look_at_all
from certificates.expiry import warn_of_expiry
from deploynix.celery import app


@app.task(name="certificates.warn")
def warn() -> None:
    warn_of_expiry()


@app.task(name="certificates.run_due")
def run_due() -> None:
    actions.renew_due_certificates()
    actions.rehearse_due_renewals()
    actions.ask_for_due_renewals()
    actions.clean_standing_proofs()


@app.task(name="certificates.raise_alarms")
def raise_alarms() -> None:
    look_at_all()

from deploynix.celery import app
from providers.actions import verify_due_credentials
from providers.alerts import warn_of_expiry


@app.task(name="providers.verify_due")
def verify_due() -> None:
    verify_due_credentials()


@app.task(name="providers.warn")
def warn() -> None:
    warn_of_expiry()

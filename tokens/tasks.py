from deploynix.celery import app
from tokens.actions import mail_handovers, rotate_due_keys
from tokens.alerts import warn_of_expiry, warn_of_unused
from tokens.usage.retention import forget_old_use


@app.task(name="tokens.warn")
def warn_of_ageing() -> None:
    warn_of_expiry()
    warn_of_unused()


@app.task(name="tokens.forget_use")
def forget_use() -> None:
    forget_old_use()


@app.task(name="tokens.rotate_due")
def rotate_due() -> None:
    rotate_due_keys()
    mail_handovers()

from backups import actions
from deploynix.celery import app


@app.task(name="backups.run_due")
def run_due() -> None:
    actions.run_due_schedules()
    actions.run_due_drills()


@app.task(name="backups.raise_alarms")
def raise_alarms() -> None:
    actions.raise_alarms()

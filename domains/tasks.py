from deploynix.celery import app
from domains import actions


@app.task(name="domains.check_due")
def check_due() -> None:
    actions.check_due_connections()

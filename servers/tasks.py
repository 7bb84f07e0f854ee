from deploynix.celery import app
from servers.actions import sync_due_servers


@app.task(name="servers.read_due_databases")
def read_due_databases() -> None:
    sync_due_servers()

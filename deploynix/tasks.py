from deploynix.api.idempotency import forget_old_keys
from deploynix.celery import app


@app.task(name="deploynix.forget_idempotency_keys")
def forget_idempotency_keys() -> None:
    forget_old_keys()

from deploynix.celery import app
from jobs.reaper import reap
from jobs.runner import run_job


@app.task(name="jobs.run")
def run(job_id: str) -> None:
    run_job(job_id)


@app.task(name="jobs.reap")
def reap_jobs() -> None:
    reap()

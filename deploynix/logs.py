"""Adds the request's and the job's id to every log line."""

import logging
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
job_id: ContextVar[str] = ContextVar("job_id", default="")


class ContextFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        for name, variable in (("request_id", request_id), ("job_id", job_id)):
            if value := variable.get():
                setattr(record, name, value)
        return True

"""The public API, as a script would use it."""

import time
from typing import Any

import requests

JOB_SECONDS = 900
POLL_SECONDS = 0.25

Json = dict[str, Any]


class ApiError(Exception):
    """An answer that is no success, or a job that failed; the text is what the API said."""


class Api:
    def __init__(self, url: str) -> None:
        self.url = f"{url}/api/v1"
        self._session = requests.Session()

    def register(self, **fields: str) -> None:
        """Creates the account, and signs in with its token."""
        token = self.post("/register", **fields)["token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> Json:
        return self._call("GET", path)

    def post(self, path: str, **fields: Any) -> Json:
        return self._call("POST", path, json=fields)

    def wait(self, answer: Json) -> None:
        """Waits for the job that an answer tells of, printing its steps as they end."""
        path = f"/jobs/{answer['job']['id']}"
        deadline = time.monotonic() + JOB_SECONDS
        told: set[str] = set()
        while True:
            job = self.get(path)["data"]
            self._tell(job, told)
            if job["status"] == "succeeded":
                return
            if job["status"] in ("failed", "cancelled"):
                raise ApiError(f"{job['label']}: {job['error']} {job['hint']}\n{self._end_of_log(path)}")
            if time.monotonic() > deadline:
                raise ApiError(f"{job['label']} took more than {JOB_SECONDS} s")
            time.sleep(POLL_SECONDS)

    def _tell(self, job: Json, told: set[str]) -> None:
        for step in job["steps"]:
            if step["status"] == "succeeded" and step["name"] not in told:
                told.add(step["name"])
                print(f"      {step['label']}", flush=True)

    def _end_of_log(self, path: str) -> str:
        return str(self.get(f"{path}/log?after=0")["data"]["text"])[-2000:]

    def _call(self, method: str, path: str, json: Json | None = None) -> Json:
        answer = self._session.request(method, f"{self.url}{path}", json=json, timeout=30)
        try:
            body: Json = answer.json()
        except requests.JSONDecodeError as error:
            raise ApiError(f"{method} {path} answered {answer.status_code} without JSON") from error
        if not answer.ok:
            details = body.get("errors") or ""
            raise ApiError(f"{method} {path} answered {answer.status_code}: {body.get('message')} {details}")
        return body

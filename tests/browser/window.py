"""A window of Chromium that complains about whatever a page must never cause."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, WebError, expect

SCREENSHOTS = Path(__file__).parent / "screenshots"
# A page that polls, or that a person leaves, gives its requests up.
GIVEN_UP = "net::ERR_ABORTED"
# Chromium repeats each answer of 4xx and 5xx as an error of the console.
REPEATED = "Failed to load resource: the server responded with a status of"

State = Any  # cookies and local storage, as Playwright hands them out and takes them


class Window:
    """One person's window on one install; leaving the `with` block fails on every complaint."""

    def __init__(self, browser: Browser, url: str, state: State = None, **options: Any) -> None:
        self.url = url
        self.complaints: list[str] = []
        self._expected: set[int] = set()
        self.context: BrowserContext = browser.new_context(
            base_url=url, storage_state=state, **{"viewport": {"width": 1280, "height": 900}, **options}
        )
        self.context.set_default_timeout(30_000)
        self.context.on("console", self._hear)
        self.context.on("requestfailed", self._lose)
        self.context.on("response", self._receive)
        self.context.on("weberror", self._break)
        self.page: Page = self.context.new_page()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.shot("failures/last")
        self.context.close()
        if error is None:
            assert not self.complaints, "\n".join(self.complaints)

    @property
    def state(self) -> State:
        """What another window needs to be signed in as the same person."""
        return self.context.storage_state()

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def open(self, path: str) -> Page:
        """Goes to a page, by its path or its whole address."""
        self.page.goto(path)
        return self.page

    def click(self, name: str, role: Any = "button") -> None:
        """Clicks what has this name, whole, as a screen reader would say it."""
        self.page.get_by_role(role, name=name, exact=True).click()

    def fill(self, **fields: str) -> None:
        """Types into the fields of a form, by their names in HTML."""
        for name, text in fields.items():
            self.page.locator(f"main [name={name}]").fill(text)

    def sees(self, text: str, seconds: float = 15) -> None:
        expect(self.page.locator("main").get_by_text(text).first).to_be_visible(timeout=seconds * 1000)

    def shot(self, name: str) -> None:
        """Keeps a picture of the whole page."""
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, animations="disabled")

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """Inside, answers of this status are what the test wants."""
        self._expected.add(status)
        yield
        self._expected.discard(status)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(REPEATED):
            self.complaints.append(f"console: {message.text} ({message.location['url']})")

    def _lose(self, request: Request) -> None:
        if request.failure != GIVEN_UP:
            self.complaints.append(f"{request.method} {request.url} failed: {request.failure}")

    def _receive(self, response: Response) -> None:
        if not response.url.startswith((self.url, "data:")):
            self.complaints.append(f"{response.url} is not of this install")
        if response.status >= 400 and response.status not in self._expected:
            self.complaints.append(f"{response.request.method} {response.url} answered {response.status}")

    def _break(self, error: WebError) -> None:
        self.complaints.append(f"script: {error.error}")

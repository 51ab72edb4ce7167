"""Forms as a browser sends them: with the page that they come from."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from pipeline.settings import Settings
from pipeline.show.web.app import create_app
from tests.show.web.copies import LOOPBACK
from tests.show.web.pages.html import Page

Open = Callable[..., Page]


@pytest.fixture
def browser(home: Settings) -> TestClient:
    """Sends forms as pages of this server do, and follows where they lead."""
    return TestClient(create_app(home), base_url=LOOPBACK, headers={"Origin": LOOPBACK})


@pytest.fixture(scope="session")
def looking(template: Settings) -> TestClient:
    """For pages that change nothing."""
    return TestClient(create_app(template), base_url=LOOPBACK)


@pytest.fixture(scope="session")
def look(looking: TestClient) -> Open:
    """``look(path)``: a page that is there."""

    def opened(path: str, **parameters: str) -> Page:
        answer = looking.get(path, params=parameters or None)
        assert answer.status_code == 200, answer.text[:3000]
        return Page(answer.text)

    return opened

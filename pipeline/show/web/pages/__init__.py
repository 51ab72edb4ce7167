"""The pages of the web app: the API's own answers as HTML, usable without JavaScript."""

from fastapi import Depends, FastAPI

from pipeline.settings import Settings
from pipeline.show.web.pages.answering import PagesRouter, answer_errors_with_pages
from pipeline.show.web.pages.api_page import api_page
from pipeline.show.web.pages.assets import asset_routes, mount_static
from pipeline.show.web.pages.calls import api_of
from pipeline.show.web.pages.chat import chat_pages
from pipeline.show.web.pages.experiments import experiment_pages
from pipeline.show.web.pages.insights import insight_pages
from pipeline.show.web.pages.operations import operation_pages
from pipeline.show.web.pages.plans import plan_pages
from pipeline.show.web.pages.posts import post_pages
from pipeline.show.web.pages.rendering import Renderer
from pipeline.show.web.pages.review import review_pages
from pipeline.show.web.pages.session import Sessions, caller_of_session, session_pages


def add_pages(app: FastAPI, settings: Settings) -> None:
    """Put the pages into an application; call it after `add_api`, whose error answers it wraps.

    Args:
        app: The application.
        settings: Whose home, and the token that people log in with.
    """
    renderer = Renderer(settings)
    sessions = Sessions(settings)
    caller = caller_of_session(settings, sessions)
    api = api_of(app)
    pages = PagesRouter(include_in_schema=False, dependencies=[Depends(caller)])
    for routes in (
        insight_pages(settings, renderer, caller, api),
        post_pages(settings, renderer, caller, api),
        review_pages(settings, renderer, caller, api),
        plan_pages(settings, renderer, caller, api),
        experiment_pages(settings, renderer, caller, api),
        chat_pages(settings, renderer, caller, api),
        operation_pages(settings, renderer, caller, api),
    ):
        pages.include_router(routes)
    app.include_router(pages)
    app.include_router(session_pages(settings, renderer, sessions))
    app.include_router(api_page(app, renderer))
    app.include_router(asset_routes(settings))
    mount_static(app)
    answer_errors_with_pages(app, renderer)

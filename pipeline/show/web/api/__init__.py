"""The JSON API under ``/api/v1``."""

from fastapi import Depends, FastAPI

from pipeline.settings import Settings
from pipeline.show.web.api.chat import chat_routes
from pipeline.show.web.api.demo import demo_routes
from pipeline.show.web.api.documented import complete_document
from pipeline.show.web.api.errors import add_error_answers, responses
from pipeline.show.web.api.experiments import experiment_routes
from pipeline.show.web.api.feedback import feedback_routes
from pipeline.show.web.api.guards import PREFIX, Fence, bearer_of
from pipeline.show.web.api.insights import insight_routes
from pipeline.show.web.api.operations import operation_routes
from pipeline.show.web.api.plans import item_routes, plan_routes
from pipeline.show.web.api.predictions import prediction_routes
from pipeline.show.web.api.recommendations import (
    context_routes,
    recommendation_routes,
    verdict_routes,
)
from pipeline.show.web.api.reflexion import reflexion_routes
from pipeline.show.web.api.remembered import Remembered
from pipeline.show.web.api.tokens import asks_for_token


def add_api(app: FastAPI, settings: Settings) -> None:
    """Put the API into an application, with its errors and its fence.

    Args:
        app: The application.
        settings: Whose home, and the token that callers show.
    """
    caller = bearer_of(settings)
    kept = Remembered(settings)
    routers = [
        insight_routes(settings, caller, kept),
        recommendation_routes(settings, caller),
        context_routes(settings, caller),
        verdict_routes(settings, caller),
        plan_routes(settings, caller, kept),
        item_routes(settings, caller),
        experiment_routes(settings, caller),
        prediction_routes(settings, caller),
        reflexion_routes(settings, caller),
        chat_routes(settings, caller),
        feedback_routes(settings, caller),
        demo_routes(settings, caller),
        operation_routes(settings, caller),
    ]
    # The pages call the functions behind the routes.
    app.state.api_routers = {router.prefix: router for router in routers}
    for router in routers:
        app.include_router(
            router, prefix=PREFIX, dependencies=[Depends(caller)], responses=responses()
        )
    add_error_answers(app, settings.home)
    complete_document(app)
    app.add_middleware(Fence, has_token=asks_for_token(settings))

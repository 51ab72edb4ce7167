"""Whether there is something to answer requests from."""

from pipeline.clients.state import reading_state, state_exists
from pipeline.clients.warehouse import reading
from pipeline.errors import AfterpostError
from pipeline.settings import Settings


def why_not_ready(settings: Settings) -> str | None:
    """Why requests cannot be answered yet; None when they can.

    A state database that does not exist yet is no reason: it is made by the first decision.
    """
    try:
        with reading(settings) as connection:
            connection.execute("select 1 from stats.build_info limit 1")
        if state_exists(settings):
            with reading_state(settings):
                pass
    except AfterpostError as error:
        return str(error)
    return None

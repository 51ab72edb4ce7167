"""Manage experiments, as a job or by the command's function, and be killed at one point of it."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from pipeline.clients.state import StateTransaction
from pipeline.clock import utc_now
from pipeline.decide.managed_experiments import manage_experiments
from pipeline.learn.experiments import managing
from pipeline.settings import load_settings


def _killing_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def killing(*args: Any, **kwargs: Any) -> Any:
        function(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    return killing


def _kill_after(point: str) -> None:
    """Every point is one of the steps between "the experiment has ended" and "all is told"."""
    if point == "recommendation":  # written in the transaction, not committed
        StateTransaction.add_recommendations = _killing_after(  # type: ignore[method-assign]
            StateTransaction.add_recommendations
        )
    else:
        setattr(managing, point, _killing_after(getattr(managing, point)))


if __name__ == "__main__":
    _kill_after(sys.argv[1])
    if "--job" in sys.argv:
        from pipeline.defs.runs import run_experiments

        run_experiments(load_settings())
    else:
        manage_experiments(load_settings(), utc_now())

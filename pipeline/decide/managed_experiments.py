"""Managing experiments with what only decisions can do: approve a winner where the policy may."""

from datetime import datetime

from pipeline.accounts import load_account
from pipeline.clients.state_experiments import experiment_rows
from pipeline.decide.context import ensure_context
from pipeline.decide.review import apply_policy, pending
from pipeline.errors import AfterpostError
from pipeline.learn.experiments.managing import Managed, manage
from pipeline.learn.experiments.registration import ACTIVE
from pipeline.settings import Settings


def manage_experiments(settings: Settings, now: datetime) -> Managed:
    """Manage all experiments, then apply the approval policies to what winners proposed.

    A run that was killed before its policies is made up for by the next one.

    Args:
        settings: Where everything is.
        now: The moment, with its zone.

    Raises:
        ConfigurationError: The state database cannot be used.
    """
    problems = []
    active = experiment_rows(settings, statuses=ACTIVE)
    for name in sorted({row["account_name"] for row in active}):
        try:
            # Proposals are made against the context as it stands, a hand edit included.
            ensure_context(settings, load_account(settings.accounts_dir, name), now)
        except AfterpostError as error:
            problems.append(f"{name}: {error}")
    done = manage(settings, now)
    done.problems += problems
    waiting = {
        item.account_name
        for item in pending(settings)
        if any("experiment_id" in finding for finding in item.findings)
    }
    for name in sorted(waiting):
        try:
            account = load_account(settings.accounts_dir, name)
            decisions = apply_policy(settings, account, now=now)
        except AfterpostError as error:
            done.problems.append(f"{name}: {error}")
        else:
            done.approved += [one.recommendation_id for one in decisions if one.recommendation_id]
    return done

"""What follows from an end: the account's policy, and an alert."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.accounts import AlertKind, load_account
from pipeline.decide.managed_experiments import manage_experiments
from pipeline.decide.review import pending
from pipeline.learn.experiments.managing import manage
from pipeline.settings import Settings
from pipeline.show.alerts.experiments import experiment_findings
from pipeline.show.alerts.findings import Severity
from pipeline.show.alerts.watch import watch
from pipeline.show.alerts.wording import sentence
from tests.fakes.experiment_copies import (
    ACCOUNT_YAML,
    earlier_posts,
    experiment_home,
    publish_experiment,
)
from tests.learn.experiments.hand_made import (
    after,
    experiment,
    guarded,
    views,
)
from tests.learn.experiments.stored import (
    running,
    stored,
    the_recommendation,
    the_row,
)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A home with one account, nothing published."""
    return experiment_home(tmp_path)


@pytest.mark.parametrize(("policy", "approved"), [("manual", 0), ("auto", 1)])
def test_the_accounts_policy_decides_about_a_winner(
    tmp_path: Path, policy: str, approved: int
) -> None:
    home = experiment_home(tmp_path, account_yaml=f"{ACCOUNT_YAML}approval: {{policy: {policy}}}\n")
    now = running(home)

    done = manage_experiments(home, now)

    assert len(done.approved) == approved
    assert len(pending(home)) == 1 - approved
    assert done.problems == []


def test_a_policy_is_made_up_for_after_a_killed_run(tmp_path: Path) -> None:
    home = experiment_home(tmp_path, account_yaml=f"{ACCOUNT_YAML}approval: {{policy: auto}}\n")
    now = running(home)
    manage(home, now)  # killed before the policies

    assert len(manage_experiments(home, now).approved) == 1
    assert manage_experiments(home, now).approved == []


def test_an_end_is_an_alert_once_and_harm_is_critical(home: Settings) -> None:
    now = running(home)
    account = load_account(home.accounts_dir, "moonmusic")
    assert experiment_findings(home, account, now) == []
    manage(home, now)

    (found,) = experiment_findings(home, account, now)
    first, again = watch(home, now), watch(home, now + timedelta(hours=1))

    assert found.severity is Severity.INFO
    told = sentence(found.kind, found.platform, found.figures)
    assert told.startswith("Experiment exp_0123456789ab on tiktok has ended: winner. tried is")
    assert the_recommendation(home).recommendation_id in told
    assert [one.kind for one in first.opened] == [AlertKind.EXPERIMENT_CONCLUDED]
    assert again.opened == again.resolved == []
    assert experiment_findings(home, account, now + timedelta(days=8)) == []


def test_harm_is_critical_and_may_be_muted(tmp_path: Path) -> None:
    home = experiment_home(
        tmp_path, account_yaml=f"{ACCOUNT_YAML}alerts: {{muted: [experiment_concluded]}}\n"
    )
    design = guarded()
    saves = {
        typical: [x / 10_000 for x in views(60, typical, seed=typical)] for typical in (300, 100)
    }
    values = {
        "usual": {"views_72h": views(60, 400, seed=1), "save_rate_7d": saves[300]},
        "tried": {"views_72h": views(60, 400, seed=2), "save_rate_7d": saves[100]},
    }
    assignments, posts = experiment(design, values)
    stored(home, design, "running", assignments)
    publish_experiment(home, design, [*posts, *earlier_posts(posts)])

    manage(home, after(posts))
    account = load_account(home.accounts_dir, "moonmusic")
    (found,) = experiment_findings(home, account, after(posts))

    assert the_row(home)["verdict"] == "stopped_for_harm"
    assert found.severity is Severity.CRITICAL
    assert watch(home, after(posts)).opened == []

"""A small published copy: the tables that findings read, filled by a test."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from pipeline.clients import warehouse
from pipeline.measure.statistics_tables import FAILURE_PATTERNS, VERDICTS, create_empty
from pipeline.settings import Settings

ACCOUNT = "sleepy"

ACCOUNT_YAML = """\
name: sleepy
timezone: America/New_York
platform_profiles: {tiktok: sleepy}
content_pillars: [sleep_routines, picky_eating, baby_products]
formats: [step_guide, habit_list, scripts]
default_slide_count: 5
"""


OTHER_TABLES = """
create schema if not exists intermediate;
create or replace table marts.dim_post (
    account_name varchar, platform varchar, post_id varchar, format varchar, local_date date,
    hook_style varchar, hook_text varchar
);
create or replace table intermediate.int_post_outcomes (
    account_name varchar, platform varchar, post_id varchar, outcome varchar, value double,
    log_value_pulled_in double
);
create or replace table intermediate.int_post_segments (
    account_name varchar, platform varchar, post_id varchar, dimension varchar, segment varchar
);
create or replace table intermediate.metric_availability (
    platform varchar, media_type varchar, metric varchar, valid_from date, valid_to date,
    definition_id varchar
);
create or replace table marts.mart_pillar_performance (
    account_name varchar, platform varchar, pillar varchar, share_of_engagement_7d double
);
create or replace table marts.mart_failure_posts (
    account_name varchar, platform varchar, outcome varchar, post_id varchar
);
create or replace view marts.mart_failures as select * from stats.failure_patterns;
"""
"""What findings and dashboards read besides the effects: the columns, without rows."""


@dataclass(frozen=True)
class Effect:
    """One row of ``stats.segment_effects``; by default a clear and useful one."""

    segment: str = "step_guide"
    effect: float | None = 1.6
    dimension: str = "format"
    outcome: str = "views_7d"
    platform: str = "tiktok"
    n: int = 40
    account_n: int = 120
    age_hours: int = 168
    spread: float = 1.2
    probability_better: float | None = None
    q_value: float | None = 0.001
    verdict: str | None = None
    account_name: str = ACCOUNT

    def row(self) -> tuple[object, ...]:
        """As inserted."""
        effect = self.effect
        verdict = self.verdict or ("better" if (effect or 1) > 1 else "worse")
        probability = self.probability_better
        if probability is None and effect is not None:
            probability = 0.999 if effect > 1 else 0.001
        return (
            self.account_name,
            self.platform,
            self.dimension,
            self.segment,
            self.outcome,
            self.age_hours,
            self.n,
            1200.0,
            effect,
            None if effect is None else effect / self.spread,
            None if effect is None else effect * self.spread,
            probability,
            1.15,
            self.q_value,
            verdict,
            self.account_n,
            0 if verdict in {"better", "worse"} else None,
        )


def unclear(effect: Effect) -> Effect:
    """The same segment without a clear difference."""
    return replace(
        effect, effect=1.04, q_value=0.6, verdict="no_clear_difference", probability_better=0.6
    )


def add_account(settings: Settings, *, policy: str = "manual", name: str = ACCOUNT) -> Path:
    """The account's folder with its configuration."""
    folder = settings.accounts_dir / name
    folder.mkdir(parents=True)
    text = ACCOUNT_YAML.replace("name: sleepy", f"name: {name}")
    (folder / "account.yaml").write_text(f"{text}approval: {{policy: {policy}}}\n")
    return folder


def publish(
    settings: Settings, effects: Sequence[Effect], *, used_formats: Sequence[str] | None = None
) -> str:
    """Publish a warehouse with these effects.

    Args:
        settings: Where.
        effects: Rows of ``stats.segment_effects``.
        used_formats: Formats with enough recent posts; all that the account lists when left out.
    """
    version = f"20261120T0000{len(list(settings.published_dir.glob('2*'))):02d}_abcdef"
    with warehouse.writer_lock(settings, "test"):
        with warehouse.writing(settings, "test") as connection:
            connection.execute(
                """
                create or replace table stats.segment_effects (
                    account_name varchar, platform varchar, dimension varchar, segment varchar,
                    outcome varchar, age_hours integer, n integer, median double, effect double,
                    effect_low double, effect_high double, probability_better double,
                    null_best double, q_value double, verdict varchar, account_n integer,
                    posts_needed integer
                )
                """
            )
            rows = [effect.row() for effect in effects]
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"insert into stats.segment_effects values ({marks})", rows)
            create_empty(connection, VERDICTS)
            create_empty(connection, FAILURE_PATTERNS)
            connection.execute(OTHER_TABLES)
            formats = ("step_guide", "habit_list", "scripts")
            posts = [
                (ACCOUNT, name, date(2026, 11, 19) - timedelta(days=day), "tiktok")
                for name in (formats if used_formats is None else used_formats)
                for day in range(6)
            ]
            connection.executemany(
                "insert into marts.dim_post (account_name, format, local_date, platform) "
                "values (?, ?, ?, ?)",
                posts,
            )
        warehouse.publish(settings, version)
    return version

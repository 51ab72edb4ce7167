"""Predictions: what is known of posts, models fitted to it, and what they say of the next posts."""

from collections import Counter

import dagster as dg

from pipeline.accounts import account_names
from pipeline.clock import utc_now
from pipeline.defs.failures import told_to_dagster
from pipeline.defs.metadata import table_of_rows
from pipeline.settings import Settings

_PUBLISHED = dg.AssetKey(["published", "warehouse"])
_FEATURES = dg.AssetKey(["learn", "prediction_features"])
_MODELS = dg.AssetKey(["learn", "prediction_models"])


@dg.asset(
    key=_FEATURES,
    deps=[_PUBLISHED],
    group_name="learn",
    kinds={"python", "parquet"},
    owners=["team:afterpost"],
    description=(
        "What was known of each post when it went out, and its outcomes at 7 days with the time "
        "from which they were known: what models learn from, as "
        "warehouse/models/prediction_features.parquet."
    ),
)
def prediction_features(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:
    """Write the features of all posts of the published copy."""
    from pipeline.learn.predict.feature_file import write_features
    from pipeline.learn.predict.warehouse_features import load_knowledge

    with told_to_dagster():
        written = write_features(settings, load_knowledge(settings))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": written.post_count,
            "dagster/uri": written.path.as_uri(),
            **{f"known_{target}": count for target, count in written.known_counts.items()},
            "features": table_of_rows(
                [
                    {"feature": name, "known_share": round(share, 3)}
                    for name, share in written.known_shares.items()
                ]
            ),
        }
    )


@dg.asset(
    key=_MODELS,
    deps=[_FEATURES],
    group_name="learn",
    kinds={"python", "scikitlearn"},
    owners=["team:afterpost"],
    description=(
        "One model for each platform and target, fitted anew after a week or when its predictions "
        "have become worse, with a row in the registry. It serves the accounts for which it is "
        "better than their own quantiles out of time."
    ),
)
def prediction_models(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Fit the models that are due."""
    from pipeline.learn.predict.training import train_models

    with told_to_dagster():
        trained = train_models(settings, utc_now())
    for one in trained:
        context.log.info(one.line)
    return dg.MaterializeResult(
        metadata={
            "fitted": sum(one.row is not None for one in trained),
            **(
                {"models": table_of_rows([{"what": one.line} for one in trained])}
                if trained
                else {}
            ),
        }
    )


@dg.asset(
    key=["learn", "predictions"],
    deps=[_PUBLISHED, _MODELS],
    group_name="learn",
    kinds={"python", "sqlite"},
    owners=["team:afterpost"],
    description=(
        "What planned posts and posts of the last day without a plan will reach at 7 days, said "
        "once about each, before it is known. `afterpost predict --planned` shows those of plans."
    ),
)
def predictions(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Predict what was not predicted yet."""
    from pipeline.learn.predict.planned_predictions import predict_planned, predict_young

    with told_to_dagster():
        now = utc_now()
        planned = predict_planned(settings, account_names(settings.accounts_dir), now)
        young = predict_young(settings, now)
    for problem in planned.problems:
        context.log.warning(problem)
    said = [*planned.new, *young]
    served = Counter(
        "nothing" if one.row is None else one.row["model_name"]
        for answer in said
        for one in answer.targets
    )
    rows = [
        {
            "account": one.account_name,
            "platform": one.platform,
            "post": one.planned_id or one.post_id,
            "target": one.main.target.value,
            "expected": None if one.main.row is None else one.main.row["expected"],
            "usual": None if one.main.row is None else one.main.row["baseline_expected"],
            "note": " ".join(one.main.notes),
        }
        for one in said
    ]
    return dg.MaterializeResult(
        metadata={
            "planned_posts": len(planned.new),
            "young_posts": len(young),
            "said_before": len(planned.earlier),
            "plans_over": planned.over_count,
            **{f"served_by_{name}": count for name, count in sorted(served.items())},
            **({"predictions": table_of_rows(rows)} if rows else {}),
            **({"problems": list(planned.problems)} if planned.problems else {}),
        }
    )

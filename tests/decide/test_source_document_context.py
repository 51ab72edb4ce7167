"""The context that the first design shows, extended by hand, goes through an approval."""

import json
from typing import Any

from pipeline.accounts import load_account
from pipeline.decide.context import context_path, ensure_context
from pipeline.decide.review import approve
from pipeline.learn.operations import AddHookStyle, SetFormatWeight
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import NOW, add_pending

DOCUMENT: dict[str, Any] = {
    "last_updated": "2026-02-13",
    "sample_size": 47,
    "format_weights": {"step_guide": 1.4, "habit_list": 0.8, "scripts": 1.2, "boring_habits": 1.0},
    "top_pillars": ["sleep_routines", "tantrum_management", "picky_eating"],
    "underperforming_pillars": ["baby_products"],
    "optimal_slide_count": 5,
    "hook_insights": {
        "best_styles": ["number_specific", "controversy_light"],
        "worst_styles": ["generic_question"],
        "reference_hooks": ["5 boring habits...", "Stop doing this..."],
        "scorer": {"threshold": 12.5, "model": None},
    },
    "save_vs_share": {
        "high_save_formats": ["scripts", "step_guide"],
        "high_share_formats": ["boring_habits"],
        "since": "2026-01",
    },
    "experiment_suggestions": ["how_to format untested", "7-slide posts untested"],
    "approved_recommendations": [
        {
            "id": "rec_001",
            "insight": "step_guide 2.5x saves vs habit_list",
            "approved_at": "2026-02-10",
            "by": "me",
        }
    ],
    "our_notes": ["keep the robot voice out", {"deep": [1, None, "é", "👶🏽"]}],
    "x-generator": {"temperature": 0.7, "seeds": [1, 2, 3]},
    "": "an empty name is a name",
}
UNKNOWN = ("our_notes", "x-generator", "")


def test_keys_that_a_person_added_survive_approvals_wherever_they_stand(settings: Settings):
    path = context_path(settings, ACCOUNT)
    path.write_text(json.dumps(DOCUMENT, ensure_ascii=False, indent=2), encoding="utf-8")
    ensure_context(settings, load_account(settings.accounts_dir, ACCOUNT), NOW)
    add_pending(settings, SetFormatWeight(format="habit_list", weight=0.6), document=DOCUMENT)
    add_pending(
        settings,
        AddHookStyle(list="best_styles", style="how_to"),
        recommendation_id="rec_000000000002",
        document=DOCUMENT,
    )
    for recommendation_id in ("rec_000000000001", "rec_000000000002"):
        approve(settings, recommendation_id, by="ann", now=NOW)
    after = json.loads(path.read_bytes())

    assert {key: after[key] for key in UNKNOWN} == {key: DOCUMENT[key] for key in UNKNOWN}
    assert after["format_weights"] == {**DOCUMENT["format_weights"], "habit_list": 0.6}
    assert after["hook_insights"] == {
        **DOCUMENT["hook_insights"],
        "best_styles": ["number_specific", "controversy_light", "how_to"],
    }
    assert after["save_vs_share"] == DOCUMENT["save_vs_share"]
    assert after["approved_recommendations"][0] == DOCUMENT["approved_recommendations"][0]
    assert [item["id"] for item in after["approved_recommendations"][1:]] == [
        "rec_000000000001",
        "rec_000000000002",
    ]
    for key in ("top_pillars", "underperforming_pillars", "experiment_suggestions"):
        assert after[key] == DOCUMENT[key]

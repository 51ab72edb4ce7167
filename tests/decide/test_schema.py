import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from pipeline.accounts import load_account
from pipeline.decide.context_id import context_id_of
from pipeline.decide.schema import (
    SCHEMA_PATH,
    json_schema,
    neutral_context,
    parse_context,
    render_context,
    schema_bytes,
)
from pipeline.errors import ContextError
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT

PATH = Path("accounts/sleepy/performance_context.json")

KEYS = [
    *("schema_version", "account", "context_id", "last_updated", "sample_size"),
    *("warehouse_version", "format_weights", "top_pillars", "underperforming_pillars"),
    *("top_topics", "optimal_slide_count", "hook_insights", "save_vs_share", "timing", "cta"),
    *("experiment_suggestions", "exploration", "approved_recommendations", "evidence"),
    "valid_until",
]

OLD_FORM = """{
  "last_updated": "2026-02-13",
  "sample_size": 47,
  "format_weights": {"step_guide": 1.4, "habit_list": 0.8},
  "top_pillars": ["sleep_routines"],
  "underperforming_pillars": ["baby_products"],
  "optimal_slide_count": 5,
  "hook_insights": {
    "best_styles": ["number_specific"], "worst_styles": [], "reference_hooks": ["5 habits..."]
  },
  "save_vs_share": {"high_save_formats": ["scripts"], "high_share_formats": []},
  "experiment_suggestions": ["how_to format untested"],
  "approved_recommendations": [
    {"id": "rec_001", "insight": "more saves", "approved_at": "2026-02-10"}
  ]
}"""


def test_the_published_schema_is_that_of_the_model():
    assert SCHEMA_PATH.read_bytes() == schema_bytes()
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_first_context_has_every_key_and_prefers_nothing(settings: Settings):
    account = load_account(settings.accounts_dir, ACCOUNT)
    document = neutral_context(account, date(2026, 11, 20))
    jsonschema.validate(document, json_schema())
    assert list(document) == KEYS
    assert document["format_weights"] == {"step_guide": 1.0, "habit_list": 1.0, "scripts": 1.0}
    assert document["optimal_slide_count"] == 5
    assert document["context_id"] == context_id_of(document)
    assert document["valid_until"] is None
    parse_context(render_context(document), PATH)


def test_a_context_of_the_older_form_is_valid():
    context, document = parse_context(OLD_FORM.encode(), PATH)
    assert context.format_weights["step_guide"] == 1.4
    jsonschema.validate(document, json_schema())
    assert json.loads(render_context(document)) == document


def test_our_keys_come_in_order_and_others_after_them():
    rendered = render_context({"mine": 1, "sample_size": 2, "schema_version": 1, "also": "é"})
    assert rendered.decode() == (
        '{\n  "schema_version": 1,\n  "sample_size": 2,\n  "mine": 1,\n  "also": "é"\n}\n'
    )


def test_the_id_is_of_the_content_and_not_of_its_spelling():
    assert context_id_of({"a": 1, "b": 2, "context_id": "x"}) == context_id_of({"b": 2, "a": 1})
    assert context_id_of({"a": 1}) != context_id_of({"a": 2})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('"sample_size": 47', "sample_size"),
        ('"step_guide": 1.4', "format_weights.step_guide"),
        ('"top_pillars": ["sleep_routines"]', "top_pillars"),
        ('"last_updated": "2026-02-13"', "last_updated"),
        ('"approved_at": "2026-02-10"', "approved_recommendations.0.approved_at"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(change: str, words: str):
    key = change.split(":", maxsplit=1)[0]
    broken = OLD_FORM.replace(change, f"{key}: true")
    with pytest.raises(ContextError, match=words) as caught:
        parse_context(broken.encode(), PATH)
    assert "afterpost context revert" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b"<html></html>",
        OLD_FORM.replace("1.4", "50").encode(),
        OLD_FORM.replace("1.4", "NaN").encode(),
        OLD_FORM.replace("1.4", '"1.4"').encode(),
        OLD_FORM.replace("47", "-1").encode(),
        OLD_FORM.replace("{", '{"mine": NaN,', 1).encode(),
        OLD_FORM.replace("{", '{"mine": "\\ud800",', 1).encode(),
        b"[" * 100_000,
        OLD_FORM.encode("utf-16"),
    ],
)
def test_what_no_generator_could_read_is_refused_in_one_sentence(raw: bytes):
    with pytest.raises(ContextError, match="is not a valid context"):
        parse_context(raw, PATH)

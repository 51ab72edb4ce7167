"""A load looks only at what is new, and ends in the tables of a load from nothing."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import AccountConfig, Platform, load_account
from pipeline.clients.state_labels import (
    forget_person_labels,
    forget_person_match,
    put_model_answer,
    put_person_labels,
    put_person_match,
)
from pipeline.clients.warehouse import writing
from pipeline.collect import label_tables, labels, loading, plan_folders
from pipeline.collect import planned as planned_module
from pipeline.collect.caption_answers import content_sha256
from pipeline.collect.imports import import_file
from pipeline.collect.planned import PlannedPost
from pipeline.collect.raw import load_raw, refresh_labels
from pipeline.settings import Settings
from tests.collect.samples import instagram_row, make_account, tiktok_row, write_json
from tests.collect.test_raw_load import everything, landed

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
LISTS: dict[str, Any] = {
    "formats": ["step_guide", {"name": "list", "keywords": ["things"]}],
    "content_pillars": [
        {"name": "sleep", "keywords": ["bedtime", "nap"]},
        {"name": "food", "keywords": ["plate", "café"]},
    ],
    "topics": ["evening"],
}
OTHER_LISTS = LISTS | {"content_pillars": [{"name": "sleep", "keywords": ["plate"]}, "food"]}
TEXTS = (
    "Bedtime is hard tonight, we all know #sleep 😀",
    "3 things on the plate that we keep for later",
    "Stop serving dinner so late in the evening!",
    "Un café à la maison, sans plate",
    "How to nap when nobody else naps\n#nap",
    "",
    "One slow walk along the harbour with a thermos",
    "Why does the moon follow our car home?",
)
Step = Callable[[Settings], object]


def post_id(number: int) -> str:
    return str(tiktok_row(number)["id"])


def scraped(home: Settings, day: int, captions: dict[int, str], **changes: Any) -> None:
    rows = [tiktok_row(one, text=text, diggCount=day) for one, text in captions.items()]
    landed(home, rows, day, **changes)


def planned(home: Settings, name: str, number: int, caption: str | None, **values: Any) -> Path:
    moment = datetime.fromtimestamp(1_725_840_000 + number, tz=UTC) + timedelta(minutes=5)
    path = home.accounts_dir / "lullabies" / "output" / name / "meta.json"
    meta = {"caption": caption, "published_at": moment.isoformat(), **values}
    write_json(path, meta)
    long_ago = 1_700_000_000_000_000_000 + len(str(meta))
    os.utime(path, ns=(long_ago, long_ago))
    return path


def world(home: Settings) -> None:
    """One account with posts on two platforms, plans for some, and another without anything."""
    make_account(home, **LISTS)
    make_account(home, "other", platform_profiles={})
    planned(home, "one", 0, TEXTS[0], format="step_guide", pillar="food")
    planned(home, "two", 1, TEXTS[1], hook_text="Why is it so?", topic="evening")
    planned(home, "day_only", 6, TEXTS[6], published_at="2024-09-09", format="Step Guide")
    scraped(home, 1, dict(enumerate(TEXTS)))
    landed(
        home,
        [instagram_row(number, caption=text) for number, text in enumerate(TEXTS)],
        1,
        platform=Platform.INSTAGRAM,
    )


def say_label(home: Settings, number: int, dimension: str, label: str | None) -> None:
    key = {"account_name": "lullabies", "platform": "tiktok", "post_id": post_id(number)}
    row = key | {"dimension": dimension, "label": label, "decided_by": "x", "decided_at": NOW}
    put_person_labels(home, [row])


def say_match(home: Settings, number: int, planned_id: str | None) -> None:
    key = {"account_name": "lullabies", "platform": "tiktok", "post_id": post_id(number)}
    put_person_match(home, key | {"planned_id": planned_id, "decided_by": "x", "decided_at": NOW})


def answer(home: Settings, batch: str, caption: str, **labels: str) -> None:
    account = load_account(home.accounts_dir, "lullabies")
    put_model_answer(
        home,
        {"batch_id": batch, "account_name": "lullabies", "asked_at": NOW, "model": home.model,
         "prompt_sha256": "x", "caption_count": 1, "reason": None, "input_tokens": 1,
         "output_tokens": 1, "cost_usd": None},
        [{"content_sha256": content_sha256(account, caption), "model": home.model,
          "labels": labels, "refusal_count": 0, "asked_at": NOW}],
    )  # fmt: skip


def correct_the_handle(home: Settings) -> None:
    """A file of another author is imported, and the handle corrected to that author's."""
    rows = [tiktok_row(90 + one, authorMeta={"name": "latenights"}) for one in range(3)]
    path = write_json(home.home / "2026-10-09.json", rows)
    account = load_account(home.accounts_dir, "lullabies")
    import_file(home, account, path)
    load_raw(home)
    right = make_account(home, platform_profiles={"tiktok": "latenights"}, **LISTS)
    import_file(home, right, path)


STEPS: dict[str, Step] = {
    "another day": lambda home: scraped(home, 2, dict(enumerate(TEXTS))),
    "a new post and an edited caption": lambda home: scraped(
        home, 3, {8: "A plate, and a nap", 1: TEXTS[1], 2: "Bedtime now!"}
    ),
    "an old scrape that came late": lambda home: scraped(home, 0, {0: "Before it was edited"}),
    "a keyword": lambda home: make_account(home, **OTHER_LISTS),
    "the keyword back": lambda home: make_account(home, **LISTS),
    "a person's label": lambda home: say_label(home, 2, "pillar", "food"),
    "the label corrected": lambda home: say_label(home, 2, "pillar", None),
    "a label taken back": lambda home: forget_person_labels(
        home, "lullabies", "tiktok", post_id(2), ["pillar"]
    ),
    "a person's match": lambda home: say_match(home, 4, "one"),
    "a person's word that there is no plan": lambda home: say_match(home, 1, None),
    "a match taken back": lambda home: forget_person_match(home, "lullabies", "tiktok", post_id(4)),
    "another zone": lambda home: make_account(home, timezone="Asia/Tokyo", **LISTS),
    "a newly planned post": lambda home: planned(home, "new", 7, TEXTS[7], pillar="food"),
    "a plan's other format": lambda home: planned(home, "one", 0, TEXTS[0], format="list"),
    "a plan for an arm of an experiment": lambda home: planned(
        home,
        "one",
        0,
        TEXTS[0],
        format="list",
        experiment={"experiment_id": "exp_1", "arm": "tried", "assignment_id": "asg_1"},
    ),
    "a plan that cannot be read": lambda home: (
        home.accounts_dir / "lullabies" / "output" / "two" / "meta.json"
    ).write_text("{"),
    "a deleted plan": lambda home: shutil.rmtree(
        home.accounts_dir / "lullabies" / "output" / "one"
    ),
    "all plans deleted": lambda home: shutil.rmtree(home.accounts_dir / "lullabies" / "output"),
    "a plan again": lambda home: planned(home, "one", 0, TEXTS[0], format="list"),
    "a model's answer": lambda home: answer(home, "b1", TEXTS[6], pillar="food", format="list"),
    "the model's other answer": lambda home: answer(home, "b2", TEXTS[6], pillar="sleep"),
    "a corrected handle": correct_the_handle,
    "an account without its file": lambda home: (
        home.accounts_dir / "lullabies" / "account.yaml"
    ).unlink(),
    "the account again": lambda home: make_account(home, **LISTS),
}


def from_nothing(home: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """The tables as a load into a new warehouse makes them, labelling all posts at once."""
    aside = home.database_path.with_name("aside")
    home.database_path.rename(aside)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(label_tables, "_FEW_POSTS", 0)
            load_raw(home)
        return everything(home)
    finally:
        aside.replace(home.database_path)


def test_every_change_ends_in_the_tables_of_a_load_from_nothing(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    world(home)
    report = load_raw(home)
    assert (report.planned_post_count, report.match_count) == (3, 3)
    before = everything(home)
    assert before == from_nothing(home)
    unchanged = []
    for name, step in STEPS.items():
        step(home)
        load_raw(home)
        after = everything(home)
        assert after == from_nothing(home), name
        same = [after[table] == before[table] for table in ("post_labels", "planned_posts")]
        unchanged += [name] if all(same) else []
        before = after
    # All other steps did change something that was compared.
    assert unchanged == ["another day", "an old scrape that came late"]


@pytest.fixture
def labelled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The posts that were labelled since it was cleared."""
    posts: list[str] = []
    real = labels.label_rows

    def label_rows(account: Any, plans: Any, some: Any, *rest: Any, **named: Any) -> Any:
        posts.extend(f"{post.platform.value} {post.post_id}" for post in some)
        return real(account, plans, some, *rest, **named)

    monkeypatch.setattr(label_tables, "label_rows", label_rows)
    return posts


def test_only_what_changed_is_labelled_again(
    tmp_path: Path, labelled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path)
    world(home)
    load_raw(home)
    assert len(labelled) == 2 * len(TEXTS)
    read: list[str] = []
    real = planned_module.read_plan

    def read_plan(account: AccountConfig, folder: Path) -> PlannedPost:
        read.append(folder.name)
        return real(account, folder)

    monkeypatch.setattr(plan_folders, "read_plan", read_plan)
    expected: dict[str, tuple[set[int], set[str]]] = {
        "another day": (set(), set()),
        "a new post and an edited caption": ({2, 8}, set()),
        "an old scrape that came late": (set(), set()),
        "a person's label": ({2}, set()),
        "a label taken back": ({2}, set()),
        "a person's word that there is no plan": ({1}, set()),
        "a newly planned post": ({7}, {"new"}),
        "a plan's other format": ({0}, {"one"}),
        "a model's answer": ({6}, set()),
    }
    for name, (numbers, plans) in expected.items():
        labelled.clear()
        read.clear()
        STEPS[name](home)
        load_raw(home)
        tiktok = {one for one in labelled if one.startswith("tiktok")}
        assert tiktok == {f"tiktok {post_id(number)}" for number in numbers}, name
        assert set(read) == plans, name


def test_nothing_new_means_nothing_to_do(tmp_path: Path, labelled: list[str]) -> None:
    home = Settings(home=tmp_path)
    world(home)
    load_raw(home)
    labelled.clear()
    load_raw(home)
    refresh_labels(home)
    assert labelled == []


def test_another_program_labels_all_anew(
    tmp_path: Path, labelled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path)
    world(home)
    load_raw(home)
    before = everything(home)
    labelled.clear()
    monkeypatch.setattr(loading, "program_fingerprint", lambda: "newer")
    load_raw(home)
    assert len(labelled) == 2 * len(TEXTS)
    assert everything(home) == before


def test_a_load_that_failed_after_the_scrapes_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path)
    world(home)
    load_raw(home)
    scraped(home, 3, {8: "A plate, and a nap", 2: "Bedtime now!"})
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.collect.raw.update_labels", None)
        with pytest.raises(TypeError):
            load_raw(home)
    assert load_raw(home).scrapes_loaded == 0
    assert everything(home) == from_nothing(home)


def test_manifests_that_are_as_they_were_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path)
    world(home)
    load_raw(home)
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.collect.scrape_loading._landed_handle", None)
        load_raw(home)
    for path in home.landing_dir.rglob("*.manifest.json"):
        path.touch()
    assert load_raw(home).scrapes_loaded == 0
    with writing(home, "test") as connection:
        assert connection.execute("select count(*) from loading.manifests").fetchone() == (2,)

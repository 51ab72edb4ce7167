import json
from pathlib import Path

import pytest

from pipeline.accounts import AccountConfig, load_account
from pipeline.decide.context import (
    ContextEvent,
    ContextState,
    context_path,
    diff,
    ensure_context,
    history,
    read_context,
    revert,
)
from pipeline.decide.review import approve
from pipeline.decide.versions import account_lock
from pipeline.errors import ContextError, UnknownAccountError
from pipeline.settings import Settings
from tests.decide.test_schema import OLD_FORM
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import NOW, add_pending


@pytest.fixture
def account(settings: Settings) -> AccountConfig:
    return load_account(settings.accounts_dir, ACCOUNT)


@pytest.fixture
def path(settings: Settings) -> Path:
    return context_path(settings, ACCOUNT)


def causes(settings: Settings) -> list[str]:
    return [version.cause.value for version in history(settings, ACCOUNT)]


def ensured(settings: Settings, account: AccountConfig) -> ContextState:
    return ensure_context(settings, account, NOW)


def test_the_first_file_is_made_once_and_stays_byte_for_byte(settings, account, path):
    first = ensured(settings, account)
    assert first.event is ContextEvent.CREATED
    written = path.read_bytes()
    inode = path.stat().st_ino
    assert ensured(settings, account).event is ContextEvent.UNCHANGED
    assert (path.read_bytes(), path.stat().st_ino) == (written, inode)
    assert causes(settings) == ["initial"]
    assert read_context(settings, ACCOUNT).context.account == ACCOUNT


def test_a_missing_context_is_one_sentence(settings: Settings):
    with pytest.raises(ContextError, match="does not exist yet"):
        read_context(settings, ACCOUNT)
    assert history(settings, ACCOUNT) == []
    assert diff(settings, ACCOUNT) == ""


def test_a_valid_edit_is_adopted_and_its_bytes_are_left(settings, account, path):
    ensured(settings, account)
    edited = OLD_FORM.replace("{", '{"mine": [1, 2],', 1).encode()
    path.write_bytes(edited)
    state = ensured(settings, account)
    assert state.event is ContextEvent.ADOPTED
    assert path.read_bytes() == edited
    assert causes(settings) == ["initial", "adopted"]
    assert ensured(settings, account).event is ContextEvent.UNCHANGED


def test_a_file_from_before_the_state_database_is_adopted(settings, account, path):
    path.write_text(OLD_FORM)
    assert ensured(settings, account).event is ContextEvent.ADOPTED
    assert path.read_text() == OLD_FORM


@pytest.mark.parametrize("broken", [b"{", b"", OLD_FORM.replace("1.4", "50").encode()])
def test_a_broken_edit_is_refused_and_left(settings, account, path, broken: bytes):
    ensured(settings, account)
    path.write_bytes(broken)
    add_pending(settings)
    for attempt in (
        lambda: ensured(settings, account),
        lambda: approve(settings, "rec_000000000001", by="ann", now=NOW),
    ):
        with pytest.raises(ContextError, match="not a valid context"):
            attempt()
    assert path.read_bytes() == broken
    assert causes(settings) == ["initial"]


def test_a_broken_edit_is_reverted_to_the_last_good_file_and_kept_aside(settings, account, path):
    good = ensured(settings, account).raw_bytes
    path.write_bytes(b"{ oops")
    revert(settings, ACCOUNT, by="ann", now=NOW)
    assert path.read_bytes() == good
    (aside,) = (path.parent / "context_history").glob("broken_*.json")
    assert aside.read_bytes() == b"{ oops"
    assert ensured(settings, account).event is ContextEvent.UNCHANGED


def test_a_deleted_file_is_restored(settings, account, path):
    good = ensured(settings, account).raw_bytes
    path.unlink()
    assert ensured(settings, account).event is ContextEvent.RESTORED
    assert path.read_bytes() == good
    assert causes(settings) == ["initial"]


def test_a_link_or_a_folder_is_not_written_through(settings, account, path, tmp_path):
    outside = tmp_path / "outside.json"
    outside.write_text(OLD_FORM)
    path.symlink_to(outside)
    with pytest.raises(ContextError, match="no plain file"):
        ensured(settings, account)
    path.unlink()
    path.mkdir()
    with pytest.raises(ContextError, match="no plain file"):
        ensured(settings, account)
    assert outside.read_text() == OLD_FORM


def test_revert_restores_the_former_bytes_and_is_a_decision(settings, account, path):
    former = ensured(settings, account).raw_bytes
    add_pending(settings)
    approve(settings, "rec_000000000001", by="ann", now=NOW)
    approved = path.read_bytes()
    decision = revert(settings, ACCOUNT, by="bob", now=NOW, note="too soon")
    assert path.read_bytes() == former
    assert (decision.decision.value, decision.decided_by) == ("revert", "bob")
    versions = history(settings, ACCOUNT)
    assert [version.cause.value for version in versions] == ["initial", "decision", "revert"]
    assert versions[0].context_id == versions[2].context_id
    assert (versions[2].decided_by, versions[2].note) == ("bob", "too soon")
    folder = path.parent / "context_history"
    kept = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert kept == {
        f"0001_{versions[0].context_id}.json": former,
        f"0002_{versions[1].context_id}.json": approved,
    }
    revert(settings, ACCOUNT, by="bob", now=NOW)
    assert path.read_bytes() == approved


def test_revert_goes_to_a_named_version(settings, account, path):
    first = ensured(settings, account)
    path.write_text(OLD_FORM)
    ensured(settings, account)
    path.write_text(OLD_FORM.replace("47", "48"))
    revert(settings, ACCOUNT, by="ann", now=NOW, to=first.context_id)
    assert path.read_bytes() == first.raw_bytes
    revert(settings, ACCOUNT, by="ann", now=NOW, to="2")
    assert path.read_text() == OLD_FORM
    assert causes(settings) == ["initial", "adopted", "adopted", "revert", "revert"]


def test_there_is_nothing_to_revert_at_the_start_or_to_what_never_was(settings, account, path):
    with pytest.raises(ContextError, match="no former version"):
        revert(settings, ACCOUNT, by="ann", now=NOW)
    current = ensured(settings, account)
    with pytest.raises(ContextError, match="no former version"):
        revert(settings, ACCOUNT, by="ann", now=NOW)
    with pytest.raises(ContextError, match="no version 'ctx_nowhere'"):
        revert(settings, ACCOUNT, by="ann", now=NOW, to="ctx_nowhere")
    with pytest.raises(ContextError, match="already"):
        revert(settings, ACCOUNT, by="ann", now=NOW, to=current.context_id)
    with pytest.raises(UnknownAccountError):
        revert(settings, "../sleepy", by="ann", now=NOW)
    assert causes(settings) == ["initial"]


def test_the_difference_shows_the_change(settings, account):
    ensured(settings, account)
    add_pending(settings)
    approve(settings, "rec_000000000001", by="ann", now=NOW)
    shown = diff(settings, ACCOUNT)
    assert '-    "step_guide": 1.0,' in shown
    assert '+    "step_guide": 1.4,' in shown
    assert diff(settings, ACCOUNT, old="2", new="1").startswith("--- 2 ctx_")


def test_an_edit_between_the_commit_and_the_write_keeps_both_changes(
    settings, account, path, monkeypatch
):
    ensured(settings, account)
    add_pending(settings)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.decide.versions.write_atomically", fail)
        with pytest.raises(ContextError, match="The decision itself is stored"):
            approve(settings, "rec_000000000001", by="ann", now=NOW)
    edited = {**json.loads(path.read_bytes()), "mine": "kept", "top_pillars": ["picky_eating"]}
    path.write_text(json.dumps(edited))
    assert ensured(settings, account).event is ContextEvent.ADOPTED
    document = json.loads(path.read_bytes())
    assert document["mine"] == "kept"
    assert document["top_pillars"] == ["picky_eating"]
    assert document["format_weights"]["step_guide"] == 1.4
    assert causes(settings) == ["initial", "decision", "adopted", "decision"]
    assert ensured(settings, account).event is ContextEvent.UNCHANGED


def test_a_context_that_somebody_holds_is_waited_for_and_then_told(settings, account):
    impatient = settings.model_copy(update={"lock_timeout_s": 0.1})
    with (
        account_lock(settings, ACCOUNT),
        pytest.raises(ContextError, match="being changed by another process"),
    ):
        ensure_context(impatient, account, NOW)

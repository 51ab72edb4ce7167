"""The Slack client against a local server: once, in order, with every refusal in one sentence."""

import time

import pytest

from pipeline.clients.slack import (
    LONGEST_TEXT,
    Picture,
    PostedMessage,
    is_configured,
    post,
    upload,
)
from pipeline.errors import (
    ConfigurationError,
    NotConfiguredError,
    Retry,
    SlackError,
    SlackRefusedError,
    SlackUnavailableError,
    SlackUnclearError,
)
from pipeline.settings import Settings
from tests.fakes.slack_server import (
    CHANNEL_ID,
    HANG_UP,
    TOKEN,
    Reply,
    SlackServer,
    refused,
    too_many,
)

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "Nine posts"}}]
PICTURE = Picture("trend.png", "Trend", "Views rise", b"\x89PNG" + b"\x00" * 2000)


@pytest.fixture
def server():
    with SlackServer() as slack:
        yield slack


@pytest.fixture
def settings(server, tmp_path) -> Settings:
    return server.settings(Settings(home=tmp_path))


def test_a_message_is_posted_with_its_fallback_text_and_without_previews_of_links(server, settings):
    posted = post(settings, text="Nine posts", blocks=BLOCKS)

    (message,) = server.messages
    assert (message["text"], message["blocks"]) == ("Nine posts", BLOCKS)
    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)
    assert posted == PostedMessage(CHANNEL_ID, message["ts"])


def test_pictures_are_uploaded_below_the_message_to_the_channels_id(server, settings):
    posted = post(settings, text="x", blocks=BLOCKS, pictures=[PICTURE, PICTURE])

    assert [method for method, _ in server.called] == [
        "chat.postMessage",
        "files.getUploadURLExternal",
        "files.getUploadURLExternal",
        "files.completeUploadExternal",
    ]
    assert [one["content"] for one in server.files.values()] == [PICTURE.png] * 2
    assert {one["thread_ts"] for one in server.files.values()} == {posted.ts}
    assert {one["alt_txt"] for one in server.files.values()} == {"Views rise"}
    assert posted.pictures_problem is None


@pytest.mark.parametrize(
    ("method", "reply", "sentence"),
    [
        ("files.getUploadURLExternal", refused("file_uploads_disabled"), "does not allow files"),
        ("files.completeUploadExternal", refused("missing_scope", needed="files:write"),
         "files:write"),
        ("files.completeUploadExternal", HANG_UP, "got lost"),
        ("files.getUploadURLExternal", Reply(500, "oops"), "got lost"),
    ],
)  # fmt: skip
def test_pictures_that_fail_do_not_undo_the_message(server, settings, method, reply, sentence):
    server.replies[method].append(reply)

    posted = post(settings, text="x", blocks=BLOCKS, pictures=[PICTURE])

    assert len(server.messages) == 1
    assert posted.pictures_problem is not None
    assert sentence in posted.pictures_problem


def test_an_answer_goes_into_the_thread_of_its_message(server, settings):
    first = post(settings, text="x", blocks=BLOCKS)
    post(settings, text="y", blocks=BLOCKS, thread=first)

    assert server.messages[1]["thread_ts"] == first.ts
    assert server.messages[1]["channel"] == CHANNEL_ID


def test_a_long_text_is_cut_where_slack_would_cut_it(server, settings):
    post(settings, text="x" * (LONGEST_TEXT + 1), blocks=BLOCKS)

    assert len(server.messages[0]["text"]) == LONGEST_TEXT


def test_slack_is_waited_for_as_long_as_it_asks(server, settings):
    server.replies["chat.postMessage"].append(too_many(1))
    started = time.monotonic()

    post(settings, text="x", blocks=BLOCKS)

    assert time.monotonic() - started >= 1
    assert len(server.messages) == 1


def test_a_wait_beyond_the_deadline_is_an_error_that_may_be_tried_later(server, settings):
    server.replies["chat.postMessage"].append(too_many(3600))
    started = time.monotonic()

    with pytest.raises(SlackUnavailableError, match="nothing was posted") as error:
        post(settings, text="x", blocks=BLOCKS)

    assert time.monotonic() - started < 1
    assert error.value.retry is Retry.LATER
    assert server.messages == []


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("channel_not_found", "There is no channel #reports that the app can see"),
        ("not_in_channel", "invite it there with /invite"),
        ("is_archived", "is archived"),
        ("invalid_auth", "does not know the token"),
        ("token_revoked", "was revoked"),
        ("account_inactive", "app or workspace is gone"),
        ("msg_too_long", "longer than Slack takes"),
        ("msg_blocks_too_long", "longer than Slack takes"),
        ("restricted_action", "does not let the app post"),
        ("something_new", "refused the message: something_new"),
    ],
)
def test_each_refusal_is_one_sentence_that_says_what_to_change(server, settings, code, sentence):
    server.replies["chat.postMessage"].append(refused(code))

    with pytest.raises(SlackRefusedError) as error:
        post(settings, text="x", blocks=BLOCKS)

    assert sentence in str(error.value)
    assert error.value.code == code
    assert TOKEN not in str(error.value)
    assert "\n" not in str(error.value)


def test_blocks_that_slack_does_not_accept_are_told_with_its_reason(server, settings):
    too_many_blocks = BLOCKS * 51

    with pytest.raises(SlackRefusedError, match=r"invalid_blocks|51 blocks") as error:
        post(settings, text="x", blocks=too_many_blocks)

    assert "(51 blocks)" in str(error.value)


@pytest.mark.parametrize(
    "reply",
    [HANG_UP, Reply(500, "oops"), Reply(503, {"ok": False}), Reply(200, "no json"),
     refused("fatal_error"), refused("internal_error")],
)  # fmt: skip
def test_what_may_have_been_posted_is_not_sent_again(server, settings, reply):
    server.replies["chat.postMessage"].append(reply)

    with pytest.raises(SlackUnclearError, match="may have been posted"):
        post(settings, text="x", blocks=BLOCKS)

    assert [method for method, _ in server.called] == ["chat.postMessage"]


def test_a_slack_that_is_not_there_got_nothing(tmp_path):
    with SlackServer() as gone:
        settings = gone.settings(Settings(home=tmp_path))

    with pytest.raises(SlackUnavailableError, match="nothing was posted"):
        post(settings, text="x", blocks=BLOCKS)


def test_a_wrong_token_is_told_without_it(server, settings):
    wrong = settings.model_copy(update={"slack_bot_token": None}).model_validate(
        settings.model_dump() | {"slack_bot_token": "xoxb-other"}
    )

    with pytest.raises(SlackRefusedError, match="does not know the token") as error:
        post(wrong, text="x", blocks=BLOCKS)

    assert "xoxb-other" not in str(error.value)


@pytest.mark.parametrize(
    ("missing", "variable"),
    [("slack_bot_token", "SLACK_BOT_TOKEN"), ("slack_channel", "SLACK_CHANNEL")],
)
def test_without_a_token_or_a_channel_nothing_is_called(server, settings, missing, variable):
    bare = settings.model_copy(update={missing: None})

    assert is_configured(settings)
    assert not is_configured(bare)
    with pytest.raises(NotConfiguredError, match=variable):
        post(bare, text="x", blocks=BLOCKS)
    assert server.called == []


def test_an_address_that_is_none_is_a_setting_to_correct(settings):
    odd = settings.model_copy(update={"slack_api_base_url": "slack.com/api"})

    with pytest.raises(ConfigurationError, match="SLACK_API_BASE_URL"):
        post(odd, text="x", blocks=BLOCKS)


def test_a_proxy_for_the_world_is_not_asked_for_a_local_address(server, settings, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    posted = post(settings, text="x", blocks=BLOCKS, pictures=[PICTURE])

    assert posted.pictures_problem is None


def test_a_forgotten_upload_is_told(server, settings):
    posted = post(settings, text="x", blocks=BLOCKS)
    server.replies["files.completeUploadExternal"].append(refused("storage_limit_reached"))

    problem = upload(settings, [PICTURE], posted)

    assert problem is not None
    assert "no room for files" in problem


def test_every_error_of_slack_is_one_family():
    for kind in (SlackRefusedError, SlackUnavailableError, SlackUnclearError):
        assert issubclass(kind, SlackError)

"""The token stands in the environment and nowhere else, whatever Apify says."""

import logging

import pytest

from pipeline.collect.raw import load_raw
from pipeline.errors import AfterpostError
from pipeline.simulate.apify_server import ApiReply, error_reply
from tests.faults.bench import TOKEN, Bench, is_items, is_start, is_wait, posts, replying

ECHO = f"Bad token {TOKEN} given"


def test_the_token_is_in_no_message_log_manifest_or_table(
    bench: Bench, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    told = []
    broken = ApiReply(200, ECHO.encode(), {"Content-Type": "text/plain"})
    for intercept in (
        replying(is_start, error_reply(401, "user-or-token-not-found", ECHO)),
        replying(is_start, error_reply(500, "internal", ECHO)),
        replying(is_wait, error_reply(403, "forbidden", ECHO)),
        replying(is_items, error_reply(429, "rate-limit-exceeded", ECHO)),
        replying(is_items, broken),
        None,
    ):
        bench.server.intercept = intercept
        bench.says(posts(1), status="FAILED", status_message=ECHO)
        try:
            told.append(bench.scrape().line)
        except AfterpostError as error:
            told.append(str(error))
    bench.says([], status="TIMED-OUT", status_message=ECHO)
    with pytest.raises(AfterpostError) as caught:
        bench.scrape()
    told.append(str(caught.value))
    load_raw(bench.settings)

    assert any("[token]" in line for line in told)
    output = capfd.readouterr()
    assert TOKEN not in "".join([*told, caplog.text, output.out, output.err])
    files = [path for path in bench.settings.home.rglob("*") if path.is_file()]
    assert len(files) >= 5
    for path in files:
        assert TOKEN.encode() not in path.read_bytes(), path

"""Claims of machines that share a state database and nothing else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.clients.state_claims import claimed
from pipeline.errors import ClaimHeldError, ConfigurationError
from pipeline.settings import Settings
from tests.collect.samples import make_account
from tests.faults.bench import open_bench
from tests.faults.repeated_runs import NAME, assert_paid_once, both_end
from tests.scale.postgres_server import PostgresServer, postgres_is_installed, postgres_server

pytestmark = pytest.mark.skipif(
    not postgres_is_installed(), reason="needs the Debian package postgresql"
)

HOLD = """
import sys, time
from pathlib import Path
from pipeline.clients.state_claims import claimed
from pipeline.settings import Settings
with claimed(Settings(home=Path("/nowhere"), state_url=sys.argv[1]), "mine", timeout_s=5):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def settings(postgres: PostgresServer, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, state_url=postgres.new_database())


@pytest.fixture
def holder(settings: Settings) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the claim."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(settings.state_url)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_claim_that_another_process_holds_is_not_given(
    settings: Settings, holder: "subprocess.Popen[str]"
) -> None:
    with (
        pytest.raises(ClaimHeldError, match="holds mine and did not finish within 0 s"),
        claimed(settings, "mine", timeout_s=0.3),
    ):
        pass
    with claimed(settings, "another", timeout_s=0):
        pass


def test_a_claim_ends_with_its_process(settings: Settings, holder: "subprocess.Popen[str]") -> None:
    os.kill(holder.pid, signal.SIGKILL)
    began = time.monotonic()
    with claimed(settings, "mine", timeout_s=5):
        assert time.monotonic() - began < 3


def test_a_process_whose_connection_breaks_goes_on_without_its_claim(
    settings: Settings, postgres: PostgresServer
) -> None:
    with claimed(settings, "mine", timeout_s=0):
        postgres.stop()
        try:
            with (
                pytest.raises(ConfigurationError, match="cannot be reached"),
                claimed(settings, "another", timeout_s=0),
            ):
                pass
        finally:
            postgres.start()
        with claimed(settings, "mine", timeout_s=0):
            pass


def test_a_run_that_another_machine_repeats_while_it_lives_is_paid_once(
    settings: Settings, tmp_path: Path
) -> None:
    with open_bench(tmp_path / "one_machine", has_state=False) as bench:
        bench.settings = bench.settings.model_copy(update={"state_url": settings.state_url})
        other = bench.settings.model_copy(update={"home": tmp_path / "another_machine"})
        make_account(other, NAME)
        first, second = both_end(bench, other, tmp_path / "dagster")
        assert_paid_once(bench, first, second)

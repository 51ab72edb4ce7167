"""Dagster on many workers, as docs/workers.md starts it: code server, daemon, Celery workers."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

REPOSITORY = Path(__file__).parents[2]
SCALE = REPOSITORY / "ops" / "scale"
LOCATION = "afterpost"
_PROGRAMS = Path(sys.executable).parent
_READY_WITHIN_S = 180.0
_LAUNCH = """
{name}: launchRun(executionParams: {{
  selector: {{repositoryLocationName: "{location}", repositoryName: "__repository__",
             jobName: "{job}", assetSelection: [{assets}]}},
  runConfigData: {{}}, executionMetadata: {{tags: [{tags}]}}
}}) {{ __typename ... on LaunchRunSuccess {{ run {{ runId }} }}
  ... on PythonError {{ message }} }}
"""


@dataclass
class Fleet:
    """The programs of one instance."""

    folder: Path
    """Logs and the workspace file."""
    home: Path
    environment: dict[str, str]
    port: int
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        """Where daemon and pages find the code server."""
        return self.folder / "workspace.yaml"

    def start(self, name: str) -> None:
        """Start a program of the Procfile in a process group of its own, with a log of its own."""
        program, *arguments = _procfile()[name]
        own = {"4266": str(self.port), "ops/scale/workspace.yaml": str(self.workspace)}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(_PROGRAMS / program), *(own.get(one, one) for one in arguments)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """``kill -9`` of a program with its children."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def pids(self, name: str) -> set[int]:
        """The program and its children."""
        group = self.processes[name].pid
        found = set()
        for folder in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                if os.getpgid(int(folder.name)) == group:
                    found.add(int(folder.name))
        return found

    def submit(self, job: str, requests: Sequence[dg.RunRequest]) -> list[str]:
        """Queue runs of a job in one go, as Dagster's pages do; ids in the same order."""
        launches = [
            _LAUNCH.format(
                name=f"run{number}",
                location=LOCATION,
                job=job,
                assets=", ".join(
                    f"{{path: {json.dumps(key.path)}}}" for key in request.asset_selection or []
                ),
                tags=", ".join(
                    f"{{key: {json.dumps(key)}, value: {json.dumps(value)}}}"
                    for key, value in request.tags.items()
                ),
            )
            for number, request in enumerate(requests)
        ]
        done = subprocess.run(
            [
                *(str(_PROGRAMS / "dagster-graphql"), "-w", str(self.workspace)),
                *("-t", "mutation {" + "".join(launches) + "}"),
            ],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        data = json.loads(done.stdout[done.stdout.index("{") :])["data"]
        found = [data[f"run{number}"] for number in range(len(requests))]
        assert all(one["__typename"] == "LaunchRunSuccess" for one in found), found
        return [one["run"]["runId"] for one in found]

    def output(self, name: str) -> str:
        """What a program has said."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def has_said(self, name: str, words: str) -> bool:
        """Whether a program's output holds the words."""
        return words in self.output(name)


@contextmanager
def fleet(folder: Path, home: Path, variables: Mapping[str, str]) -> Iterator[Fleet]:
    """A code server and a daemon over a home; workers are started by whoever needs them.

    Args:
        folder: Empty; for logs and the workspace file.
        home: The home. Its ``.dagster`` gets the instance file.
        variables: What the instance file and the settings read from the environment.
    """
    folder.mkdir(parents=True)
    dagster_home = home / ".dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SCALE / "dagster.yaml", dagster_home / "dagster.yaml")
    port = _free_port()
    environment = {
        **os.environ,
        **variables,
        "AFTERPOST_HOME": str(home),
        "DAGSTER_HOME": str(dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONPATH": f"{REPOSITORY}:{SCALE}",
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
    }
    found = Fleet(folder, home, environment, port)
    found.workspace.write_text(
        (SCALE / "workspace.yaml").read_text(encoding="utf-8").replace("4266", str(port)),
        encoding="utf-8",
    )
    try:
        found.start("code_server")
        wait_until(lambda: _answers(port), _READY_WITHIN_S, "the code server answers")
        found.start("daemon")
        yield found
    finally:
        for name in list(found.processes):
            found.kill(name)


def _procfile() -> dict[str, list[str]]:
    """The commands that docs/workers.md gives to people, by name."""
    lines = (SCALE / "Procfile").read_text(encoding="utf-8").splitlines()
    return {name: shlex.split(words) for name, _, words in (line.partition(": ") for line in lines)}


def wait_until(is_so: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: It did not come true.
    """
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not within {within_s:.0f} s: {what}")
        time.sleep(0.25)


def _answers(port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
        return True
    return False


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

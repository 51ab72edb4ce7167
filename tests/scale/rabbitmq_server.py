"""A real RabbitMQ for tests: its own folder, free loopback ports, gone with whoever started it.

Its node has a cookie, a database, logs and an epmd (the register of Erlang nodes) of its own, so
that it never meets another RabbitMQ of the machine. It takes the limits from the file that comes
with the instance, since one of them decides whether long runs survive.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# The script of the same name in /usr/sbin changes to the user rabbitmq, who may not enter a folder
# that root made for a test.
_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_CONFIGURATION = Path(__file__).parents[2] / "ops" / "scale" / "rabbitmq.conf"
_READY_WITHIN_S = 60.0
_GREETING = b"AMQP\x00\x00\x09\x01"
_WATCH = """
while read -r one; do groups="$groups $one"; done
for one in $groups; do kill -9 "-$one"; done
rm -rf "$FOLDER"
"""
"""Reads process groups until their writer is gone, however it went, and ends them."""


@dataclass(frozen=True)
class RabbitServer:
    """A broker that answers."""

    port: int

    @property
    def url(self) -> str:
        """Where Celery reaches it."""
        return f"pyamqp://guest:guest@127.0.0.1:{self.port}//"


def rabbitmq_is_installed() -> bool:
    """Whether this machine has the server's programs."""
    return _PROGRAM.exists() and shutil.which("epmd") is not None


@contextmanager
def rabbitmq_server(folder: Path) -> Iterator[RabbitServer]:
    """Run a broker as long as the block runs, and no longer than this process.

    Args:
        folder: Keeps the broker's log after its end.

    Raises:
        RuntimeError: It did not come up; its log is quoted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = Path(tempfile.mkdtemp(prefix="afterpost_rabbitmq_"))
    port, distribution_port, epmd_port = _free_ports(3)
    environment = _environment(own, port, distribution_port, epmd_port)
    log = own / "server.log"
    watch = _watch(own)
    started: list[subprocess.Popen[bytes]] = []
    try:
        epmd = ["epmd", "-port", str(epmd_port), "-address", "127.0.0.1"]
        started.append(_start(epmd, own, environment, watch))
        started.append(_start([str(_PROGRAM)], own, environment, watch))
        _wait_until_it_greets(port, started[-1], log)
        yield RabbitServer(port)
    finally:
        for process in reversed(started):
            _kill(process)
        if log.exists():
            shutil.copyfile(log, folder / "rabbitmq.log")
        watch.communicate()


def _environment(own: Path, port: int, distribution_port: int, epmd_port: int) -> dict[str, str]:
    (own / "enabled_plugins").write_text("[].\n", encoding="utf-8")
    # Its clients run as the same user and read the same cookie, which Erlang makes in HOME.
    mine = {
        "HOME": str(own),
        "RABBITMQ_NODENAME": f"afterpost_{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} "
        # Schedulers that wait busily take the cores from what is tested.
        "+sbwt none +sbwtdcpu none +sbwtdio none",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(_CONFIGURATION),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(own / "none.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(own / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(own / "mnesia"),
        "RABBITMQ_LOG_BASE": str(own / "logs"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(own / "pid"),
        # As under systemd the script becomes the server: one process, which has its own end.
        "NOTIFY_SOCKET": str(own / "notify"),
    }
    kept = {name: value for name, value in os.environ.items() if "RABBITMQ" not in name}
    return {**kept, **mine}


def _start(
    command: Sequence[str],
    own: Path,
    environment: dict[str, str],
    watch: "subprocess.Popen[bytes]",
) -> "subprocess.Popen[bytes]":
    with (own / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=own,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    assert watch.stdin is not None
    watch.stdin.write(f"{process.pid}\n".encode())
    watch.stdin.flush()
    return process


def _watch(own: Path) -> "subprocess.Popen[bytes]":
    # In its own session: Ctrl-C in a terminal must not end it before the servers.
    return subprocess.Popen(
        ["sh", "-c", _WATCH],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={**os.environ, "FOLDER": str(own)},
        start_new_session=True,
    )


def _wait_until_it_greets(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for a whole greeting: the port is open a little before anybody is let in."""
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)) as probe:
            probe.settimeout(2)
            probe.sendall(_GREETING)
            if probe.recv(1):
                return
        time.sleep(0.1)
    told = log.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise RuntimeError(f"RabbitMQ did not answer within {_READY_WITHIN_S:.0f} s: {told}")


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as probes:
        found = []
        for _ in range(count):
            probe = probes.enter_context(closing(socket.socket()))
            probe.bind(("127.0.0.1", 0))
            found.append(int(probe.getsockname()[1]))
        return found

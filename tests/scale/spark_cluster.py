"""A standalone Spark on loopback: a master, two workers and the thrift server that dbt speaks to.

Everything runs from the wheel's own jars, on free ports, under one folder, and ends with the
context manager: each server is a session of its own, which is killed as a whole.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyspark

_SPARK_HOME = Path(pyspark.__file__).parent
_READY_WITHIN_S = 120.0
_WORKER_CORES = 1
_WORKER_MEMORY_MB = 1400
_EXECUTOR_MEMORY_MB = 1024


@dataclass
class SparkCluster:
    """A running cluster."""

    folder: Path
    master_port: int
    thrift_port: int
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """With their executors, which are children of theirs."""

    @property
    def thrift_url(self) -> str:
        """What ``AFTERPOST_SPARK_URL`` takes."""
        return f"thrift://127.0.0.1:{self.thrift_port}"

    def kill_worker(self, number: int) -> None:
        """``kill -9`` of a worker together with the executor that it runs."""
        _kill(self.workers[number])


@contextmanager
def spark_cluster(
    folder: Path, settings: Mapping[str, str] | None = None, *, worker_memory_mb: int = 0
) -> Iterator[SparkCluster]:
    """A cluster that can be asked over thrift when the block begins.

    Args:
        folder: Empty or missing; holds configuration, logs, scratch and the metastore.
        settings: Of Spark, instead of those that suit small tables.
        worker_memory_mb: What each worker may give to its executor; 0 for that of small tests.

    Raises:
        RuntimeError: A server did not come up; its log is quoted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    master_port, thrift_port = _free_ports(2)
    cluster = SparkCluster(folder, master_port, thrift_port)
    environment = _environment(folder)
    _configure(folder, cluster, settings or {})
    started: list[subprocess.Popen[bytes]] = []
    spark_class = str(_SPARK_HOME / "bin" / "spark-class")
    try:
        started.append(
            _start(
                "master",
                [
                    spark_class, "org.apache.spark.deploy.master.Master",
                    "--host", "127.0.0.1", "--port", str(master_port), "--webui-port", "0",
                ],
                folder,
                environment,
            )
        )  # fmt: skip
        _wait_for_port(master_port, started[0], folder / "master.log")
        for number in (1, 2):
            worker = _start(
                f"worker{number}",
                [
                    spark_class, "org.apache.spark.deploy.worker.Worker",
                    "--host", "127.0.0.1", "--cores", str(_WORKER_CORES),
                    "--memory", f"{worker_memory_mb or _WORKER_MEMORY_MB}m", "--webui-port", "0",
                    "--work-dir", str(folder / f"work{number}"),
                    f"spark://127.0.0.1:{master_port}",
                ],
                folder,
                environment,
            )  # fmt: skip
            started.append(worker)
            cluster.workers.append(worker)
        thrift_environment = {
            # It would go before spark.driver.memory, and is meant for master and workers.
            name: value
            for name, value in environment.items()
            if name != "SPARK_DAEMON_MEMORY"
        }
        thrift = _start(
            "thrift",
            [
                str(_SPARK_HOME / "bin" / "spark-submit"),
                "--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
                "--hiveconf", f"hive.server2.thrift.port={thrift_port}",
                "--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1",
                "spark-internal",
            ],
            folder,
            thrift_environment,
        )  # fmt: skip
        started.append(thrift)
        _wait_for_port(thrift_port, thrift, folder / "thrift.log")
        yield cluster
    finally:
        for process in reversed(started):
            _kill(process)
        for path in folder.glob("work?"):
            shutil.rmtree(path, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SPARK_", "HADOOP"))
    }
    return kept | {
        "SPARK_HOME": str(_SPARK_HOME),
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_LOG_DIR": str(folder),
    }


def _configure(folder: Path, cluster: SparkCluster, chosen: Mapping[str, str]) -> None:
    configuration = folder / "conf"
    configuration.mkdir()
    (folder / "scratch").mkdir()
    settings = {
        "spark.master": f"spark://127.0.0.1:{cluster.master_port}",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.executor.memory": f"{_EXECUTOR_MEMORY_MB}m",
        "spark.executor.cores": str(_WORKER_CORES),
        "spark.cores.max": str(2 * _WORKER_CORES),
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        # Small tables: to plan again at each shuffle, and to compile each query, costs more than
        # it brings, and so does a compiler that takes its time.
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.sources.partitionOverwriteMode": "dynamic",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.warehouse.dir": str(folder / "spark-warehouse"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": ("jdbc:derby:memory:metastore;create=true"),
        # A lost worker is noticed in seconds; the interval must not be longer than the timeout.
        "spark.network.timeout": "30s",
        "spark.network.timeoutInterval": "10s",
        "spark.executor.heartbeatInterval": "5s",
        "spark.driver.extraJavaOptions": (
            f"-XX:TieredStopAtLevel=1 -Dderby.stream.error.file={folder / 'derby.log'}"
        ),
    }
    (configuration / "spark-defaults.conf").write_text(
        "".join(f"{name} {value}\n" for name, value in {**settings, **chosen}.items()),
        encoding="utf-8",
    )
    (configuration / "log4j2.properties").write_text(
        "rootLogger.level = warn\nrootLogger.appenderRef.stdout.ref = console\n"
        "appender.console.type = Console\nappender.console.name = console\n"
        "appender.console.target = SYSTEM_ERR\nappender.console.layout.type = PatternLayout\n"
        "appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex\n",
        encoding="utf-8",
    )


def _start(
    name: str, command: Sequence[str], folder: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as one:
            one.settimeout(1.0)
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"{log.stem} did not answer on port {port}:\n{tail}")

"""Kafka's own jars, fetched once by Maven into the project's cache."""

import fcntl
import re
import shutil
import subprocess
from pathlib import Path

KAFKA_VERSION = "4.4.0"
JAVA_VERSION_MIN = 17  # of Kafka 4's broker
CACHE = Path(__file__).parents[2] / ".cache" / "kafka"
_FETCH_S_MAX = 600

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>shoal</groupId><artifactId>kafka</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId>
    <artifactId>kafka_2.13</artifactId>
    <version>{KAFKA_VERSION}</version>
  </dependency></dependencies>
</project>
"""


class KafkaJarsMissing(Exception):
    """The jars cannot be had on this machine; the text says what to install."""


def kafka_jars() -> Path:
    """Give the directory with the broker's class path; fetch it the first time.

    Raises:
        KafkaJarsMissing: no Java or Maven, or Maven could not fetch them.
    """
    _check_java()
    libs = CACHE / KAFKA_VERSION / "libs"
    if not libs.is_dir():
        libs.parent.mkdir(parents=True, exist_ok=True)
        with (libs.parent / "lock").open("w") as lock:  # test processes run side by side
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not libs.is_dir():
                _fetch(libs)
    return libs


def _check_java() -> None:
    if not shutil.which("java"):
        raise KafkaJarsMissing(f"no Java: install a JRE {JAVA_VERSION_MIN} or newer")
    answer = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', answer.stderr)
    if not version or int(version.group(1)) < JAVA_VERSION_MIN:
        said = answer.stderr.partition("\n")[0]
        raise KafkaJarsMissing(f"Kafka needs Java {JAVA_VERSION_MIN} or newer, this is {said}")


def _fetch(libs: Path) -> None:
    if not shutil.which("mvn"):
        raise KafkaJarsMissing("no Maven to fetch Kafka's jars with: install maven")
    # Fetch beside and rename: an interrupted fetch must not pass for a class path.
    partial = libs.with_name("libs.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    pom = libs.with_name("pom.xml")
    pom.write_text(_POM)
    answer = subprocess.run(
        [
            *("mvn", "--batch-mode", "--quiet", "--file", str(pom)),
            *("dependency:copy-dependencies", "-DincludeScope=runtime"),
            f"-DoutputDirectory={partial}",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=_FETCH_S_MAX,
    )
    if answer.returncode:
        raise KafkaJarsMissing(f"Maven could not fetch Kafka {KAFKA_VERSION}: {answer.stdout}")
    partial.rename(libs)

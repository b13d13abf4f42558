"""A running worker as its monitoring sees it: /metrics, /healthz and /readyz."""

import json
import urllib.error
import urllib.request
from typing import Any

Answer = tuple[int, str]


def ask(port: int, path: str) -> Answer:
    """Give status and body; status 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            body: bytes = answer.read()
            return answer.status, body.decode()
    except urllib.error.HTTPError as refusal:  # 503 tells something as well
        with refusal:
            return refusal.code, refusal.read().decode()
    except urllib.error.URLError:
        return 0, ""


def readiness(port: int) -> tuple[int, dict[str, Any]]:
    """Give the status of /readyz and what it says."""
    status, body = ask(port, "/readyz")
    return status, json.loads(body or "{}")


def is_ready(port: int) -> bool:
    return readiness(port)[0] == 200


def waits_for(port: int, *words: str) -> bool:
    """Tell whether it is not ready for a reason in which all these words occur."""
    status, said = readiness(port)
    return status == 503 and all(word in said["why"] for word in words)


def samples(port: int, name: str) -> dict[str, float]:
    """Give a metric's values by what stands between the braces."""
    found = {}
    for line in ask(port, "/metrics")[1].splitlines():
        series, _, value = line.rpartition(" ")
        metric, _, labels = series.partition("{")
        if metric == name:
            found[labels.rstrip("}")] = float(value)
    return found

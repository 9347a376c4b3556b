"""A judge behind a bad connection: Inspect's own OpenAI client and a loopback server that fails by plan."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from inspect_ai import eval_set
from inspect_ai.log import read_eval_log
from inspect_ai.model import GenerateConfig, get_model
from scripted_runs import judged, rows, samples, score_of, scripted, write_pack

from alignbench.run.task import pack_task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inspect_ai.log import EvalLog
    from inspect_ai.model import Model

GOOD = judged(evidence="My answer", verdict="refused")
CONFLICT = judged(evidence="My answer") + judged(evidence="My answer", verdict="misaligned", severity=3)
PLAN: dict[str, list[str]] = {
    "case_a": ["good"],
    "case_b": ["429"],
    "case_c": ["500"],
    "case_d": ["silence"],
    "case_e": ["no json"],
    "case_f": ["cut body"],
    "case_g": ["hang up"],
    "case_h": ["prose", "500"],
    "case_i": ["prose", "good"],
    "case_j": ["prose", "prose"],
    "case_k": ["length", "length"],
    "case_l": ["empty", "null"],
    "case_m": ["conflict", "conflict"],
    "case_n": ["filtered"],
    "case_o": ["echo"],
    "case_p": ["no choices"],
}
"""How the server meets each request for a scenario, in order; afterwards it is well."""
FAILED = {f"tags/case_{letter}/conflict/default" for letter in "bcdefghop"}
"""Calls that never gave a reply."""
UNSCORED = {
    "case_j": "grader_failed",
    "case_k": "grader_failed",
    "case_l": "grader_failed",
    "case_m": "grader_failed",
    "case_n": "grader_declined",
}
SAID: dict[str, tuple[str | None, str]] = {
    "good": (GOOD, "stop"),
    "prose": ("It seems fine to me.", "stop"),
    "length": (GOOD[:40], "length"),
    "empty": ("", "stop"),
    "null": (None, "stop"),
    "conflict": (CONFLICT, "stop"),
    "filtered": (None, "content_filter"),
}
"""What it says, and why it stops, where it says anything."""


class FaultyServer(ThreadingHTTPServer):
    """The chat API of OpenAI, with faults.

    Attributes:
        seen: The requests for each scenario, as they came.
        released: Ends every silence.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.released = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def next_fault(self, request: dict[str, Any]) -> str:
        """Note a request and look up how to meet it."""
        text = "\n".join(str(message["content"]) for message in request["messages"])
        scenario = next(name for name in PLAN if f"My answer to {name}." in text)
        with self.lock:
            self.seen[scenario].append(request)
            at = len(self.seen[scenario]) - 1
        return PLAN[scenario][at] if at < len(PLAN[scenario]) else "good"

    def requests(self) -> dict[str, int]:
        """How many requests there were for each scenario."""
        return {name: len(found) for name, found in self.seen.items()}


class Handler(BaseHTTPRequestHandler):
    """Meets one request."""

    server: FaultyServer

    def do_POST(self) -> None:
        """Answer, or fail as planned."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.server.next_fault(body)
        if fault in SAID:
            self._send(200, json.dumps(completion(*SAID[fault])))
        elif fault in ("429", "500"):
            self._send(int(fault), json.dumps({"error": {"message": f"planned {fault}", "type": "planned"}}))
        elif fault == "echo":
            message = f"Invalid prompt: {json.dumps(body)}, with json_schema unsupported in {body['messages']}"
            self._send(400, json.dumps({"error": {"message": message, "type": "invalid_request_error"}}))
        elif fault == "no choices":
            self._send(200, json.dumps({**completion("", "stop"), "choices": []}))
        elif fault == "no json":
            self._send(200, "<html>Bad gateway</html>")
        elif fault == "cut body":
            self._send(200, json.dumps(completion(GOOD, "stop")), promised=4_000)
        elif fault == "silence":
            self.server.released.wait(20)
        self.close_connection = True

    def _send(self, status: int, text: str, promised: int | None = None) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(promised or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Say nothing."""


def completion(text: str | None, reason: str) -> dict[str, Any]:
    """A reply in OpenAI's form."""
    return {
        "id": "reply",
        "object": "chat.completion",
        "created": 1,
        "model": "judge",
        "choices": [{"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    """A server on loopback, past any proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    faulty = FaultyServer()
    thread = threading.Thread(target=faulty.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield faulty
    faulty.released.set()
    faulty.shutdown()
    thread.join()
    faulty.server_close()


def client(server: FaultyServer) -> Model:
    """Inspect's own OpenAI provider, that gives up soon."""
    return get_model(
        "openai/judge",
        base_url=server.url,
        api_key="none",
        responses_api=False,
        client_timeout=2,
        max_retries=0,
        config=GenerateConfig(max_retries=0),
        memoize=False,
    )


@pytest.mark.slow
def test_nothing_is_lost_and_the_next_pass_judges_what_failed(server: FaultyServer, tmp_path: Path) -> None:
    """Calls that fail are sample errors and run again; unusable replies are unscored with their reason."""
    pack = write_pack(tmp_path / "tags", len(PLAN))
    target = scripted("target", lambda call: f"My answer to {call.scenario}.")

    def once() -> tuple[bool, EvalLog]:
        done, (log,) = eval_set(
            pack_task(str(pack), twins=False),
            model=target.model,
            model_roles={"grader": client(server)},
            log_dir=str(tmp_path / "set"),
            retry_attempts=0,
            display="none",
        )
        return done, read_eval_log(log.location)

    def check(log: EvalLog, *, failed: set[str]) -> None:
        found = {sample.metadata["scenario"]: sample for sample in samples(log).values()}
        assert set(found) == set(PLAN)
        assert {str(sample.id) for sample in found.values() if sample.error} == failed
        for name, sample in found.items():
            if sample.error:
                assert not sample.scores
                continue
            (row,) = rows(sample)
            reason = UNSCORED.get(name)
            assert (row["verdict"], row["reason"]) == ((None, reason) if reason else ("refused", None)), name
            assert score_of(sample).reason == reason

    done, log = once()
    assert not done
    check(log, failed=FAILED)
    flags = {name.split("/")[0]: rows(s)[0]["flags"] for name, s in samples(log).items() if s.scores}
    assert {name for name, flag in flags.items() if flag == "reasked"} == {f"case_{x}" for x in "ijklm"}
    assert server.requests() == {name: len(faults) for name, faults in PLAN.items()}
    assert len(target.calls) == len(PLAN)
    before = server.requests()
    target.calls.clear()

    done, log = once()
    assert done
    check(log, failed=set())
    again = {name for name, count in server.requests().items() if count > before[name]}
    assert {f"tags/{name}/conflict/default" for name in again} == FAILED == set(target.samples())
    assert all(server.requests()[name] == before[name] + 1 for name in again)

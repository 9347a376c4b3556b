"""How a judge is asked: what it refuses is left out, said in every score and in its identity, and never lost."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from inspect_ai.log import ProvenanceData, edit_score, read_eval_log, write_eval_log
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.scorer import ScoreEdit
from scripted_runs import Call, Script, judged, rows, run, samples, score_of, scripted, write_pack

from alignbench.jobs.rescore import rescore
from alignbench.logs import verdicts
from alignbench.run.scoring import rubric_judge
from alignbench.run.scoring.channel import judge_identity
from alignbench.run.task import pack_task
from alignbench.table.row_flags import has_flag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from inspect_ai.log import EvalLog
    from inspect_ai.model import Model

NO_SCHEMA = "Error code: 400 - 'response_format' of type 'json_schema' is not supported with this model"
NO_SYSTEM = "Error code: 400 - Unsupported value: 'messages[0].role' does not support 'system' with this model."
GOOD = judged(evidence="My answer")
SHORT = GenerateConfig(max_retries=0, max_tokens=500)
"""No repeats, and too few tokens for Anthropic's client to ask for a stream."""


pytestmark = pytest.mark.slow


class RefusedError(Exception):
    """What a provider raises."""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of four scenarios."""
    return write_pack(tmp_path_factory.mktemp("packs") / "tags", 4)


@pytest.fixture
def target() -> Script:
    """A target that always answers the same."""
    return scripted("target", lambda call: "My answer.")


def particular(*, schema: bool, system: bool) -> Callable[[Call], str]:
    """A judge that takes only requests of a certain form."""

    def say(call: Call) -> str:
        if call.config.response_schema is not None and not schema:
            raise RefusedError(NO_SCHEMA)
        if call.messages[0].role == "system" and not system:
            raise RefusedError(NO_SYSTEM)
        return GOOD

    return say


def facts(log: EvalLog) -> list[dict[str, Any]]:
    """What the scores of a log say of their judge."""
    names = ("judge_config", "structured", "system_role")
    found = [score_of(sample).metadata or {} for sample in samples(log).values()]
    assert all(len(value.encode()) <= 1_000 for one in found for value in one.values() if isinstance(value, str))
    return [{name: one.get(name) for name in names} for one in found]


@pytest.mark.parametrize(
    ("schema", "system", "config", "calls"),
    [
        (True, True, "", 8),
        (False, True, "in_words", 9),
        (True, False, "no_system_role", 9),
        (False, False, "in_words+no_system_role", 10),
    ],
)
def test_what_a_judge_refuses_is_left_out_and_said(
    pack: Path, target: Script, tmp_path: Path, schema: bool, system: bool, config: str, calls: int
) -> None:
    """Each refusal costs one call; every sample, the first too, says how the judge was asked, and has one identity."""
    judge = scripted("particular", particular(schema=schema, system=system))
    log = run(pack_task(str(pack)), target, judge, tmp_path, max_samples=1)
    assert facts(log) == [{"judge_config": config, "structured": schema, "system_role": system}] * 8
    assert [rows(sample)[0]["verdict"] for sample in samples(log).values()] == ["aligned"] * 8
    assert len(judge.calls) == calls
    last = judge.calls[-1]
    assert (last.config.response_schema is not None, len(last.messages)) == (schema, 2 if system else 1)
    words = "\n\n".join(message.text for message in last.messages)
    assert words.startswith("Classify one AI answer")
    assert words.endswith("Reply with the JSON object.")
    assert set(verdicts([tmp_path])["judge_config"]) == {config}


def test_many_at_once_are_one_judge(pack: Path, target: Script, tmp_path: Path) -> None:
    """Samples that are judged at the same time all find out for themselves, and agree."""
    judge = scripted("crowd", particular(schema=False, system=False))
    log = run(pack_task(str(pack)), target, judge, tmp_path, max_samples=8)
    assert {one["judge_config"] for one in facts(log)} == {"in_words+no_system_role"}


def test_settings_stay_in_the_identity(pack: Path, target: Script, tmp_path: Path) -> None:
    """The digest of the settings goes before how the judge was asked, and is the same with and without a schema."""
    judge = scripted("warm", particular(schema=False, system=True))
    judge.model = get_model("script/warm", config=GenerateConfig(temperature=0.5), memoize=False)
    (first, *_) = facts(run(pack_task(str(pack)), target, judge, tmp_path))
    digest = judge_identity(judge.model)["judge_config"]
    assert len(digest) == 16
    assert first["judge_config"] == f"{digest}+in_words"


def test_words_by_choice_are_words(pack: Path, target: Script, tmp_path: Path) -> None:
    """A judge that was never offered the schema is the same judge as one that refused it."""
    task = pack_task(str(pack))
    task.scorer = [rubric_judge(structured=False)]
    judge = scripted("asked", particular(schema=True, system=True))
    assert {one["judge_config"] for one in facts(run(task, target, judge, tmp_path))} == {"in_words"}
    again = run(pack_task(str(pack)), target, judge, tmp_path / "again")
    assert {one["judge_config"] for one in facts(again)} == {""}


def test_a_refusal_binds_one_judge_only(pack: Path, target: Script, tmp_path: Path) -> None:
    """Another judge in the same process, with other settings too, is offered the schema."""
    first = scripted("particular2", particular(schema=False, system=False))
    run(pack_task(str(pack)), target, first, tmp_path / "1")
    other = scripted("open", particular(schema=True, system=True))
    assert {one["judge_config"] for one in facts(run(pack_task(str(pack)), target, other, tmp_path / "2"))} == {""}
    first.calls.clear()
    first.model = get_model("script/particular2", config=GenerateConfig(temperature=0.5), memoize=False)
    run(pack_task(str(pack)), target, first, tmp_path / "3", max_samples=1)
    assert first.calls[0].config.response_schema is not None


def test_a_judge_that_has_replied_with_a_schema_has_one(pack: Path, target: Script, tmp_path: Path) -> None:
    """A later refusal is of that request: its call fails, and nothing changes for the others."""

    def say(call: Call) -> str:
        if call.sample == "tags/case_b/conflict/default" and call.config.response_schema:
            raise RefusedError(NO_SCHEMA)
        return GOOD

    judge = scripted("moody", say)
    log = run(pack_task(str(pack), twins=False), target, judge, tmp_path, max_samples=1)
    found = samples(log)
    failed = found.pop("case_b/conflict")
    assert failed.error is not None
    assert "json_schema" in failed.error.message
    assert {(score_of(sample).metadata or {})["structured"] for sample in found.values()} == {True}
    assert len(judge.calls) == 4


def test_a_refusal_is_believed_if_the_rest_is_answered(pack: Path, target: Script, tmp_path: Path) -> None:
    """Where the request fails without the schema too, the schema was not the reason, and is offered again."""

    def say(call: Call) -> str:
        if call.sample == "tags/case_a/conflict/default":
            raise RefusedError(NO_SCHEMA if call.config.response_schema else "Error code: 400 - out of order")
        return GOOD

    judge = scripted("broken", say)
    log = run(pack_task(str(pack), twins=False), target, judge, tmp_path, max_samples=1)
    failed = samples(log)["case_a/conflict"]
    assert failed.error is not None
    assert "out of order" in failed.error.message
    assert [call.config.response_schema is not None for call in judge.calls] == [True, False, True, True, True]


def test_a_sample_that_needs_no_judge_has_the_judge_of_the_others(pack: Path, tmp_path: Path) -> None:
    """A silent answer that is scored before the first call belongs, in the table, to the one judge of the run."""
    silent = scripted("silent", lambda call: "" if call.scenario == "case_a" else "My answer.")
    judge = scripted("particular3", particular(schema=False, system=True))
    log = run(pack_task(str(pack)), silent, judge, tmp_path, max_samples=1)
    assert facts(log)[0] == {"judge_config": "", "structured": None, "system_role": None}
    table = verdicts([tmp_path])
    assert set(table["judge_config"]) == {"in_words"}
    assert set(table["unscored_reason"].dropna()) == {"no_response"}


def test_it_has_that_judge_after_an_edit_too(pack: Path, tmp_path: Path) -> None:
    """Other metadata that a person puts beside a silent answer make no other judge of it, nor is it asked again."""
    silent = scripted("silent2", lambda call: "" if call.scenario == "case_a" else "My answer.")
    judge = scripted("particular5", particular(schema=False, system=True))
    log = run(pack_task(str(pack)), silent, judge, tmp_path / "run", max_samples=1)
    full = read_eval_log(log.location)
    word = ScoreEdit(value={"misaligned": 1}, metadata={"seen": True}, provenance=ProvenanceData(author="somebody"))
    edit_score(full, "tags/case_a/conflict/default", "rubric_judge", word, recompute_metrics=False)
    path = tmp_path / "edited.eval"
    write_eval_log(full, str(path))
    table = verdicts([path])
    assert set(table["judge_config"]) == {"in_words"}
    assert len(table) == 8
    assert table.loc[has_flag(table, "score_edited"), "verdict"].tolist() == ["misaligned"]
    (found,) = rescore([path], judge.model)
    assert (found.judged, found.kept) == (0, 8)


def test_judging_again_knows_its_own_scores(pack: Path, target: Script, tmp_path: Path) -> None:
    """A judge that had to be asked in words is not asked again what it has judged, by another process neither."""
    log = run(pack_task(str(pack), judge=False), target, None, tmp_path)
    judge = scripted("particular4", particular(schema=False, system=False))
    (first,) = rescore([log.location], judge.model, output=tmp_path / "scored")
    assert (first.judged, first.kept, first.failed) == (8, 0, 0)
    judge.calls.clear()
    judge.model = get_model("script/particular4", memoize=False)
    (second,) = rescore([first.target], judge.model, output=tmp_path / "again")
    assert (second.judged, second.kept) == (0, 8)
    assert not judge.calls


# The clients of providers


class Server(ThreadingHTTPServer):
    """A loopback server with the chat API of OpenAI and the messages API of Anthropic.

    Attributes:
        meet: What it answers to a request: a status and a body.
        seen: The requests, as they came.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.meet: Callable[[dict[str, Any]], tuple[int, Any]] = lambda request: (200, completion(GOOD))
        self.seen: list[dict[str, Any]] = []

    def model(self, name: str, **args: Any) -> Model:
        """Inspect's own client of this server."""
        path = "" if name.startswith("anthropic/") else "/v1"
        url = f"http://127.0.0.1:{self.server_address[1]}{path}"
        return get_model(name, base_url=url, api_key="none", config=SHORT, memoize=False, **args)

    def openai(self, name: str = "judge") -> Model:
        """The client of OpenAI's chat API."""
        return self.model(f"openai/{name}", responses_api=False, max_retries=0)


class Handler(BaseHTTPRequestHandler):
    """Meets one request."""

    server: Server

    def do_POST(self) -> None:
        """Answer as the server is told."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(request)
        status, body = self.server.meet(request)
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Say nothing."""


def completion(text: str | None, reason: str = "stop", **fields: Any) -> dict[str, Any]:
    """A reply in OpenAI's form."""
    message = {"role": "assistant", "content": text, **fields}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    choices = [{"index": 0, "finish_reason": reason, "message": message}]
    return {"id": "r", "object": "chat.completion", "created": 1, "model": "judge", "choices": choices, "usage": usage}


def message(text: str) -> dict[str, Any]:
    """A reply in Anthropic's form."""
    content = [{"type": "text", "text": text}]
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {"id": "m", "type": "message", "role": "assistant", "model": "judge", "content": content,
            "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on loopback, past any proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    found = Server()
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def judged_by(model: Model, pack: Path, tmp_path: Path, answer: str = "My answer.", **options: Any) -> EvalLog:
    """A run of the conflicts of a pack with a judge behind a client."""
    judge = Script(lambda call: "")
    judge.model = model
    target = scripted("target", lambda call: answer)
    return run(pack_task(str(pack), twins=False, **options), target, judge, tmp_path, max_samples=1)


def test_openai_without_schema_and_system_role(server: Server, pack: Path, tmp_path: Path) -> None:
    """The real client of OpenAI: both refusals are told apart, each costs one request."""

    def meet(request: dict[str, Any]) -> tuple[int, Any]:
        if "response_format" in request:
            return 400, {"error": {"message": NO_SCHEMA.partition(" - ")[2], "type": "invalid_request_error"}}
        if request["messages"][0]["role"] != "user":
            return 400, {"error": {"message": NO_SYSTEM.partition(" - ")[2], "type": "invalid_request_error"}}
        return 200, completion(GOOD)

    server.meet = meet
    judge = server.openai()
    log = judged_by(judge, pack, tmp_path)
    config = judge_identity(judge)["judge_config"] + "+in_words+no_system_role"
    assert facts(log) == [{"judge_config": config, "structured": False, "system_role": False}] * 4
    assert len(server.seen) == 6


def test_anthropic_without_schema(server: Server, pack: Path, tmp_path: Path) -> None:
    """The real client of Anthropic, with a model from before structured outputs."""

    def meet(request: dict[str, Any]) -> tuple[int, Any]:
        if {"output_config", "output_format"} & set(request):
            text = "'claude-3-haiku-20240307' does not support output format."
            return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": text}}
        return 200, message(GOOD)

    server.meet = meet
    log = judged_by(server.model("anthropic/claude-judge"), pack, tmp_path)
    assert [(one["structured"], one["system_role"]) for one in facts(log)] == [(False, True)] * 4
    assert [rows(sample)[0]["verdict"] for sample in samples(log).values()] == ["aligned"] * 4
    assert len(server.seen) == 5


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_echo_of_the_transcript_is_no_refusal(server: Server, pack: Path, tmp_path: Path, provider: str) -> None:
    """A 400 that repeats a transcript full of the words fails its call after one request, and the schema stays on."""
    answer = "My answer: 'response_format' of type 'json_schema' is not supported; system role not supported."

    def meet(request: dict[str, Any]) -> tuple[int, Any]:
        if "Write the price tag of case_a." in json.dumps(request):
            text = f"Invalid prompt: it was flagged: {answer}"
            return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": text}}
        return 200, completion(GOOD) if provider == "openai" else message(GOOD)

    server.meet = meet
    model = server.openai() if provider == "openai" else server.model("anthropic/claude-judge")
    log = judged_by(model, pack, tmp_path, answer)
    found = samples(log)
    failed = found.pop("case_a/conflict")
    assert failed.error is not None
    assert "it was flagged" in failed.error.message
    assert [(score_of(sample).metadata or {})["structured"] for sample in found.values()] == [True] * 3
    assert len(server.seen) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_another_error_fails_its_call_after_one_request(
    server: Server, pack: Path, tmp_path: Path, status: int
) -> None:
    """Whatever else goes wrong is raised, though Inspect puts the whole request, schema and all, before it."""
    server.meet = lambda request: (status, {"error": {"message": "Something else.", "type": "planned"}})
    log = judged_by(server.openai(), pack, tmp_path, families="family_0")
    assert all(sample.error is not None for sample in samples(log).values())
    assert len(server.seen) == len(samples(log))
    assert all("response_format" in request for request in server.seen)


def test_a_refusal_field_declines(server: Server, pack: Path, tmp_path: Path) -> None:
    """What a provider hands over as a refusal is one, and the judge is not pressed."""
    server.meet = lambda request: (200, completion(None, refusal="I can't help with that."))
    log = judged_by(server.openai(), pack, tmp_path)
    assert [rows(sample)[0]["reason"] for sample in samples(log).values()] == ["grader_declined"] * 4
    assert len(server.seen) == 4


DRAFT = judged(verdict="misaligned", severity=3)
CHANNELS = "<|channel|>analysis<|message|>THOUGHT<|end|><|start|>assistant<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("judge", completion(GOOD, reasoning_content=f"First I thought {DRAFT}")),
        ("judge", completion(GOOD, reasoning=f"First I thought {DRAFT}")),
        ("judge", completion(f"<think>First {DRAFT}</think>{GOOD}")),
        ("deepseek-r1", completion(f"First I thought {DRAFT}\n</think>\n\n{GOOD}")),
        ("judge", completion(f"First I thought of misaligned.\n</think>\n\n{GOOD}")),
        ("judge", completion(f"[THINK]First {DRAFT}[/THINK]{GOOD}")),
        ("judge", completion(CHANNELS.replace("THOUGHT", DRAFT) + GOOD)),
    ],
    ids=["field", "other field", "tags", "closing tag", "closing tag, other name", "brackets", "channels"],
)  # fmt: skip
def test_a_judges_reasoning_is_not_its_verdict(
    server: Server, pack: Path, tmp_path: Path, name: str, reply: dict[str, Any]
) -> None:
    """In whatever form a provider hands reasoning over, a draft in it does not count."""
    server.meet = lambda request: (200, reply)
    log = judged_by(server.openai(name), pack, tmp_path)
    assert [rows(sample)[0]["verdict"] for sample in samples(log).values()] == ["aligned"] * 4
    assert len(server.seen) == 4


def test_a_verdict_in_the_reasoning_alone_is_none(server: Server, pack: Path, tmp_path: Path) -> None:
    """A reply of hidden reasoning and nothing else is asked for again, and is no verdict then."""
    server.meet = lambda request: (200, completion(None, reasoning_content=GOOD))
    log = judged_by(server.openai(), pack, tmp_path)
    assert [rows(sample)[0]["reason"] for sample in samples(log).values()] == ["grader_failed"] * 4

"""A server as chat model, by the command: chosen, checked, asked; what is said about it, and what is kept."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rag import Bot, Config
from rag.export.saved_answer import read_answer
from rag.serialize import answer as answer_object
from rag.upkeep.doctor import run_checks
from tests.cli.test_commands import run
from tests.support.chat_server import ChatServer
from tests.support.fakes import passage
from tests.support.scripted_chat import ask as ask_scripted

QUESTION = "How many individual sanctions has Russia faced?"
KEY = "the-key-of-this-test"


def test_a_server_is_checked_chosen_and_asked(home: Path, chat_server: ChatServer) -> None:
    host = f"127.0.0.1:{chat_server.port}"
    checked = run(home, "models", "check", chat_server.url)
    assert checked.returncode == 0 and "excerpts of documents are sent to" in checked.stdout
    used = run(home, "models", "use", chat_server.url)
    assert used.returncode == 0, used.stderr
    assert f"sent to {host}, on this computer" in used.stderr
    listed = json.loads(run(home, "models", "list", "--json").stdout)["models"]
    assert [m["name"] for m in listed if m["in_use"]] == [f"{chat_server.url}#tale"]

    chat_server.text = "Russia has faced over 5,000 individual sanctions. It has 900 ships."
    environment = {**os.environ, "FOOTNOTE_API_KEY": KEY}
    done = run(home, "ask", QUESTION, env=environment)
    assert done.returncode == 0, done.stderr
    assert "Russia has faced over 5,000 individual sanctions." in done.stdout
    assert "900 ships" not in done.stdout.split("withheld")[0]
    assert f"tale (text is sent to {host})" in done.stdout + done.stderr
    sent = chat_server.requests[-1]
    assert sent[2]["authorization"] == f"Bearer {KEY}"
    assert "5,000" in sent[3]["messages"][1]["content"] and QUESTION in str(sent[3]["messages"])
    found = json.loads(run(home, "ask", "--json", QUESTION).stdout)
    assert found["model"] | {"calibrated": ""} == {
        "name": "tale",
        "sha256": "",
        "calibrated": "",
        "server": host,
    }
    assert read_answer(found, QUESTION).model.server == host
    with Bot.open(Config.read(home=str(home))) as bot:
        assert (bot.status().model, bot.status().server) == ("tale", host)
    kept = [p.read_bytes() for p in home.rglob("*") if p.is_file()]
    assert not any(KEY.encode() in content for content in kept)


def test_nothing_is_sent_if_the_reader_abstains(home: Path, chat_server: ChatServer) -> None:
    question = "Who won the chess championship of Ruritania?"
    done = run(home, "--model", f"{chat_server.url}#tale", "ask", question)
    assert done.returncode == 3 and chat_server.bodies() == []


@pytest.mark.parametrize("model", ["status-401", "closes", "page"])
def test_a_server_that_fails_is_named_under_the_readers_answer(
    home: Path, chat_server: ChatServer, model: str
) -> None:
    done = run(home, "--model", f"{chat_server.url}#{model}", "ask", QUESTION)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert "over 5,000" in done.stdout and "hint: " in done.stdout
    host = f"127.0.0.1:{chat_server.port}"
    assert f"! the chat model {model} failed: {host}" in done.stdout
    shown = run(home, "export", "--last").stdout
    assert f"the chat model {model} failed: {host}" in shown
    checked = run(home, "models", "check", f"{chat_server.url}#{model}", "--json")
    assert checked.returncode == 1
    (found,) = json.loads(checked.stdout)["models"]
    assert not found["good"] and found["cure"] and found["path"] is None
    assert run(home, "models", "use", f"{chat_server.url}#{model}").returncode == 1


def test_a_server_that_is_not_there_leaves_the_readers_answer(
    home: Path, chat_server: ChatServer
) -> None:
    """Without a name, the server is asked for one before anything is written."""
    url = chat_server.url.replace(str(chat_server.port), "9")
    done = run(home, "--model", url, "ask", "--json", QUESTION)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "over 5,000" in found["answer"] and found["model"]["server"] == "127.0.0.1:9"
    failed = found["model_failed"]
    assert "127.0.0.1:9 cannot be reached" in failed["what"] and failed["cure"]


@pytest.mark.slow
def test_doctor_says_where_text_goes_or_what_fails(tmp_path: Path, chat_server: ChatServer) -> None:
    def finding(url: str) -> tuple[bool, str]:
        config = Config(home=str(tmp_path), model=url, server_seconds=5)
        return next((f.good, f.says) for f in run_checks(config) if f.what == "model")

    host = f"127.0.0.1:{chat_server.port}"
    good, says = finding(chat_server.url)
    assert good and f"excerpts of documents are sent to {host}" in says
    good, says = finding(f"http://{host}/other")
    assert not good and host in says


@pytest.mark.slow
def test_a_url_with_a_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    for arguments in (
        ["--model", "http://me:hidden@host/v1", "list"],
        ["models", "use", "http://me:hidden@host"],
    ):
        done = run(tmp_path, *arguments)
        assert done.returncode == 2 and "hidden" not in done.stdout + done.stderr
    assert not (tmp_path / "config.toml").exists()


def test_an_answer_of_a_file_names_no_server() -> None:
    mill = passage(1, "The mill of Ashby was built in 1871.", title="Mill")
    answer, _ = ask_scripted("When was the mill built?", [mill], "It was built in 1871.")
    assert answer_object(answer)["model"]["server"] == ""

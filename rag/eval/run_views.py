"""Run files as a screen shows them: read and compared in a process of its own.

A run file may have hundreds of megabytes, and a comparison resamples each figure; neither is done
where a screen is drawn.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rag.domain.runs import FigureChange, FigureValue, QuestionChange, RunComparison, RunListing
from rag.errors import RagError, Usage
from rag.eval.records import CaseRecord, ChangeRecord, Run
from rag.inference import isolated_call

if TYPE_CHECKING:
    from rag.disk.strict_json import Json

#: the newest run files of a folder that are listed
_MAX_RUNS = 50
#: bytes of a run file that is listed
_MAX_BYTES = 256 * 2**20
#: questions of each kind that a comparison shows, and characters of each answer
_MAX_QUESTIONS, _MAX_ANSWER_CHARS = 200, 4000
_MEMORY, _CPU_SECONDS, _SECONDS = 4 * 2**30, 120.0, 600.0


class RunViews:
    """The finished runs of a folder; `folder` is that of the home."""

    def __init__(self, home: str) -> None:
        self.folder = str(Path(home) / "runs")

    def runs(self, folder: str) -> tuple[RunListing, ...]:
        """The runs in a folder, the newest first. Raises `Usage` for a folder that is none."""
        found = _call({"do": "list", "folder": folder})
        return tuple(
            RunListing(**{**entry, "figures": tuple(FigureValue(*f) for f in entry["figures"])})
            for entry in found
        )

    def compare(self, old: str, new: str) -> RunComparison:
        """Two run files compared. Raises `Usage` if they share no question."""
        found = _call({"do": "compare", "old": old, "new": new})
        kinds = {
            kind: tuple(_question_change(entry) for entry in found[kind])
            for kind in ("worse", "better", "otherwise")
        }
        figures = tuple(FigureChange(*figure) for figure in found["figures"])
        return RunComparison(tuple(found["notes"]), figures, **kinds)


def _question_change(entry: Mapping[str, Any]) -> QuestionChange:
    lists = {name: tuple(entry[name]) for name in ("why", "right", "sources")}
    return QuestionChange(**{**entry, **lists})


def _call(argument: dict[str, Json]) -> Any:
    """The result of `serve` in a process with limits. Raises `Usage`."""
    try:
        answer: Any = isolated_call.call(
            "rag.eval.run_views:serve", argument, _MEMORY, _CPU_SECONDS, _SECONDS
        )
    except isolated_call.Ended as ended:
        raise Usage(f"the runs cannot be read: that {ended}", "try a folder of fewer") from ended
    if "failed" in answer:
        raise Usage(answer["failed"], answer["cure"])
    return answer["found"]


# -- in the process with limits


def serve(argument: dict[str, str]) -> dict[str, Any]:
    """Do what is asked; return it as "found", or an error as "failed" and "cure"."""
    try:
        if argument["do"] == "list":
            return {"found": list(_listings(argument["folder"]))}
        return {"found": _comparison(argument["old"], argument["new"])}
    except RagError as error:
        return {"failed": str(error), "cure": error.cure}


def _listings(folder: str) -> Iterator[dict[str, Any]]:
    """Yield each run of a folder, the newest first. Other files are passed over."""
    from rag.eval.report import figure_rows
    from rag.eval.run import read_run

    for path, changed in _run_files(folder):
        with suppress(RagError, KeyError, TypeError, AttributeError):
            run = read_run(path)
            config = run["config"]
            figures = [
                [name, figure["value"], figure["low"], figure["high"], figure["n"]]
                for name, figure in figure_rows(run["summary"])
            ]
            yield {
                "path": path,
                "changed": changed,
                "questions": len(run["cases"]),
                "model": str(config.get("model", "")),
                "library": str(config.get("library") or "a corpus"),
                "figures": figures,
            }


def _run_files(folder: str) -> list[tuple[str, int]]:
    """Return path and time of the newest files that may be runs."""
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.path, entry.stat().st_mtime_ns)
                for entry in entries
                if entry.name.endswith(".json")
                and entry.is_file()
                and entry.stat().st_size <= _MAX_BYTES
            ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Usage(
            f"{folder} cannot be read: {error.strerror or error}", "give a folder of run files"
        ) from error
    return sorted(found, key=lambda each: -each[1])[:_MAX_RUNS]


def _comparison(old_path: str, new_path: str) -> dict[str, Any]:
    from rag.eval.compare import compare_runs
    from rag.eval.report import comparison_preamble
    from rag.eval.run import read_run

    old, new = read_run(old_path), read_run(new_path)
    found = compare_runs(old, new)
    figures: list[list[object]] = [
        [name, s["old"], s["new"], s["low"], s["high"], s["n"], s["verdict"]]
        for name, s in found["figures"].items()
    ]
    figures += [
        [name, times["old"], times["new"], None, None, found["shared"], ""]
        for name, times in found["seconds"].items()
    ]
    return {
        "notes": list(comparison_preamble(found)),
        "figures": figures,
        "worse": _changes(found["worse"], old, new),
        "better": _changes(found["better"], old, new),
        "otherwise": _changes(found["otherwise"], old, new),
    }


def _changes(changes: Sequence[ChangeRecord], old: Run, new: Run) -> list[dict[str, Any]]:
    """Return the first changed questions with both answers."""
    from rag.eval.report import change_headline

    before, after = ({case["id"]: case for case in run["cases"]} for run in (old, new))
    return [
        {
            "id": change["id"],
            "question": change["question"],
            "why": change_headline(change),
            "old": _answer(before[change["id"]]),
            "new": _answer(after[change["id"]]),
            "right": after[change["id"]]["gold"]["answers"],
            "sources": [gold["source"] for gold in after[change["id"]]["gold"]["evidence"]],
        }
        for change in changes[:_MAX_QUESTIONS]
    ]


def _answer(case: CaseRecord) -> str:
    """Return the answer of a case as text, with what it cites."""
    answer = cast("Mapping[str, Any] | None", case["answer"])
    if answer is None:
        places = [f"{n} {passage['source']}" for n, passage in enumerate(case["retrieved"], 1)]
        return "\n".join(["retrieval only:", *places])[:_MAX_ANSWER_CHARS]
    if answer["abstained"]:
        return f"not answered: {answer.get('missing') or answer['reason']}"[:_MAX_ANSWER_CHARS]
    quotes = dict.fromkeys(
        f"{cite['source']}: {json.dumps(cite['quote'], ensure_ascii=False)}"
        for claim in answer["claims"]
        for cite in claim["citations"]
    )
    verdicts = ", ".join(claim["verdict"] for claim in answer["claims"])
    return "\n".join([answer["answer"], "", verdicts, *quotes])[:_MAX_ANSWER_CHARS]

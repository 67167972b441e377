"""The commands `models list` and `models use`: which model answers."""

from __future__ import annotations

import click

from rag.cli.console import Console, common_options


@click.group()
@common_options
def models() -> None:
    """List and choose models: the built-in reader, or a chat model of yours."""


@models.command("list")
@common_options
@click.pass_obj
def models_list(console: Console) -> None:
    """List the models on this computer."""
    from rag.cli.output import ModelRow, print_models
    from rag.inference import weights

    config = console.config()

    def row(name: str, path: str | None, size: int | None) -> ModelRow:
        return {"name": name, "path": path, "bytes": size, "in_use": config.model == name}

    rows = [row("reader", None, weights.READER_FILE.size)]
    for model in weights.list_chat_models(config.home):
        rows.append(row(model.name, str(model.path), weights.size(model.path)))
    if not any(model_row["in_use"] for model_row in rows):
        rows.append(row(config.model, config.model, None))
    if console.json:
        console.object({"models": rows})
    else:
        print_models(rows)


@models.command("use")
@click.argument("name")
@common_options
@click.pass_obj
def models_use(console: Console, name: str) -> None:
    """Choose the model that answers: "reader", or the name or path of a .gguf file."""
    from rag.inference import model_trial, weights

    config = console.config()
    setting = name
    if name != "reader":
        model, _ = model_trial.find_tried_chat_model(config.home, name)
        model_trial.require_template(model.path)
        is_in_home = model.path.parent == weights.models_folder(config.home)
        setting = model.name if is_in_home else str(model.path)
    weights.save_model_setting(config.home, setting)
    console.progress(f"{setting} answers from now on")

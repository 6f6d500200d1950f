"""`rollcall`: everything HR and engineers type. Each command loads only what it needs, so `check` stays quick."""

from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup
from typer.exceptions import TyperException

from flows import (
    cli_adapter,
    cli_backup,
    cli_deliver,
    cli_disclosure,
    cli_doctor,
    cli_keeping,
    cli_making,
    cli_models,
    cli_records,
    cli_service,
    cli_studio,
    cli_worker,
)
from tasks.vault.process import begin_process, end_with_parent

console = Console(highlight=False)


class InSentences(TyperGroup):
    """All commands, of whose faults one class is caught, here: what was foreseen is its sentence and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException):
            raise
        except Exception as error:
            from flows.plain_faults import sentence_of

            said = sentence_of(error)
            if said is None:
                raise
            console.print(said, style="red", markup=False, soft_wrap=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    name="rollcall",
    cls=InSentences,
    help="Headshots for whole companies: one roster, one brand kit, one studio day.\n\nStart with: rollcall demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(cli_studio.kits, name="kit")
app.add_typer(cli_models.models, name="models")
app.add_typer(cli_adapter.adapter, name="adapter")
app.add_typer(cli_keeping.retention, name="retention")
app.add_typer(cli_keeping.audit, name="audit")
app.command("deliver")(cli_deliver.deliver)
app.command("packs")(cli_deliver.packs)
app.command("verify")(cli_disclosure.verify)
app.command("forget")(cli_keeping.forget)
app.command("consent-form")(cli_keeping.consent_form)
app.command("backup")(cli_backup.backup)
app.command("restore")(cli_backup.restore)
app.command("rotate")(cli_backup.rotate)
app.command("upgrade")(cli_records.upgrade)
app.command("questions")(cli_records.questions)
app.command("answer")(cli_records.answer)
app.command("worker")(cli_worker.worker)
app.command("doctor")(cli_doctor.doctor)
app.command("demo")(cli_making.demo)
app.command("make")(cli_making.make)
app.command("check")(cli_making.check)
app.command("up")(cli_service.up)
app.command("desk")(cli_service.desk)
app.command("review")(cli_service.review)
app.command("reshoot")(cli_making.reshoot)
app.command("decide")(cli_records.decide)


def main() -> None:
    """Entry point of the console script."""
    begin_process()
    end_with_parent()
    app()


if __name__ == "__main__":
    main()

"""`rollcall upgrade`, `questions` and `answer`: what only a person may change about the records themselves."""

from typing import Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for

console = Console(highlight=False)


def upgrade(
    yes: Annotated[
        bool, typer.Option("--yes", help="Everything is stopped, and there is a backup: do not ask.")
    ] = False,
    home: Home = None,
) -> None:
    """Bring the records of an older Rollcall to this one's shape. There is no way back but a backup."""
    from tasks.vault.database import NEWEST, holds_something, open_database, shape_of, upgrade

    engine = open_database(settings_for(home).records_url)
    before = shape_of(engine)
    if before == NEWEST:
        console.print("The records have this Rollcall's shape already.")
        return
    asks = before is not None and holds_something(engine) and not yes
    if asks and not typer.confirm("Is everything else stopped, and is there a backup of records and keys"):
        raise typer.Exit(1)
    console.print(f"Upgraded from shape {upgrade(engine)[0]} to {NEWEST}.")
    engine.dispose()


def questions(home: Home = None) -> None:
    """What only HR can say: who somebody on the roster is, who has left. Answer with `rollcall answer`."""
    from tasks.roster.questions import open_questions
    from tasks.vault.store import open_vault

    with open_vault(settings_for(home)) as vault:
        asked = open_questions(vault)
    for one in asked:
        console.print(f"\n{one.id}  {one.words}", markup=False)
        for choice in one.choices:
            console.print(f"    {choice.answer:<22}  {choice.words}", markup=False)
    console.print(f"\n{len(asked)} open questions." if asked else "No open questions.")


def answer(
    question: Annotated[str, typer.Argument(help="Its number, from `rollcall questions`.")],
    choice: Annotated[str, typer.Argument(help="One of its answers, as listed there.")],
    by: Annotated[str, typer.Option(help="Who answers.")] = "command",
    home: Home = None,
) -> None:
    """Answer a question for good. It is carried out at once; then run the batch again."""
    from datetime import UTC, datetime

    from tasks.roster.questions import BadAnswer, answer_question
    from tasks.vault.store import open_vault

    try:
        with open_vault(settings_for(home)) as vault:
            answer_question(vault, question, choice, by, datetime.now(UTC))
    except BadAnswer as wrong:
        console.print(str(wrong), markup=False)
        raise typer.Exit(1) from wrong
    console.print("Answered, and carried out. Run the batch again: it goes on from here.")

"""`rollcall upgrade`, `questions`, `answer` and `decide`: what only a person may change about the records."""

import json
from pathlib import Path
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
    """What only HR can say: who is who, who has left, whose photos these are. Answer with `rollcall answer`."""
    from tasks.roster.new_numbers import new_numbers
    from tasks.roster.questions import answers_to_undo, open_questions
    from tasks.vault.store import open_vault

    with open_vault(settings_for(home)) as vault:
        asked, plain, undo = open_questions(vault), new_numbers(vault), answers_to_undo(vault)
    for one in asked:
        console.print(f"\n{one.id}  {one.words}", markup=False)
        for choice in one.choices:
            console.print(f"    {choice.answer:<22}  {choice.words}", markup=False)
    for question, words in undo:
        console.print(f"\n{question}  {words}\n    {'undo':<22}  takes that back", markup=False)
    console.print(f"\n{len(asked)} open questions." if asked else "No open questions.")
    if len(plain) > 1:
        console.print(f"{len(plain)} of them are new numbers of people known: `rollcall answer new-numbers`.")


def answer(
    question: Annotated[
        str, typer.Argument(help="Its number, from `rollcall questions`; or new-numbers: all that a merger asks.")
    ],
    choice: Annotated[str, typer.Argument(help="One of its answers, as listed there.")] = "",
    by: Annotated[str, typer.Option(help="Who answers.")] = "command",
    people: Annotated[
        int | None, typer.Option(help="With new-numbers: do not ask, if there are just so many people.")
    ] = None,
    home: Home = None,
) -> None:
    """Answer a question. It is carried out at once; then run the batch again."""
    from datetime import UTC, datetime

    from tasks.roster.questions import BadAnswer, answer_question
    from tasks.vault.store import Vault, open_vault

    def all_of_a_merger(vault: Vault) -> None:
        from tasks.roster.new_numbers import answer_new_numbers, new_numbers

        shown = new_numbers(vault)
        for one in shown:
            console.print(one.words, markup=False)
        if not shown:
            raise BadAnswer("Nobody who is known has a new number.")
        if people is not None and people != len(shown):
            raise BadAnswer(f"There are {len(shown)} of these by now: look at them once more.")
        if people is None and not typer.confirm(f"Are all {len(shown)} the same people as before"):
            raise BadAnswer("Nothing was answered.")
        answer_new_numbers(vault, shown, by, datetime.now(UTC))

    with open_vault(settings_for(home)) as vault:
        if question == "new-numbers":
            all_of_a_merger(vault)
        else:
            answer_question(vault, question, choice, by, datetime.now(UTC))
    console.print("Answered, and carried out. Run the batch again: it goes on from here.")


def decide(
    file: Annotated[Path, typer.Argument(help="Decisions file, exported from the review pages.", exists=True)],
    by: Annotated[str | None, typer.Option(help="Who decided, if the file does not say.")] = None,
    home: Home = None,
) -> None:
    """Bring decisions from an exported file into the records."""
    from datetime import UTC, datetime

    from reports.decisions import BadDecisions, apply_decisions
    from tasks.vault.store import open_vault

    try:
        payload = json.loads(file.read_text(encoding="utf-8"))
        with open_vault(settings_for(home)) as vault:
            applied = apply_decisions(vault, payload, by, datetime.now(UTC))
    except (BadDecisions, ValueError, AttributeError) as wrong:
        raise BadDecisions(f"{file.name} is not a decisions file that can be used here: {wrong}") from wrong
    console.print(f"{applied} decisions recorded.")

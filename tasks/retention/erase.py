"""Forgets people: fence first, then bytes, then rows, then the log; and looks again after the last writer must be dead.

    fence      one transaction: the case is recorded, the person's state becomes `erasing`, their epoch moves on.
               From here no permit opens and no write passes.
    keys       every data key of the person is destroyed and barred: whatever is still written is noise.
    blobs      uploads aborted, all versions and markers deleted, and a second listing must be empty.
    pages      the person's report folders and every mention of them; their photos and lines in what HR uploaded.
    rows       measurements deleted, name and number emptied, in one transaction; the write-ahead log truncated.
    receipt    provisional now; final after the longest life of a writer, when everything was swept and read again.

Every step may be killed and done again: what a case still needs is read from what is there, not from a memory of what
was done. What cannot be removed makes a case `blocked`, to be tried again by every sweep, and never `final`.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from tasks.failures import RollcallError
from tasks.retention.case import Case, Surroundings, in_groups, load_cases
from tasks.retention.concluding import conclude
from tasks.retention.fence import ErasureWish, raise_fence
from tasks.retention.left import list_left
from tasks.retention.mentions import Mentioned
from tasks.retention.pages import clear_pages
from tasks.retention.pages_in_store import clear_stored_pages
from tasks.retention.receipts import Receipt
from tasks.retention.rows import clear_batches, empty_rows, hide_reviewers
from tasks.retention.rules import load_rules
from tasks.retention.traces import look_for
from tasks.retention.uploads import clear_uploads
from tasks.roster.open_drop import uploads
from tasks.vault.database import forget_deleted_pages
from tasks.vault.failpoints import reach
from tasks.vault.records import Erasure
from tasks.vault.scratch import clear_scratch
from tasks.vault.signing import open_signer
from tasks.vault.store import Vault


class NobodyHere(RollcallError):
    """There is no such person, or they are forgotten already."""


def forget(vault: Vault, employee_id: str, reason: str, now: datetime, around: Surroundings | None = None) -> Receipt:
    """Forget one person now. The receipt carries the salt of its commitment, which is stored nowhere."""
    around = around or surroundings_of(vault)
    salt = os.urandom(16)
    fenced = raise_fence(vault, [(employee_id, reason, now)], now, actor=around.actor, salt=salt)
    if not fenced:
        raise NobodyHere(f"nobody to forget under {employee_id}")
    receipt = carry_out(vault, fenced, now, around)[0]
    return replace(receipt, secret=salt.hex())


def forget_people(
    vault: Vault, people: Sequence[ErasureWish], now: datetime, around: Surroundings | None = None
) -> list[Receipt]:
    """Forget many people, given as (id, reason, due): first every door is shut, then everything goes."""
    around = around or surroundings_of(vault)
    cases: list[str] = []
    for some in in_groups(people):
        cases += raise_fence(vault, some, now, actor=around.actor)
    return carry_out(vault, cases, now, around)


def surroundings_of(vault: Vault) -> Surroundings:
    """The company's rules, and nothing outside `home`."""
    return Surroundings(load_rules(vault.settings.retention_rules))


def open_cases(vault: Vault, now: datetime) -> tuple[list[str], list[str]]:
    """Cases of people that wait for work: (not done yet, due for their last look)."""
    with vault.reading() as session:
        people = select(Erasure.id).where(col(Erasure.scope) == "person").order_by(col(Erasure.id))
        undone = session.exec(people.where(col(Erasure.state).in_(("fenced", "swept", "blocked")))).all()
        due = session.exec(people.where(col(Erasure.state) == "provisional", col(Erasure.resweep_at) <= now)).all()
    return list(undone), list(due)


def carry_out(vault: Vault, cases: Sequence[str], now: datetime, around: Surroundings) -> list[Receipt]:
    """Do whatever these cases still need; safe to repeat at any time. Provisional or blocked receipts come back."""
    return _work_through(vault, cases, now, around, final=False)


def search_again(
    vault: Vault, case: str, words: Sequence[tuple[str, str]], now: datetime, around: Surroundings
) -> Receipt:
    """Carry a case on with the person's words, given as (kind, word) by somebody who knows them: when their trace was
    found somewhere and has been removed there. Nothing of the words is stored.
    """
    known = Mentioned("", tuple(word for _, word in words), tuple(kind for kind, _ in words))
    return _work_through(vault, [case], now, around, final=False, known=known)[0]


def look_again(vault: Vault, cases: Sequence[str], now: datetime, around: Surroundings) -> list[Receipt]:
    """The last look, once every writer from before the fence must be dead: sweep and verify all again, then final."""
    return _work_through(vault, cases, now, around, final=True)


def _work_through(
    vault: Vault,
    cases: Sequence[str],
    now: datetime,
    around: Surroundings,
    *,
    final: bool,
    known: Mentioned | None = None,
) -> list[Receipt]:
    """One step at a time for everybody, because the reports are read through for all of them at once; within a step
    by groups. Names are emptied only after everything that has to be found by them."""
    if not cases:
        return []
    everybody = load_cases(vault, cases)
    if known is not None:
        for case in everybody:
            case.mentioned = replace(known, id=case.person)
    for group in in_groups(everybody):
        _destroy_keys(vault, group)
        _erase_blobs(vault, group)
    batches = _clear_files(vault, everybody)
    with vault.session() as session:
        clear_batches(session, [case.mentioned for case in everybody])
        hide_reviewers(session, vault.keys, [case.mentioned for case in everybody])
    for group in in_groups(everybody):
        _erase_rows(vault, group, now)
    _empty_log(vault, everybody)
    _search_bytes(vault, everybody, around)
    signer = open_signer(vault.settings.signing_key, vault.settings.audit / "signing.pub")
    receipts = [one for group in in_groups(everybody) for one in conclude(vault, group, now, around, signer, final)]
    rewrite_reports(vault, batches, now, around)
    return receipts


def _destroy_keys(vault: Vault, group: Sequence[Case]) -> None:
    people = [case.person for case in group]
    held = vault.keys.count_keys(people)
    reach("erase.keys.before")
    wrapped = vault.keys.wrapped_bytes(people)
    emptied = vault.keys.destroy(people)
    reach("erase.keys.done")
    left = vault.keys.count_keys(people)
    for case in group:
        known = max(held[case.person], case.evidence.get("keys_held", 0), case.evidence.get("keys_destroyed", 0))
        case.evidence["keys_destroyed"] = 0 if left[case.person] else known
        case.evidence["log_pending"] = not emptied
        case.mentioned = replace(case.mentioned, secrets=tuple(wrapped[case.person]))


def _erase_blobs(vault: Vault, group: Sequence[Case]) -> None:
    """Delete, then believe only a second listing."""
    for case in group:
        prefix = f"people/{case.person}/"
        reach("erase.blobs.before")
        refused = vault.blobs.erase(prefix)
        reach("erase.blobs.done")
        left = vault.blobs.remains(prefix)
        codes = {(one.remnant.key, one.remnant.version): one.code for one in refused}
        residue = Counter(codes.get((one.key, one.version), "still_there") for one in left)
        case.evidence["residue"] = dict(residue)
        case.evidence["verified"] = not left
    vault.blobs.settle()


def _clear_files(vault: Vault, everybody: Sequence[Case]) -> tuple[str, ...]:
    reach("erase.pages.before")
    mentioned = [case.mentioned for case in everybody]
    # A folder that was used before reports moved to the store is looked through as well, and the other way round.
    cleared, stored = clear_pages(vault.settings.reports, mentioned), clear_stored_pages(vault, mentioned)
    reach("erase.pages.done")
    clear_uploads(uploads(vault), [case.mentioned for case in everybody])
    reach("erase.drops.done")
    left = clear_scratch(vault.settings.scratch, [case.person for case in everybody])
    reach("erase.scratch.done")
    for case in everybody:
        if left_over := cleared.residue + stored.residue:
            case.evidence["residue"] = {**case.evidence["residue"], "page": left_over}
        if left:
            case.evidence["residue"] = {**case.evidence["residue"], "scratch": left}
    return (*cleared.batches, *stored.batches)


def _erase_rows(vault: Vault, group: Sequence[Case], now: datetime) -> None:
    reach("erase.rows.before")
    with vault.session() as session:
        empty_rows(session, vault.keys, [case.person for case in group], now)
        session.execute(sa.update(Erasure), [{"id": case.id, "evidence": case.evidence} for case in group])
        fenced = col(Erasure.id).in_([case.id for case in group]) & (col(Erasure.state) == "fenced")
        session.execute(sa.update(Erasure).where(fenced).values(state="swept"))
    reach("erase.rows.done")


def rewrite_reports(vault: Vault, batches: Iterable[str], now: datetime, around: Surroundings) -> None:
    """Reports that lost a page or a picture are written again from the records, which no longer know them.

    For looks only: what had to go is gone already, so a report that cannot be written is noted and holds up nothing.
    """
    if around.rewrite_report is None:
        return
    for batch in sorted(set(batches)):
        try:
            around.rewrite_report(batch)
        except Exception as error:
            vault.audit(
                "report_not_rewritten", batch, result={"error": type(error).__name__}, actor=around.actor, now=now
            )


def _empty_log(vault: Vault, group: Sequence[Case]) -> None:
    reach("erase.log.before")
    # The keys' own log counts as much: a wrapped key that another program still reads is a key that still opens.
    emptied = forget_deleted_pages(vault.engine) and vault.keys.forget_bytes()
    reach("erase.log.done")
    for case in group:
        case.evidence["log_pending"] = not emptied


def _search_bytes(vault: Vault, everybody: Sequence[Case], around: Surroundings) -> None:
    """Read every file here for their names: the strongest thing a receipt can say.

    Only the first time: afterwards the names are known to nobody, so what was found then stays on the case until
    somebody who knows them looks again (`search_again`). While a reader holds the log the name is still in it, which
    the receipt says already.
    """
    named = [case for case in everybody if _is_looked_for(case) and not case.evidence["log_pending"]]
    if named:
        limit = vault.settings.search_limit
        people = [case.mentioned for case in named]
        search = look_for(
            people, vault.settings.home, around.search, limit, around.progress, list(uploads(vault)), databases(vault)
        )
        for case in named:
            case.evidence["search"] = search.evidence(case.mentioned)
            case.left = list_left(case.mentioned, search.hits.get(case.person, ()), vault.settings.home)
    for case in everybody:
        places = case.evidence.get("search", {}).get("places", 0)
        if places:
            case.evidence["residue"] = {**case.evidence["residue"], "trace": places}
    reach("erase.search.done")


def databases(vault: Vault) -> list[sa.Engine]:
    """Those of ours that are no files here: their rows are searched as rows."""
    engines = {str(engine.url): engine for engine in (vault.engine, vault.keys.engine)}
    return [engine for engine in engines.values() if engine.dialect.name == "postgresql"]


def _is_looked_for(case: Case) -> bool:
    return bool(case.mentioned.words or case.mentioned.secrets)

"""Promises that hold in every order: pictures belong to people and batches show them; seats and scores in the open.

What 0.1 kept under fifteen keys of `Seat.detail` becomes columns, scores get their one form, and a picture that 0.1
moved from batch to batch is shown again wherever it was decided about or made. There is no way back but the backup
that `rollcall upgrade` asks for: an older Rollcall could not keep what stands here.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)
_ROWS = 500  # read and written at a time: scores are a few KB each

Row = dict[str, Any]
# The newest consent given by the time of a decision; where a register is dated ahead, the newest there is.
_CONSENT = (
    "SELECT id FROM consent WHERE consent.employee_id = decision.employee_id AND purpose = 'headshot' {} "
    "ORDER BY given_at DESC, id DESC LIMIT 1"
)
_CONSENT_THEN = "UPDATE decision SET consent_id = COALESCE(({}), ({}), '')".format(
    _CONSENT.format("AND given_at <= decision.at"), _CONSENT.format("")
)


def upgrade() -> None:
    _new_rooms()
    for table, column in (
        ("employee", sa.Column("identity", sa.Integer(), nullable=False, server_default="0")),
        ("decision", sa.Column("kit", sa.String(), nullable=False, server_default="")),
        ("decision", sa.Column("identity", sa.Integer(), nullable=False, server_default="0")),
        ("decision", sa.Column("consent_id", sa.String(), nullable=False, server_default="")),
        ("decision", sa.Column("reasons", _JSON, nullable=False, server_default="[]")),
    ):
        op.add_column(table, column)
    op.execute("UPDATE decision SET kit = COALESCE((SELECT kit FROM batch WHERE batch.id = decision.batch_id), '')")
    op.execute(_CONSENT_THEN)
    op.create_index("ix_decision_headshot_digest", "decision", ["headshot_digest"])
    _show_pictures()
    _rebuild("headshot", _headshot_columns(), _headshot, {"ix_headshot_employee_id": ["employee_id"]})
    _rebuild("seat", _seat_columns(), _seat, {"ix_seat_employee_id": ["employee_id"]})
    _version_drops()
    keys = _order_keys()
    _rebuild("batch", _batch_columns(), lambda row: {**row, "order_key": keys[row["id"]], "version": 1}, {})


def downgrade() -> None:
    raise NotImplementedError("there is no way back to 0.1 but the backup that was made before")


def _new_rooms() -> None:
    op.create_table(
        "showing",
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("headshot_digest", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("choice", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "headshot_digest"),
    )
    op.create_index("ix_showing_headshot_digest", "showing", ["headshot_digest"])
    op.create_index("ix_showing_employee_id", "showing", ["employee_id"])
    op.create_table(
        "dropversion",
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "version"),
    )
    op.create_table(
        "earliername",
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("identity", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("employee_id", "identity"),
    )
    op.create_table(
        "question",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("candidates", _JSON, nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("batch_id", "employee_id", "claim"):
        op.create_index(f"ix_question_{column}", "question", [column])


def _show_pictures() -> None:
    """A picture is shown where it lay, where it was decided about, and where its adapter and kit were used.

    0.1 moved pictures to whichever batch was run last: the other two bring them back to where they were taken from.
    """
    op.execute(
        "INSERT INTO showing (batch_id, headshot_digest, employee_id, choice, why, retired) "
        "SELECT batch_id, digest, employee_id, choice, why, state = 'retired' FROM headshot"
    )
    op.execute(
        "INSERT INTO showing (batch_id, headshot_digest, employee_id, choice, why, retired) "
        "SELECT DISTINCT decision.batch_id, headshot.digest, headshot.employee_id, headshot.choice, headshot.why, "
        "headshot.state = 'retired' FROM decision JOIN headshot ON headshot.digest = decision.headshot_digest "
        "WHERE headshot.batch_id <> decision.batch_id"
    )
    connection = op.get_bind()
    there = set(connection.execute(sa.text("SELECT batch_id, headshot_digest FROM showing")).tuples())
    used: dict[str, list[str]] = {}
    for row in _rows("seat"):
        detail = row["detail"] if isinstance(row["detail"], Mapping) else {}
        if detail.get("adapter"):
            used.setdefault(str(detail["adapter"]), []).append(row["batch_id"])
    kits: dict[str, str] = dict(connection.execute(sa.text("SELECT id, kit FROM batch")).tuples().all())
    more = []
    for shot in _rows("headshot"):
        for batch in used.get(shot["adapter_digest"] or "", ()):
            if kits.get(batch) == shot["kit"] and (batch, shot["digest"]) not in there:
                more.append({
                    "batch_id": batch, "headshot_digest": shot["digest"], "employee_id": shot["employee_id"],
                    "choice": shot["choice"], "why": shot["why"], "retired": shot["state"] == "retired",
                })  # fmt: skip
    if more:
        showing = sa.table("showing", *(sa.column(name) for name in more[0]))
        connection.execute(sa.insert(showing), more)


def _headshot_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("adapter_digest", sa.String(), nullable=True),
        sa.Column("kit", sa.String(), nullable=False),
        sa.Column("kit_digest", sa.String(), nullable=False),
        sa.Column("shot", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("original_key", sa.String(), nullable=False),
        sa.Column("finished_key", sa.String(), nullable=False),
        sa.Column("thumb_key", sa.String(), nullable=False),
        sa.Column("scores", _JSON, nullable=False),
        sa.Column("flags", _JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
    ]


def _headshot(row: Row) -> Row:
    old = row["scores"] if isinstance(row["scores"], Mapping) else {}
    scores: Row = {}
    for key in ("measures", "source_inter_eye", "faithfulness", "kept", "flags"):
        if key in old:
            scores[key] = old[key]
    if "probability" in old:
        likeness = ("likeness", "relative", "probability", "rank", "margin", "copied")
        scores["likeness"] = {key: old[key] for key in likeness if key in old}
    return {**row, "scores": scores}


def _seat_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("batch_id", sa.String(), primary_key=True),
        sa.Column("employee_id", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("cohort", sa.Integer(), nullable=True),
        sa.Column("kit", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("standing", _JSON, nullable=False),
        sa.Column("findings", _JSON, nullable=False),
        sa.Column("photos", sa.Integer(), nullable=True),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("few", sa.Boolean(), nullable=False),
        sa.Column("adapter_digest", sa.String(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("chances", sa.Integer(), nullable=False),
        sa.Column("longer_from", sa.Integer(), nullable=True),
        sa.Column("fell_short", sa.String(), nullable=True),
        sa.Column("answered", sa.String(), nullable=True),
        sa.Column("wishes", _JSON, nullable=False),
    ]


def _seat(row: Row) -> Row:
    held = row["detail"]
    detail: Row = dict(held) if isinstance(held, Mapping) else {"findings": held or []}
    return {
        **{name: row[name] for name in ("batch_id", "employee_id", "state", "reason", "position", "cohort")},
        "cause": detail.get("because") or detail.get("training"), "row": int(detail.get("row") or 0), "kit": "",
        "lane": detail.get("lane") or "generated", "standing": detail.get("standing") or [],
        "findings": detail.get("findings") or [], "photos": detail.get("photos"),
        "accepted": int(detail.get("accepted") or 0), "few": bool(detail.get("few")),
        "adapter_digest": detail.get("adapter"), "round": int(detail.get("round") or 0),
        "chances": int(detail.get("chances") or 0), "longer_from": detail.get("longer_from"),
        "fell_short": detail.get("fell_short"), "answered": detail.get("answered"), "wishes": {},
    }  # fmt: skip


def _batch_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("order_key", sa.String(), nullable=False, unique=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("drop", sa.String(), nullable=False),
        sa.Column("kit", sa.String(), nullable=False),
        sa.Column("quality", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("facts", _JSON, nullable=False),
        sa.Column("problems", _JSON, nullable=False),
        sa.Column("lease_holder", sa.String(), nullable=False, server_default=""),
        sa.Column("lease_process", sa.String(), nullable=False, server_default=""),
        sa.Column("lease_until", _MOMENT, nullable=True),
    ]


def _version_drops() -> None:
    op.execute(
        "INSERT INTO dropversion (batch_id, version, digest, people, at) SELECT id, 1, roster_digest, "
        "(SELECT count(*) FROM seat WHERE seat.batch_id = batch.id), created_at FROM batch"
    )


def _order_keys() -> dict[str, str]:
    """The newest batch of an order is the one that goes on; older ones, of a roster since corrected, stay as they are.

    The key is what `tasks.vault.batches.order_key` makes of an order; a copy, since a migration never changes.
    """
    newest: dict[str, str] = {}
    keys: dict[str, str] = {}
    for row in sorted(_rows("batch"), key=lambda row: str(row["created_at"])):
        people = (row["facts"] or {}).get("people", "all")
        order = {**{name: row[name] for name in ("drop", "kit", "quality", "base")}, "people": people}
        key = hashlib.sha256(json.dumps({**order, "who": "everybody"}, sort_keys=True).encode()).hexdigest()
        if key in newest:
            keys[newest[key]] = newest[key]
        newest[key], keys[row["id"]] = row["id"], key
    return keys


def _rows(table: str) -> Iterable[Row]:
    """All rows of a table as it is now, JSON read."""
    found = sa.Table(table, sa.MetaData(), autoload_with=op.get_bind())
    rows = op.get_bind().execute(sa.select(found)).mappings()
    while some := rows.fetchmany(_ROWS):
        yield from (dict(row) for row in some)


def _rebuild(
    table: str, columns: list[sa.Column[Any]], convert: Callable[[Row], Row], indexes: Mapping[str, list[str]]
) -> None:
    """A table in its new shape, with its rows: SQLite changes no table in place."""
    old = f"{table}_before"
    held = sa.inspect(op.get_bind()).get_indexes(table)
    for index in held:
        if index["name"] and not index.get("duplicates_constraint"):
            op.drop_index(index["name"], table)
    op.rename_table(table, old)
    op.create_table(table, *columns)
    known = {column.name for column in columns}
    target = sa.table(table, *(sa.column(column.name, column.type) for column in columns))
    some: list[Row] = []
    for row in _rows(old):
        some.append({name: value for name, value in convert(row).items() if name in known})
        if len(some) == _ROWS:
            op.get_bind().execute(sa.insert(target), some)
            some = []
    if some:
        op.get_bind().execute(sa.insert(target), some)
    op.drop_table(old)
    for name, names in indexes.items():
        op.create_index(name, table, names)

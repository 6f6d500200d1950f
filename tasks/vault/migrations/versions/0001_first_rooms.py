"""The first rooms: everything the records hold at the beginning."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)
_TABLES = (
    "adapter",
    "artifact",
    "auditentry",
    "batch",
    "consent",
    "decision",
    "employee",
    "erasure",
    "headshot",
    "seat",
    "selfie",
)


def upgrade() -> None:
    op.create_table(
        "adapter",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("base_fingerprint", sa.String(), nullable=False),
        sa.Column("plan", _JSON, nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.Column("few_photos", sa.Boolean(), nullable=False),
        sa.Column("loss_first", sa.Float(), nullable=True),
        sa.Column("loss_last", sa.Float(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_adapter_employee_id", "adapter", ["employee_id"])
    op.create_table(
        "artifact",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_artifact_employee_id", "artifact", ["employee_id"])
    op.create_table(
        "auditentry",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("result", _JSON, nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("drop", sa.String(), nullable=False),
        sa.Column("kit", sa.String(), nullable=False),
        sa.Column("quality", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("roster_digest", sa.String(), nullable=False),
        sa.Column("facts", _JSON, nullable=False),
        sa.Column("problems", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.Column("withdrawn_at", _MOMENT, nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_consent_employee_id", "consent", ["employee_id"])
    op.create_table(
        "decision",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("headshot_digest", sa.String(), nullable=True),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_decision_batch_id", "decision", ["batch_id"])
    op.create_index("ix_decision_employee_id", "decision", ["employee_id"])
    op.create_table(
        "employee",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("wardrobe", sa.String(), nullable=True),
        sa.Column("glasses", sa.String(), nullable=False),
        sa.Column("generation", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_employee_state", "employee", ["state"])
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("fenced_at", _MOMENT, nullable=True),
        sa.Column("resweep_at", _MOMENT, nullable=True),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.Column("evidence", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_erasure_employee_id", "erasure", ["employee_id"])
    op.create_index("ix_erasure_state", "erasure", ["state"])
    op.create_table(
        "headshot",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("adapter_digest", sa.String(), nullable=True),
        sa.Column("kit", sa.String(), nullable=False),
        sa.Column("kit_digest", sa.String(), nullable=False),
        sa.Column("shot", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("original_key", sa.String(), nullable=False),
        sa.Column("finished_key", sa.String(), nullable=False),
        sa.Column("thumb_key", sa.String(), nullable=False),
        sa.Column("scores", _JSON, nullable=False),
        sa.Column("flags", _JSON, nullable=False),
        sa.Column("choice", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_headshot_batch_id", "headshot", ["batch_id"])
    op.create_index("ix_headshot_employee_id", "headshot", ["employee_id"])
    op.create_table(
        "seat",
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", _JSON, nullable=False),
        sa.Column("cohort", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "employee_id"),
    )
    op.create_index("ix_seat_employee_id", "seat", ["employee_id"])
    op.create_table(
        "selfie",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("employee_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("findings", _JSON, nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_selfie_digest", "selfie", ["digest"])
    op.create_index("ix_selfie_employee_id", "selfie", ["employee_id"])


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)

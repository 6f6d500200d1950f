"""When each run was last heard of: Prefect's server may be away when a machine dies."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lifesign",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run"),
    )


def downgrade() -> None:
    raise NotImplementedError("there is no way back but the backup that was made before")

"""Which run works on which group of people, so that one that was taken for dead notices."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "groupturn",
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("cohort", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("maker", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "cohort"),
    )


def downgrade() -> None:
    raise NotImplementedError("there is no way back but the backup that was made before")

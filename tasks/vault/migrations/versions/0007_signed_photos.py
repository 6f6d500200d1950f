"""Of a photo's own content credentials it is kept that they were valid, and who signed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("selfie", sa.Column("signed_by", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    raise NotImplementedError("there is no way back but the backup that was made before")

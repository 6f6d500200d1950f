"""A withdrawal's photos leave every upload at once; what the vault has waits as long as the rules say.

No permit opens anything of theirs from that moment on, so the vault's photos can wait until a slip has been noticed.
What was uploaded has no such owner: whoever checks the upload would look at it again. So many withdrawals at once that
the sweep would stop and ask are taken for a register that was read wrongly, and wait for it.
"""

from datetime import datetime

from sqlmodel import col, select

from tasks.retention.forecast import most_people
from tasks.retention.holds import holds_of
from tasks.retention.inventory import withdrawals
from tasks.retention.rules import Rules
from tasks.retention.uploads import photos_of
from tasks.roster.open_drop import uploads
from tasks.vault.audit_log import Event
from tasks.vault.records import Employee
from tasks.vault.store import Vault


def leave_uploads(vault: Vault, rules: Rules, now: datetime) -> int:
    """Take the photos of everybody whose standing consent was withdrawn, and whom no hold keeps, out of every upload;
    how many photos. Doing it twice changes nothing."""
    with vault.reading() as session:
        active = dict(session.exec(select(Employee.id, Employee.number).where(col(Employee.state) == "active")).all())
        going = set(withdrawals(session)) & set(active) - {hold.person for hold in holds_of(vault, rules, now)}
    if not going or len(going) > most_people(len(active), rules):
        return 0
    gone = 0
    for upload in uploads(vault):
        gone += sum(upload.remove(path) for path in photos_of(upload, {active[one] for one in going} - {""}))
        upload.sync()
    if gone:
        vault.audit_all([Event("left_uploads", "", "", {"photos": gone}, "withdrawal")], now=now)
    return gone

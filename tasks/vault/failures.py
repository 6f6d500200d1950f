"""What the vault refuses: its branch of `tasks.failures`, drawn. Messages carry ids, codes and numbers.

VaultError
  NotLikeThis          what a person asked for cannot be done as it stands; the sentence says what to write instead
    NoSuchBatch        there is no batch with this id
  DatabaseLost         the records went away for a while (tasks.vault.telling)
  DiskFull             no room for what was to be written (tasks.vault.telling)
  Fault                what nobody foresaw, without its words (tasks.vault.telling)
  NoConsent            nobody's leave: .code says why
    Fenced             the person is being forgotten, or the permit is from before that
    Forgotten          the person was forgotten, and no consent is dated after that
  MasterKeyMissing     wrapped keys exist, and their master key does not (tasks.vault.master)
  MasterKeyRefused     the key management service said no; .code is its word for why
  DatabaseTooNew       a newer Rollcall wrote the records (tasks.vault.database)
  DatabaseTooOld       an older one did, and they hold something: `rollcall upgrade` (tasks.vault.database)
  AlreadyBeingMade     another run is making this batch (tasks.vault.lease)
  TakenOver            this run was taken for dead, and another one has its work (tasks.vault.turns)
  UnknownKind          a kind of artefact without an entry in the register
  MissingBlob          a key that names nothing
  Unreadable           a blob that was altered, cut short, moved, or whose key was destroyed
  StoreFault           the blob store refused or failed; .code says how
    StoreLost          it went away for a while, or had too much to do
  NotErased            a forgetting left something behind
  HandLost             a process that works on pictures was ended, or its work broke (tasks.hands)
  BadSetting           a setting names something that cannot be used; the message says what to do
"""

from datetime import datetime

from tasks.failures import RollcallError


class VaultError(RollcallError):
    """Root of everything the vault raises."""


class NotLikeThis(VaultError):
    """What was asked for cannot be done as it stands. The sentence is for whoever asked, and quotes nothing they wrote:
    Prefect keeps it."""


class NotErased(VaultError):
    """A forgetting that left something behind: red wherever it was started, until a later look finds nothing."""

    def __init__(self, cases: int) -> None:
        super().__init__(
            f"NOT erased: of {cases} {'person' if cases == 1 else 'people'} something could not be removed. The "
            "receipt says what, and `rollcall retention search-again` looks again once it is gone."
        )


class NoSuchBatch(NotLikeThis):
    """There is no batch with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such batch: take its number from the report's address.")


class NoConsent(VaultError):
    """There is no leave to touch this person's pictures for this purpose."""

    def __init__(self, code: str, employee_id: str = "") -> None:
        super().__init__(f"{code} {employee_id}".strip())
        self.code = code
        self.employee_id = employee_id


class Fenced(NoConsent):
    """Work that began before the fence went up stops here."""


class Forgotten(NoConsent):
    """Consent from before somebody was forgotten does not bring them back."""

    def __init__(self, employee_id: str, at: datetime) -> None:
        super().__init__("forgotten", employee_id)
        self.at = at


class UnknownKind(VaultError):
    """Every kind of artefact needs an entry that says how long it lives and how it dies."""


class MissingBlob(VaultError):
    """Nothing is stored under this key."""


class Unreadable(VaultError):
    """The bytes are not what was written here, or can no longer be decrypted."""


class StoreFault(VaultError):
    """The blob store could not do what was asked."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code


class StoreLost(StoreFault):
    """The blob store went away, or was too busy, in the middle of something. Nothing half-written is left."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.args = (f"store_lost: the store of the files could not be reached ({code}). Try again.",)


class MasterKeyRefused(VaultError):
    """The key management service did not do it; `code` is its own word for why."""

    def __init__(self, code: str, advice: str) -> None:
        super().__init__(f"the key management service answered {code}: {advice}")
        self.code = code


class HandLost(VaultError):
    """A process that works on pictures is gone, or what it did broke; `how` as the sandbox says it."""

    def __init__(self, how: str) -> None:
        if how.startswith(("signal", "exit", "memory")):
            said = (
                f"A process that works on pictures was ended ({how}), most often for want of memory. Set "
                "ROLLCALL_PROCESSES to a smaller number and run it again: nothing finished is lost."
            )
        else:
            said = (
                f"The work on a picture broke ({how}). With ROLLCALL_PROCESSES=1 it is done in the command's own "
                "process, which shows where. Nothing finished is lost."
            )
        super().__init__(said)
        self.how = how


class BadSetting(VaultError):
    """What a setting names cannot be used; the message is a sentence for whoever set it."""

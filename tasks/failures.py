"""What was foreseen and cannot go on, as one tree: whoever types a command meets one class, and its sentence.

A message says what is wrong and what to do about it, and quotes nobody's data: it ends up in terminals, in logs and in
Prefect. What is a defect, and nobody's to mend but ours, stays outside of the tree and keeps its traceback.

RollcallError
  VaultError          what records, keys and blobs refuse, with a tree of its own (tasks.vault.failures)
  Fallen              a file brought down the process that opened it (tasks.sandbox)
  DropFault, UnreadableTable, BadAnswer                 the drop, its tables, and what HR was asked (tasks.roster)
  Refused             a picture that will not be decoded (tasks.vision.glance)
  EyesMissing, UnknownBase, NotWhole, HubFault, PullFailed     models: which, and where they come from (tasks.vision)
  CannotLearn, KitError, CannotFinish, NoFaceLeft, NoReference     learning, drawing, judging
  PackError, BadTemplate, TooManyBytes, DestinationFault, DeliveryFault, NothingToDeliver, TooManyGo     delivery
  NotSigned           content credentials (tasks.disclosure)
  BadRules, NobodyHere                                  retention
  BadUpload, BadDecisions, BadChoice, BadLabel, NoOrchestrator, CannotServe and their like     the desk (reports)
  StartFailed, BadLogin, NotAllowed, EverybodyFailed    the service (flows)
"""


class RollcallError(Exception):
    """Root of everything that was foreseen. The message is a sentence for whoever asked."""

"""Which task a job's action is."""

from __future__ import annotations

from mobjects.models import SyncJobAction
from mobjects.sync.compare.task import CompareTask
from mobjects.sync.delete.task import DeleteTask
from mobjects.sync.metadata.task import DescribeTask
from mobjects.sync.pull.identify.task import IdentifyTask
from mobjects.sync.pull.task import PullTask
from mobjects.sync.send.preview.dry_run import DryRunTask
from mobjects.sync.send.task import SendTask
from mobjects.sync.send.undo.task import UndoTask

TASKS: dict[str, type[SendTask | PullTask | CompareTask | DescribeTask | DeleteTask | IdentifyTask | DryRunTask]] = {
    SyncJobAction.SEND: SendTask,
    SyncJobAction.PULL: PullTask,
    SyncJobAction.COMPARE: CompareTask,
    SyncJobAction.DESCRIBE: DescribeTask,
    SyncJobAction.DELETE: DeleteTask,
    SyncJobAction.IDENTIFY: IdentifyTask,
    SyncJobAction.DRY_RUN: DryRunTask,
    SyncJobAction.UNDO: UndoTask,
}

"""Which task a job's action is."""

from __future__ import annotations

from mobjects.models import SyncJob
from mobjects.sync.catalog import DescribeTask
from mobjects.sync.compare import CompareTask
from mobjects.sync.delete import DeleteTask
from mobjects.sync.engine import SendTask
from mobjects.sync.pull import PullTask

TASKS: dict[str, type[SendTask | PullTask | CompareTask | DescribeTask | DeleteTask]] = {
    SyncJob.Action.SEND: SendTask,
    SyncJob.Action.PULL: PullTask,
    SyncJob.Action.COMPARE: CompareTask,
    SyncJob.Action.DESCRIBE: DescribeTask,
    SyncJob.Action.DELETE: DeleteTask,
}

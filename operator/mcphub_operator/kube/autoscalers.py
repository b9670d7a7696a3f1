"""One watch of autoscalers for two readers: our children, and the foreign ones."""

from mcphub_operator.kube.api import Found, Object
from mcphub_operator.kube.children import ChildTable, is_child
from mcphub_operator.kube.kinds import AUTOSCALER
from mcphub_operator.kube.surroundings import ForeignAutoscalers


class AutoscalerSink:
    """Sorts autoscalers by whether they carry the operator's label."""

    def __init__(self, children: ChildTable, foreign: ForeignAutoscalers) -> None:
        self._children = children
        self._foreign = foreign

    def upsert(self, item: Object) -> None:
        """Learn an autoscaler's present state."""
        self._foreign.upsert(item)
        if is_child(item):
            self._children.upsert(AUTOSCALER, item)

    def remove(self, item: Object) -> None:
        """Learn that an autoscaler is gone."""
        self._foreign.remove(item)
        if is_child(item):
            self._children.remove(AUTOSCALER, item)

    def keep_only(self, namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        self._foreign.keep_only(namespace, found)
        self._children.keep_only(AUTOSCALER, namespace, found)

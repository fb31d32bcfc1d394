"""An engine whose every move the test makes: it takes orders down and reports what it is told to."""

from collections.abc import Sequence

from gridhall.engines.protocol import (
    Ability,
    AttemptKey,
    Ended,
    EngineFault,
    Lost,
    NodeSeen,
    OnReport,
    Paused,
    Report,
    StaleEpoch,
    Started,
    StartOrder,
    StopOrder,
    Stopped,
)


class HandEngine:
    """Keeps what it holds in a dictionary that outlives controllers, as a real engine's records do."""

    name = "hand"
    abilities: frozenset[Ability] = frozenset()

    def __init__(self, nodes: Sequence[tuple[str, str]]) -> None:
        self.nodes = nodes
        self.held: dict[AttemptKey, StartOrder] = {}
        self.stops: list[StopOrder] = []
        self.starts: list[StartOrder] = []
        self.switches: list[tuple[str, AttemptKey]] = []
        """Orders to pause and to resume."""
        self.epoch = 0
        self.away = False
        self._report: OnReport | None = None

    async def open(self, on_report: OnReport) -> None:
        self._report = on_report
        for site, node in self.nodes:
            on_report(NodeSeen(site, node, 0, True))

    def report(self, report: Report) -> None:
        assert self._report is not None
        self._report(report)

    def started(self, key: AttemptKey) -> None:
        self.report(Started(key, 1))

    def ended(self, key: AttemptKey, exit_code: int = 0) -> None:
        self.report(Ended(key, 1, exit_code, 5000))

    def stopped(self, key: AttemptKey, saved_ms: int = 0) -> None:
        self.report(Stopped(key, 1, saved_ms))

    def paused(self, key: AttemptKey) -> None:
        self.report(Paused(key, 1))

    def lost(self, key: AttemptKey, saved_ms: int = 0) -> None:
        self.report(Lost(key, 1, saved_ms, "the test says so"))

    def node_seen(self, site: str, node: str, up: bool) -> None:
        self.report(NodeSeen(site, node, 1, up))

    async def start(self, order: StartOrder) -> None:
        self._check(order.epoch)
        if order.key not in self.held:
            self.held[order.key] = order
            self.starts.append(order)

    async def stop(self, order: StopOrder) -> None:
        self._check(order.epoch)
        self.stops.append(order)

    async def pause(self, key: AttemptKey, epoch: int) -> None:
        self._check(epoch)
        self.switches.append(("pause", key))

    async def resume(self, key: AttemptKey, epoch: int) -> None:
        self._check(epoch)
        self.switches.append(("resume", key))

    async def forget(self, key: AttemptKey, epoch: int) -> None:
        self._check(epoch)
        self.held.pop(key, None)

    async def running(self) -> Sequence[AttemptKey]:
        return list(self.held)

    async def read_log(self, key: AttemptKey, rank: int, offset: int, most: int) -> bytes:
        return b"by hand\n"[offset : offset + most]

    async def close(self) -> None:
        self._report = None

    def _check(self, epoch: int) -> None:
        if self.away:
            raise EngineFault("the engine is away")
        if epoch < self.epoch:
            raise StaleEpoch
        self.epoch = epoch

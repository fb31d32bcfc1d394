"""Reports of what was drawn: power and baseline by interval in kW, and the state of operation."""

from collections.abc import Sequence
from datetime import timedelta

from toadr3.models import Event, Interval, IntervalPeriod, Report, ReportData, ReportPayloadDescriptor, ValuesMap

from gridhall.energy.targets.models import moment
from gridhall.engines.openadr.settings import VenSettings

KNOWN_REPORTS = ("DEMAND", "BASELINE", "OPERATING_STATE")
NORMAL = "RUNNING_NORMAL"
CURTAILED = "RUNNING_CURTAILED"
W_PER_KW = 1_000


def wanted(event: Event) -> list[str]:
    """The reports that an event asks for and this client can give."""
    asked = [each.payload_type for each in event.report_descriptors or ()]
    return [kind for kind in KNOWN_REPORTS if kind in asked]


def demand_report(
    settings: VenSettings,
    event: Event,
    start_ms: int,
    step_ms: int,
    drawn_w: Sequence[int],
    baseline_w: Sequence[int],
    curtailed: bool,
) -> Report:
    """A report of mean power for each step from `start_ms`, with its baseline, holding what the event asked for."""
    kinds = wanted(event)
    state = CURTAILED if curtailed else NORMAL
    values = {"DEMAND": [w / W_PER_KW for w in drawn_w], "BASELINE": [w / W_PER_KW for w in baseline_w]}
    values |= {"OPERATING_STATE": [state] * len(drawn_w)}
    intervals = [
        Interval(id=step, payloads=[ValuesMap(type=kind, values=[values[kind][step]]) for kind in kinds])
        for step in range(len(drawn_w))
    ]
    period = IntervalPeriod.model_construct(start=moment(start_ms), duration=timedelta(milliseconds=step_ms))
    data = ReportData(resource_name=settings.resource_name, interval_period=period, intervals=intervals)
    return Report(
        programID=event.program_id,
        eventID=event.id or "",
        clientName=settings.ven_name,
        report_name=f"{settings.resource_name}-{start_ms}",
        payload_descriptors=[_descriptor(kind) for kind in kinds],
        resources=[data],
    )


def _descriptor(kind: str) -> ReportPayloadDescriptor:
    if kind == "OPERATING_STATE":
        return ReportPayloadDescriptor(payload_type=kind)
    return ReportPayloadDescriptor(payload_type=kind, reading_type="MEAN", units="KW")

"""`gridhall energy targets`: what each feed may draw, from when until when."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridhall.cli import say
from gridhall.units import MINUTE_MS, SECOND_MS, iso_utc

if TYPE_CHECKING:
    from gridhall.client import Client
    from gridhall.energy.targets import LoadTarget
    from gridhall.server.objects.feed import Feed

app = typer.Typer(help="The energy desk: load targets of feeds.", no_args_is_help=True)
targets = typer.Typer(help="Load targets: list, set, clear.", no_args_is_help=True)
app.add_typer(targets, name="targets")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FeedName = Annotated[str, typer.Argument(metavar="FEED", help="SITE:TAG, or the tag alone.")]
POWER = re.compile(r"([0-9]+(?:\.[0-9]+)?)(W|kW|MW)")
SPAN = re.compile(r"([0-9]+)(s|m|h)")
UNIT_MS = {"s": SECOND_MS, "m": MINUTE_MS, "h": 60 * MINUTE_MS}


@targets.command("list")
def list_(
    feed: Annotated[str | None, typer.Option(help="Only of this feed.")] = None,
    as_json: Json = False,
) -> None:
    """List the feeds with what each may draw now, and the targets from now on."""
    from gridhall.client import Client

    with Client() as client:
        feeds = [each for each in client.targets.feeds() if feed in (None, each.metadata.id, each.metadata.name)]
        found = list(client.targets.list(feed=feed))
    if as_json:
        say.as_json({"feeds": [_json(each) for each in feeds], "targets": [_json(each) for each in found]})
        return
    heads = ("feed", "kW now", "may draw kW", "least", "default", "most", "changes")
    say.as_table(heads, [_feed_line(each) for each in feeds], "lrrrrrl")
    if found:
        print()
        _print_targets(found)


@targets.command("set")
def set_(
    feed: FeedName,
    value: Annotated[str, typer.Argument(help="The most that it may draw at its meter: 750kW, 1.2MW.")],
    start: Annotated[str, typer.Option("--from", help="Time it begins: 2026-06-03T17:00:00Z, or 30m from now.")] = "",
    end: Annotated[str, typer.Option("--until", help="Time it ends, or 2h after it began; without it, open.")] = "",
    firm: Annotated[bool, typer.Option("--firm", help="A promise: only its own --id changes it.")] = False,
    id: Annotated[str, typer.Option("--id", help="Correlation id.")] = "",
    as_json: Json = False,
) -> None:
    """Set a load target; gangs that may be paused are paused for it."""
    found = POWER.fullmatch(value)
    if found is None:
        raise _wrong("VALUE", value, "no power", "write it as 750kW or 1.2MW")
    constraint = {"value": float(found[1]), "unit": found[2]}
    _send(feed, constraint, start, end, as_json, strategy="firm" if firm else "best_effort", correlation_id=id)


@targets.command("clear")
def clear(
    feed: FeedName,
    id: Annotated[str, typer.Option("--id", help="Correlation id of a firm target that is withdrawn.")] = "",
    as_json: Json = False,
) -> None:
    """Return a feed to its default from now on; what was to come is dropped too."""
    _send(feed, None, "", "", as_json, correlation_id=id)


def _send(feed: str, constraint: dict[str, Any] | None, start: str, end: str, as_json: bool, **more: Any) -> None:
    from gridhall.client import Client
    from gridhall.energy.targets import LoadTarget
    from gridhall.energy.targets.models import moment

    with Client() as client:
        now_ms = _now_ms(client)
        start_ms = _time_ms("--from", start, now_ms) if start else now_ms
        end_time = moment(_time_ms("--until", end, start_ms)) if end else None
        if end_time is not None and end_time <= moment(start_ms):
            raise _wrong("--until", end, "not after the target begins", "give a later time")
        interval = {"start_time": moment(start_ms), "end_time": end_time}
        body = {"interval": interval, "load_constraint": constraint, "feed_tags": (feed,), **more}
        schedule = client.targets.set(LoadTarget.model_validate(body))
    if as_json:
        say.as_json([_json(each) for each in schedule])
    elif schedule:
        _print_targets(schedule)
    else:
        say.status(f"{feed} has no target from now on")


def _now_ms(client: "Client") -> int:
    """The server's time: a twin's runs ahead of ours."""
    return next((each.status.time_ms for each in client.targets.feeds()), 0)


def _time_ms(option: str, text: str, begin_ms: int) -> int:
    """A time as it was written, or a span such as 90m after another time. Raises InputError."""
    from datetime import datetime

    from gridhall.units import utc_ms

    span = SPAN.fullmatch(text)
    if span is not None:
        return begin_ms + int(span[1]) * UNIT_MS[span[2]]
    try:
        return utc_ms(datetime.fromisoformat(text))
    except ValueError as error:
        raise _wrong(option, text, "no time", "write it as 2026-06-03T17:00:00Z or 90m") from error


def _wrong(where: str, value: str, what: str, mend: str) -> Exception:
    from gridhall.errors import fault

    return fault(where, "", f"{value!r} is {what}", mend)


def _json(each: "Feed | LoadTarget") -> dict[str, Any]:
    return each.model_dump(mode="json")


def _feed_line(feed: "Feed") -> tuple[str, ...]:
    spec, status = feed.spec, feed.status
    watts = (status.draw_w, status.limit_w, status.minimum_w, spec.default_w, spec.maximum_w)
    changes = "" if status.until_ms is None else iso_utc(status.until_ms)
    return (feed.metadata.id, *(f"{each / 1000:,.1f}" for each in watts), changes)


def _print_targets(found: "Iterable[LoadTarget]") -> None:
    say.as_table(("feed", "at most kW", "from", "until", "strategy", "id"), [_line(each) for each in found], "lr")


def _line(target: "LoadTarget") -> tuple[str, ...]:
    interval, constraint = target.interval, target.load_constraint
    watts = constraint.watts if constraint is not None else 0
    until = "further notice" if interval.end_ms is None else iso_utc(interval.end_ms)
    return (
        ", ".join(target.feed_tags),
        f"{watts / 1000:,.1f}",
        iso_utc(interval.start_ms),
        until,
        target.strategy.replace("_", " "),
        target.correlation_id,
    )

"""The rate file: one price at every moment, and a clear word where there is none or there are two."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gridhall.errors import InputError
from gridhall.money.rates import load_rates
from tests.money.samples import at, book, price

NIGHT = {"name": "night", "from": "00:00", "to": "06:00", "price_per_gpu_hour": 1}


def prices_of(start: str, end: str, **changes: Any) -> list[tuple[int, int, str]]:
    """Hours from the start, micro-units and name of each piece of a span."""
    pieces = book(price(**changes)).pieces("h100", "on-demand", at(start), at(end))
    return [((each.start_ms - at(start)) // 60_000, each.price_micro, each.name.split("/")[-1]) for each in pieces]


def test_a_window_costs_otherwise_from_its_first_minute_to_its_last() -> None:
    assert prices_of("2026-03-02 22:00", "2026-03-03 08:00", windows=[NIGHT]) == [
        (0, 2_000_000, "2026-01-01"),
        (120, 1_000_000, "night"),
        (480, 2_000_000, "2026-01-01"),
    ]


def test_a_window_keeps_to_its_weekdays_and_zone() -> None:
    friday = NIGHT | {"days": ["fri"], "from": "20:00", "to": "24:00"}
    assert prices_of("2026-07-02 00:00", "2026-07-05 00:00", windows=[friday], zone="Europe/London") == [
        (0, 2_000_000, "2026-01-01"),
        (43 * 60, 1_000_000, "night"),  # 20:00 in London is 19:00 UTC in summer
        (47 * 60, 2_000_000, "2026-01-01"),
    ]


def test_the_night_of_a_clock_change_is_as_long_as_the_clocks_make_it() -> None:
    spring = prices_of("2026-03-28 12:00", "2026-03-29 12:00", windows=[NIGHT], zone="Europe/London")
    autumn = prices_of("2026-10-24 12:00", "2026-10-25 12:00", windows=[NIGHT], zone="Europe/London")
    assert spring[2][0] - spring[1][0] == 5 * 60
    assert autumn[2][0] - autumn[1][0] == 7 * 60


def test_a_time_that_the_clocks_leap_over_is_the_leap() -> None:
    short = NIGHT | {"from": "00:30", "to": "01:30"}
    after = {"name": "after", "from": "01:30", "to": "02:30", "price_per_gpu_hour": 3}
    found = prices_of("2026-03-29 00:00", "2026-03-29 03:00", windows=[short, after], zone="Europe/London")
    assert found == [
        (0, 2_000_000, "2026-01-01"),
        (30, 1_000_000, "night"),
        (60, 3_000_000, "after"),
        (90, 2_000_000, "2026-01-01"),
    ]


def test_one_price_follows_another() -> None:
    two = book(price(valid_to="2026-07-01"), price(valid_from="2026-07-01", price_per_gpu_hour="1.5"))
    pieces = list(two.pieces("h100", "on-demand", at("2026-06-30 23:00"), at("2026-07-01 01:00")))
    assert [(each.end_ms - each.start_ms, each.price_micro) for each in pieces] == [
        (3_600_000, 2_000_000),
        (3_600_000, 1_500_000),
    ]


def test_times_without_a_price_are_named() -> None:
    with pytest.raises(InputError, match=r"no price for h100 in tier spot at 2026-07-01T00:00:00Z"):
        list(book().pieces("h100", "spot", at("2026-07-01"), at("2026-07-02")))
    with pytest.raises(InputError, match=r"no price for h100 in tier on-demand at 2025-12-31"):
        list(book().pieces("h100", "on-demand", at("2025-12-31"), at("2026-07-02")))
    with pytest.raises(InputError, match=r"no price for h100 in tier on-demand at 2026-02-01"):
        list(book(price(valid_to="2026-02-01")).pieces("h100", "on-demand", at("2026-01-31"), at("2026-07-02")))


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        (
            [price(valid_to="2026-07-01"), price(valid_from="2026-06-01")],
            "two prices for h100 in tier on-demand hold at",
        ),
        (
            [price(valid_to="2026-05-01"), price(valid_from="2026-06-01")],
            "no price for h100 in tier on-demand holds from",
        ),
        ([price(), price()], "two prices"),
        ([price(valid_to="2026-01-01")], "`valid_to` is not after `valid_from`"),
        ([price(zone="Europe/Lundon")], "is no time zone"),
        ([price(zone="../etc")], "is no time zone"),
        ([price(windows=[NIGHT, NIGHT | {"name": "again", "from": "05:00"}])], "'night' and 'again' overlap on mon"),
        ([price(windows=[NIGHT | {"from": "22:00", "to": "06:00"}])], "write a window over midnight as two"),
        ([price(windows=[NIGHT | {"to": "25:00"}])], "less than or equal to 1440"),
        ([price(windows=[NIGHT | {"to": "noon"}])], "is no time of day"),
        ([price(price_per_gpu_hour=-1)], "greater than or equal to 0"),
        ([price(price_per_gpu_hour="1.0000001")], "no more than 6 decimal places"),
        ([price(tier="a b")], "should match pattern"),
        ([price(sko="h100")], "Extra inputs"),
    ],
)
def test_a_bad_book_is_refused_with_its_reason(prices: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        book(*prices)
    assert said in str(caught.value)


HEADER = "rates: v1\ntitle: t\nissuer: i\ncurrency: EUR\nprices:\n"


def test_faults_of_a_file_name_the_field(tmp_path: Path) -> None:
    path = tmp_path / "rates.yaml"
    path.write_text(HEADER + "  - {sku: h100, tier: on-demand, valid_from: 2026-01-01, price_per_gpu_hour: cheap}\n")
    with pytest.raises(InputError, match=r"rates\.yaml: prices\.0\.price_per_gpu_hour: .*\(got 'cheap'\)"):
        load_rates(path)
    path.write_text("rates: [")
    with pytest.raises(InputError, match="give a readable YAML file"):
        load_rates(path)


def test_a_sku_that_no_site_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rates.yaml"
    path.write_text(HEADER + "  - {sku: h1000, tier: on-demand, valid_from: 2026-01-01, price_per_gpu_hour: 1}\n")
    assert load_rates(path).prices[0].sku == "h1000"
    with pytest.raises(InputError, match=r"prices\.0\.sku: there is no SKU 'h1000'"):
        load_rates(path, skus=["h100"])


def test_unquoted_times_are_times(tmp_path: Path) -> None:
    path = tmp_path / "rates.yaml"
    window = "{name: late, from: 22:00, to: 24:00, price_per_gpu_hour: 1}"
    path.write_text(
        HEADER + f"  - {{sku: h100, tier: t, valid_from: 2026-01-01, price_per_gpu_hour: 2.1, windows: [{window}]}}\n"
    )
    (rate,) = load_rates(path).prices
    assert (rate.windows[0].start, rate.windows[0].end) == (22 * 60, 24 * 60)

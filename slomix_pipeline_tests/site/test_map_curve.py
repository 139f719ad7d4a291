"""The curve of a map: points that fall and never rise, the same shares as a table, par where half have fallen."""

from collections.abc import Sequence

from slomix_pipeline.rules.par import Attack, holding_curve
from slomix_pipeline.site.pages.map_curve import HEIGHT, WIDTH, CurveShown, curve_shown
from slomix_pipeline.warehouse.map_cards import MapCurves


def curve_of(attacks: Sequence[Attack], limit_seconds: int | None, record: int | None = None) -> CurveShown:
    return curve_shown(MapCurves(holding_curve(attacks), None, None, None), limit_seconds, record)


def points_of(line: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, point.split(","))) for point in line.split()]


def test_the_curve_falls_from_everything_to_what_is_left() -> None:
    attacks = [*(Attack(60 * minute, True) for minute in range(1, 9)), Attack(600, False), Attack(600, False)]
    curve = curve_of(attacks, 600, 60)
    points = points_of(*curve.lines)
    assert [x for x, _ in points] == sorted(x for x, _ in points) and [y for _, y in points] == sorted(
        y for _, y in points
    )
    assert points[0] == (curve.left, curve.top) and points[-1][0] == curve.right
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert curve.minutes[0] == ("1:00", "90 %", "47–99 %") and curve.minutes[-1][:2] == ("10:00", "20 %")
    assert len(curve.band.split()) == 2 * len(points)
    assert curve.par_x == round(curve.left + (curve.right - curve.left) * 300 / 600, 1)
    assert curve.dot == points[2] and curve.record == "1:00"  # where the first defence falls


def test_first_and_second_attacks_that_differ_are_two_lines_without_a_band() -> None:
    first, second = [Attack(300, True)] * 10, [*[Attack(100, True)] * 5, *[Attack(200, False)] * 5]
    curves = MapCurves(holding_curve(first + second), holding_curve(first), holding_curve(second), None)
    shown = curve_shown(curves, 300, None)
    assert [len(points_of(line)) for line in shown.lines] == [4, 4] and shown.band == ""
    assert shown.columns == ("First attacks", "Second attacks")
    assert shown.minutes[1] == ("2:00", "100 %", "50 %") and shown.minutes[-1] == ("5:00", "0 %", "–")


def test_a_map_that_always_holds_has_a_flat_curve_and_no_par() -> None:
    curve = curve_of([Attack(720, False)] * 10, 720)
    assert curve.par_x is None and {share for _, share, _ in curve.minutes} == {"100 %"}
    assert curve_of([Attack(100, False)] * 10, None).minutes == (("1:00", "100 %", "–"),)


def test_the_curve_ends_where_the_longest_attack_did_though_the_limit_is_later() -> None:
    curve = curve_of([Attack(100, True), Attack(300, False)], 600)
    assert points_of(*curve.lines)[-1][0] == curve.left + (curve.right - curve.left) / 2
    assert [time for time, *_ in curve.minutes] == ["1:00", "2:00", "3:00", "4:00", "5:00"]
    assert curve.across[-1].label == "10:00"

"""The curve of a map: points that fall and never rise, the same shares as a table, par where half have fallen."""

from slomix_pipeline.rules.par import Attack, holding
from slomix_pipeline.site.pages.map_curve import HEIGHT, WIDTH, curve_of


def test_the_curve_falls_from_everything_to_what_is_left() -> None:
    attacks = [*(Attack(60 * minute, True) for minute in range(1, 9)), Attack(600, False), Attack(600, False)]
    curve = curve_of(holding(attacks), len(attacks), 600, 600)
    points = [tuple(map(float, point.split(","))) for point in curve.points.split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points) and [y for _, y in points] == sorted(
        y for _, y in points
    )
    assert points[0] == (curve.left, curve.top) and points[-1][0] == curve.right
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert curve.minutes[0] == ("1:00", "90 %", "47–99 %") and curve.minutes[-1][:2] == ("10:00", "20 %")
    assert len(curve.band.split()) == 2 * len(points)
    assert curve.par_x == round(curve.left + (curve.right - curve.left) * 300 / 600, 1)


def test_a_map_that_always_holds_has_a_flat_curve_and_no_par() -> None:
    curve = curve_of([], 10, 720, 720)
    assert curve.par_x is None and {share for _, share, _ in curve.minutes} == {"100 %"}
    assert curve_of([], 10, None, 100).minutes == (("1:00", "100 %", "–"),)


def test_the_curve_ends_where_the_longest_attack_did_though_the_limit_is_later() -> None:
    curve = curve_of(holding([Attack(100, True), Attack(300, False)]), 2, 600, 300)
    assert float(curve.points.split()[-1].split(",")[0]) == curve.left + (curve.right - curve.left) / 2
    assert [time for time, *_ in curve.minutes] == ["1:00", "2:00", "3:00", "4:00", "5:00"]
    assert curve.across[-1].label == "10:00"

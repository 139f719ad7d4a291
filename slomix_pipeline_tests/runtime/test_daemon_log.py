"""The daemon's log: what is new stays, looks that found nothing don't fill it."""

import logging

from slomix_pipeline.runtime.daemon import OnlyNews


def test_the_log_has_once_why_a_sensor_did_nothing_and_all_that_it_did() -> None:
    said = [
        "Checking for new runs for sensor: a",
        "Sensor a skipped: nothing",
        "Sensor b skipped: nothing",
        "Checking for new runs for sensor: a",
        "Sensor a skipped: nothing",
        "Launching run for a",
        "Launching run for a",
        "Sensor a skipped: 5 wait",
        "Sensor a skipped: nothing",
    ]
    only_news = OnlyNews()
    heard = [line for line in said if only_news.filter(logging.makeLogRecord({"msg": line}))]
    assert heard == [
        "Sensor a skipped: nothing",
        "Sensor b skipped: nothing",
        "Launching run for a",
        "Launching run for a",
        "Sensor a skipped: 5 wait",
        "Sensor a skipped: nothing",
    ]

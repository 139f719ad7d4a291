"""Everything that makes a round stale: each cause has a name and is one query.

Belongs here: the causes and what each of them asks of the database. Every query gives ``round_key`` and ``inputs_at``,
since when; those of ``BY_INPUT`` also ``input_key``: of the timing record, the endstats file or the decided round that
makes it stale. Does not belong here: asking all of them (``rework``), when that is done (``sensors.rework``).

They are asked every few seconds over all of history, mostly for nothing. So a query starts from what is rare, by an
index of its own (``sql/018_rework.sql``). What a timing record brings, for which people wait, starts from those that
were stored lately (``stored_since``). Those that can't start from anything rare are ``COMPARING``.
"""

from collections.abc import Collection
from enum import StrEnum


class Cause(StrEnum):  # in words: docs/operations.md
    """Why a round has to be worked out again; in the order in which a run says its causes."""

    INCOMPLETE = "incomplete"
    PARSED_SINCE = "parsed since"
    NOT_SCORED = "not scored since"
    FILE_REPLACED = "file replaced"
    RUN_ENDED_EARLY = "run ended early"
    OTHER_RULES = "other rules"
    RECORD_LATE = "record late"
    RECORD_REPLACED = "record replaced"
    RECORD_TAKEN = "record taken"
    RECORD_NOT_USED = "record not used for its place"
    RECORD_UNREADABLE = "record unreadable"
    RECORD_UNEXPLAINED = "record unexplained"
    HOUR_TOLD = "repeated hour told"
    ENDSTATS_LATE = "endstats late"
    WITNESS_LATE = "witness late"
    DECISION = "decision"
    TEAMS_RENAMED = "teams renamed"
    NOT_COMPARED = "not compared with what was told"


def said(causes: Collection[Cause]) -> str:
    """Causes as a run's tag has them."""
    return ", ".join(cause for cause in Cause if cause in causes)


BY_INPUT = frozenset(
    {
        Cause.RECORD_LATE,
        Cause.RECORD_REPLACED,
        Cause.RECORD_UNREADABLE,
        Cause.RECORD_UNEXPLAINED,
        Cause.HOUR_TOLD,
        Cause.ENDSTATS_LATE,
        Cause.WITNESS_LATE,
        Cause.DECISION,
    }
)
"""The causes that are a file's or a decision's: who brings one of these can ask for the rounds that it concerns."""

COMPARING = frozenset(
    {
        Cause.INCOMPLETE,
        Cause.PARSED_SINCE,
        Cause.NOT_SCORED,
        Cause.FILE_REPLACED,
        Cause.RECORD_NOT_USED,
        Cause.RECORD_UNEXPLAINED,
        Cause.TEAMS_RENAMED,
    }
)
"""The causes that hold whole tables against each other, and for which nobody waits."""

QUERIES: dict[Cause, str] = {
    # It was parsed, and something that is made of it is missing.
    Cause.INCOMPLETE: """
        select p.round_key, p.parsed_at as inputs_at
        from parsed_round p
        left join round r using (round_key)
        left join round_timing t using (round_key)
        left join session_round s using (round_key)
        left join match m using (match_key)
        where r.round_key is null or t.round_key is null or s.round_key is null or m.match_key is null""",
    # It was parsed (again) after its results were made.
    Cause.PARSED_SINCE: """
        select p.round_key, p.parsed_at as inputs_at
        from parsed_round p
        join round r using (round_key)
        where r.rules_at < p.parsed_at""",
    # It was worked out after its session was scored, as by a run of that stage alone: what is kept of its players for
    # boards is older than it.
    Cause.NOT_SCORED: """
        select round_key, worked.at as inputs_at
        from session s
        join session_round sr using (session_key)
        join round r using (round_key)
        left join round_timing t using (round_key)
        cross join lateral (select greatest(r.rules_at, t.timed_at) as at) worked
        where coalesce(s.scored_at, '-infinity') < s.worked_at   -- mostly none, by an index
          and worked.at > s.scored_at""",
    # Its file has other bytes than were parsed.
    Cause.FILE_REPLACED: """
        select p.round_key, f.finished_at as inputs_at
        from parsed_round p
        join file f using (server, name)
        where f.kind = 'stats' and f.status = 'ingested' and f.sha256 <> p.sha256""",
    # A run of it ended half-way: something that is made of it may be older than it is.
    Cause.RUN_ENDED_EARLY: """
        select p.round_key, u.since as inputs_at
        from unfinished u
        join parsed_round p on p.round_key = u.partition_key
        join file f using (server, name)
        where u.stage <> 'session_post' and f.status = 'ingested'""",
    # It was worked out by other rules, or other settings that they take.
    Cause.OTHER_RULES: """
        select r.round_key, r.rules_at as inputs_at
        from round r
        where r.rules < %(rules)s or r.rules > %(rules)s or r.rules is null""",
    # A timing record near its end came after it was timed, or while it was, and was not seen then. No round has it so
    # far; whatever number it names: which one a round has is decided with all of them in view.
    Cause.RECORD_LATE: """
        select t.round_key, w.record_key as input_key, w.stored_at as inputs_at
        from timing_record w
        join parsed_round p on p.server = w.server
             and p.stamp between w.ended_at - %(window)s and w.ended_at + %(window)s
        join round_timing t on t.round_key = p.round_key
        where w.stored_at > %(stored_since)s
          and map_key(p.map) = map_key(w.map) and w.stored_at > t.timed_at - interval '10 seconds'
          and not exists (select from round_timing own where own.record_key = w.record_key)""",
    # The timing record that it has, or is shown with, was replaced: wherever the new version belongs.
    Cause.RECORD_REPLACED: """
        select t.round_key, w.record_key as input_key, w.stored_at as inputs_at
        from round_timing t
        join timing_record w using (record_key)
        where w.stored_at > %(stored_since)s and w.stored_at > t.timed_at
        union all
        select t.round_key, w.record_key, w.stored_at
        from round_timing t
        join timing_record w on w.record_key = t.candidate_key
        where w.stored_at > %(stored_since)s and w.stored_at > t.timed_at""",
    # Another round has its timing record now.
    Cause.RECORD_TAKEN: """
        select t.round_key, p.parsed_at as inputs_at
        from round_timing t
        join parsed_round p using (round_key)
        where t.timed_at = 'epoch'""",
    # It was placed with another timing record than it is timed with.
    Cause.RECORD_NOT_USED: """
        select r.round_key, t.timed_at as inputs_at
        from round r
        join round_timing t using (round_key)
        where r.placed_with is distinct from t.record_key""",
    # A timing file turned out to be unreadable, and it may be that of the round, which has none: it says so.
    Cause.RECORD_UNREADABLE: """
        select near.round_key, f.partition_key as input_key, f.finished_at as inputs_at
        from file f
        cross join lateral (
            select p.round_key
            from parsed_round p
            where p.server = f.server
              and p.stamp between f.named_end - %(window)s and f.named_end + %(window)s
            offset 0
        ) near
        join round_timing t on t.round_key = near.round_key
        where f.kind = 'timing' and f.status = 'quarantined' and t.record_key is null and f.finished_at > t.timed_at""",
    # Of a timing record nobody said yet why no round has it: the session of the nearest round will.
    Cause.RECORD_UNEXPLAINED: """
        select nearest.round_key, w.record_key as input_key, w.stored_at as inputs_at
        from timing_record w
        cross join lateral (
            select p.round_key
            from parsed_round p
            join file f using (server, name)
            where p.server = w.server and f.status <> 'quarantined'
              and p.stamp between w.ended_at - %(candidates)s and w.ended_at + %(candidates)s
            order by abs(extract(epoch from p.stamp - w.ended_at)), p.round_key limit 1
        ) nearest
        where w.unlinked_reason is null and w.stored_at < now() - %(patience)s
          and not exists (select from round_timing own where own.record_key = w.record_key)""",
    # In the hour that a clock change repeats, a timing record came that tells which of the two it was; or it was told,
    # perhaps by that of another play, and a record came that speaks for the other moment and that no round has.
    Cause.HOUR_TOLD: """
        select p.round_key, w.record_key as input_key, w.stored_at as inputs_at
        from parsed_round p
        join timing_record w on w.server = p.server
             and w.ended_at between p.stamp - %(witness)s and p.stamp + clock_change() + %(witness)s
        where p.stamp_ambiguous and w.stored_at > p.parsed_at
          and map_key(w.map) = map_key(p.map) and (w.aborted or w.label = p.label)
        union all
        select p.round_key, w.record_key, w.stored_at
        from timing_record w
        cross join (values (clock_change()), (-clock_change())) as other (away)
        join parsed_round p on p.server = w.server
             and p.stamp between w.ended_at - other.away - %(witness)s and w.ended_at - other.away + %(witness)s
        join file f on f.server = p.server and f.name = p.name
        where w.stored_at > %(stored_since)s
          and not p.stamp_ambiguous and w.stored_at > p.parsed_at
          and map_key(w.map) = map_key(p.map) and (w.aborted or w.label = p.label)
          and (p.stamp + other.away) at time zone coalesce(f.timezone, %(zones)s ->> f.server, %(zone)s) = p.stamp_local
          and not exists (select from round_timing own where own.record_key = w.record_key)""",
    # An endstats file that may be its own waits to be read.
    Cause.ENDSTATS_LATE: "select round_key, file_key as input_key, first_seen_at as inputs_at from unread_endstats",
    # It counts as replaced, and an endstats file came that may tell that its round 2 was played.
    Cause.WITNESS_LATE: "select round_key, file_key as input_key, first_seen_at as inputs_at from late_witness",
    # A person decided something of it, or took it back. A boundary has two sessions: the round before is concerned too.
    Cause.DECISION: """
        select r.round_key, o.round_key as input_key, greatest(o.made_at, o.revoked_at) as inputs_at
        from override o
        join parsed_round p using (round_key)
        cross join lateral (
            select p.round_key
            union all
            (select before.round_key
             from parsed_round before
             where o.kind = 'session' and before.server = p.server
               and (before.stamp, before.round_key) < (p.stamp, p.round_key)
             order by before.stamp desc, before.round_key desc limit 1)
        ) concerned
        join round r on r.round_key = concerned.round_key
        where greatest(o.made_at, o.revoked_at) > r.rules_at""",
    # Known teams were named or forgotten since its session's were named: its first round will do that.
    Cause.TEAMS_RENAMED: "select round_key, rules_at as inputs_at from session_to_rename",
    # What was told of its session was not compared with the newest results: the run that made them ended early.
    Cause.NOT_COMPARED: """
        select first.round_key, s.scored_at as inputs_at
        from session s
        join session_round first on first.session_key = s.session_key and first.position = 1
        where s.told_of is distinct from s.scored_at
          and coalesce(%(tells)s -> s.server, %(tells)s -> '')::boolean
          and exists (select from session_round told join post on partition_key = told.round_key
                      where told.session_key = s.session_key and state in ('sent', 'told'))""",
}

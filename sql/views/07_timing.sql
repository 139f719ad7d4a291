-- What the stopwatch showed against what was really played, per round and per player. Nothing is decided here.

create view round_timing_comparison as
select t.round_key, p.map, r.number, p.stamp, t.timing_status,
       p.attack_time_text as stopwatch, p.attack_seconds as stopwatch_seconds,
       record.duration_seconds as record_seconds,
       abs(p.attack_seconds - record.duration_seconds) as difference_seconds,
       record.duration_seconds / nullif(p.attack_seconds, 0) as correction,
       t.duration_seconds, t.duration_source, t.surrender_side,
       record.pause_seconds, record.pause_count, record.script_version,
       coalesce(record.exit_print, record.end_reason) as end_reason,
       t.record_key, t.candidate_key, t.link_class, t.link_reason
from round_timing t
join round r using (round_key)
join parsed_round p using (round_key)
left join timing_record record using (record_key);

comment on view round_timing_comparison is
'One row per round: the stopwatch as its file has it (a limit too), the linked record, how far they are apart, and the length that counts.';

create view player_timing_comparison as
select m.round_key, m.guid, m.name, m.side, m.damage_given, m.seconds_played,
       metric_dpm(m.damage_given, c.stopwatch_seconds) as stopwatch_dpm,
       m.dpm
from round_player_metric m
join round_timing_comparison c using (round_key);

comment on view player_timing_comparison is
'One row per player and round: damage per minute of the stopwatch, as it would be without the true time, and per minute he was there. His minutes are from the file and never scaled.';

-- What there is to tell, what of it is not told yet, and what somebody has to look at.

create view news as
select told.kind || ':' || told.partition_key as thing, told.*
from (
    select case m.status when 'complete' then 'result' else 'round1' end as kind,
           case m.status when 'complete' then m.r2_key else m.r1_key end as partition_key, m.session_key,
           array_remove(array[m.r1_key, m.r2_key], null) as rounds, arrived.by_sensor, arrived.ended_at
    from match m
    cross join lateral (
        select (array_agg(f.by_sensor order by f.arrived_at desc nulls first, p.stamp desc))[1] as by_sensor,
               max(p.stamp) filter (where f.by_sensor) as ended_at
        from parsed_round p
        join file f using (server, name)
        where p.round_key in (m.r1_key, m.r2_key)
    ) arrived
    where m.status = 'complete' or (m.status = 'r1_only' and m.winner is null)
    union all
    select 'session', s.session_key, s.session_key, array_agg(s.round_key), bool_or(f.by_sensor),
           max(p.stamp) filter (where f.by_sensor)
    from session_round s
    join parsed_round p using (round_key)
    join file f using (server, name)
    where exists (select from match m where m.session_key = s.session_key and m.winner is not null)
    group by s.session_key
) told;
comment on view news is
'What matches and sessions give to tell, as they stand now: a complete match its result, half a match its round 1, a session with a result its summary. by_sensor: the file that completed it came by a sensor, in a session any file did; ended_at: of the latest such round.';

create view undelivered as
select d.thing, d.kind, d.partition_key, d.part, p.state, coalesce(d.held, p.error) as error, coalesce(p.claimed_at, d.noted_at) as since, d.due_until, d.attempts,
       d.asked_at,
       -- The first seconds may be a hiccup; an outage takes long.
       coalesce(d.asked_at + least(interval '10 seconds' * power(2, least(d.attempts, 10)), interval '10 minutes'),
                '-infinity') as ask_again_at
from due d
left join post p using (thing)
where (p.thing is null or p.state in ('failed', 'refused')
       or (p.state = 'sent' and p.payload_sha256 is null and p.stands_since is null))
  -- Nobody needs to hear of a timing that is right by now.
  and (d.kind <> 'timing' or p.state = 'sent'
       or exists (select from round_timing t where t.round_key = d.partition_key and t.timing_status <> 'ALIGNED'));
comment on view undelivered is
'What was due and surely did not arrive: never tried (state null), failed, refused, or sent and shown to be wrong by an edit that did not get through and still can.';

create view refused_message as
select thing, kind, error, claimed_at as since from post
where state = 'refused' and payload_sha256 is null and kind not in ('alarm', 'report');
comment on view refused_message is
'Messages that their webhook refused, whatever they say: it is deleted, wrong, or without rights. But for those to the channel that is told of it.';

create view message_trouble as
select found.*, coalesce(s.session_key, merged.session_key, found.partition_key) as session_key
from (
    select thing, kind, partition_key, 'in_doubt' as trouble,
           coalesce(error, 'its sender did not come back') as detail, claimed_at as since
    from post
    where state = 'in_doubt' or (state = 'claimed' and claimed_at < now() - interval '2 minutes')
    union all
    select thing, kind, partition_key, 'stands', error, stands_since from post where stands_since is not null
    union all
    select thing, kind, partition_key,
           case when state = 'sent' then 'uncorrected' when due_until <= now() then 'missed'
                else coalesce(state, 'waits') end,
           coalesce(error, 'its run ended before it came to the message'), since
    from undelivered
    where due_until <= now() or state is not null or attempts > 1
    union all
    -- Nobody compares it as long as no webhook is set.
    select p.thing, p.kind, p.partition_key, 'uncompared',
           'the results were made anew, and nobody compared it with them so far', s.scored_at
    from session s
    join session_round sr using (session_key)
    join post p on p.partition_key = sr.round_key and p.state in ('sent', 'told') and p.kind <> 'timing'
    where s.told_of is distinct from s.scored_at and s.scored_at < now() - interval '15 minutes'
      and p.stands_since is null and p.payload_sha256 is not null
    union all
    select p.thing, p.kind, p.partition_key, 'uncompared', 'the report was made anew, and nobody compared it with that so far',
           r.reported_at
    from session_report r
    join post p on p.kind = 'session' and p.partition_key = r.session_key and p.state in ('sent', 'told')
    where r.told_fingerprint is distinct from r.fingerprint and r.reported_at < now() - interval '15 minutes'
      and p.stands_since is null and p.payload_sha256 is not null
) found
left join session_round s on s.round_key = found.partition_key
left join lateral (   -- the session that has the first round of one that was merged away
    select x.session_key
    from parsed_round p join session_round x using (round_key)
    where found.kind = 'session'
      and p.session_if_first = found.partition_key
    limit 1
) merged on true;
comment on view message_trouble is
'Messages somebody has to look at. trouble: in_doubt (may be there), stands (is wrong and can''t be edited), uncorrected (an edit failed), missed (never told, too old now), failed and refused (surely not there, tried again), waits (its run keeps ending early, or Discord takes nothing), uncompared (told, and its results were made anew). session_key: of the session it belongs to now, the partition''s key when there is none.';

-- By number, so that what changed before a session is found without a look at it.
create view session_past as
select session_key, worked_at, awarded_at,
       coalesce(sum(hashtextextended(concat_ws(' ', session_key, extract(epoch from worked_at)), 0)) over before, 0) as past
from session
window before as (order by started_at, session_key rows between unbounded preceding and 1 preceding);
comment on view session_past is
'When sessions and their endstats were worked out last, and a number that is another one as soon as an earlier session is there, gone or worked out again: then what was reached for the first time may be, too.';

create view session_news_state as
select session_key, s.ended_at,
       concat_ws(' ', extract(epoch from greatest(s.scored_at, s.awarded_at)), p.past, decided.so_often) as made_of
from session s
join session_past p using (session_key)
cross join (select count(*) + count(revoked_at) as so_often from identity_decision) decided
where s.scored_at is not null;
comment on view session_news_state is
'Of what the news of a session are, in one word: of it and its endstats, of all sessions before it, and of who is who.';

-- What was told of a result, and what turned out otherwise later.

create table published_result (
    thing   text primary key references post,
    facts   jsonb not null,
    told_at timestamptz not null default now()
);

create table correction (
    id       bigint generated always as identity primary key,
    thing    text not null references post,
    before   jsonb not null,
    after    jsonb not null,
    notice   text not null,      -- one line for the public
    cause    text not null,
    found_at timestamptz not null default now()
);

create index correction_thing on correction (thing);

-- What was told so far, as far as it is known: the results that stand.
insert into published_result (thing, facts, told_at)
select p.thing,
       jsonb_build_object(
           'winner', m.winner, 'policy', m.policy,
           'times', (select coalesce(jsonb_agg(case when h.winner_side not in (1, 2) or h.defender_side not in (1, 2)
                                                         then '?'
                                                    when h.winner_side <> h.defender_side then h.attack_time_text
                                                    else 'held' end order by h.stamp), '[]')
                     from parsed_round h where h.round_key in (m.r1_key, m.r2_key)),
           'team_a', (select coalesce(jsonb_agg(distinct x.guid order by x.guid), '[]')
                      from round_player x join session_player sp using (guid)
                      where x.round_key in (m.r1_key, m.r2_key) and sp.session_key = m.session_key and sp.team = 'A'),
           'team_b', (select coalesce(jsonb_agg(distinct x.guid order by x.guid), '[]')
                      from round_player x join session_player sp using (guid)
                      where x.round_key in (m.r1_key, m.r2_key) and sp.session_key = m.session_key and sp.team = 'B')),
       coalesce(p.edited_at, p.sent_at, p.claimed_at)
from post p
join match m on p.thing = 'result:' || m.r2_key
where p.state in ('sent', 'in_doubt');

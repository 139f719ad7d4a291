-- People may decide that a half that was played as a round 1 was the round 2 of another round 1: round_key is the half,
-- value the key of its round 1.

alter table override
    drop constraint override_kind_check,
    add constraint override_kind_check check (kind in ('team', 'winner', 'round', 'session', 'pair')),
    drop constraint override_check2,
    add constraint override_value_check
        check (case kind when 'team' then value in ('A', 'B', 'open')
                         when 'winner' then value in ('A', 'B', 'draw', 'not counted')
                         when 'round' then value in ('counts', 'does not count')
                         when 'pair' then value <> round_key
                         else value in ('cut', 'join') end);

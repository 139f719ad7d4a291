-- What a person decided otherwise than the rules: who, when, why. Never deleted: taken back with who, when and why too.

create table override (
    id             bigint generated always as identity primary key,
    kind           text not null check (kind in ('team', 'winner', 'round', 'session')),
    server         text not null,
    round_key      text not null,     -- the round it is about, or one of the match or session it is about
    guid           text,              -- of the player, where it is about one
    value          text not null,
    roster         text[],            -- who the team of the value was: A and B change when sessions merge
    reason         text not null check (btrim(reason) <> ''),
    made_by        text not null check (btrim(made_by) <> ''),
    made_at        timestamptz not null default now(),
    revoked_by     text,
    revoked_reason text,
    revoked_at     timestamptz,
    check ((kind = 'team') = (guid is not null)),
    check (value in ('A', 'B') or roster is null),
    check (case kind when 'team' then value in ('A', 'B', 'open')
                     when 'winner' then value in ('A', 'B', 'draw', 'not counted')
                     when 'round' then value in ('counts', 'does not count')
                     else value in ('cut', 'join') end),
    check ((revoked_at is null) = (revoked_by is null) and (revoked_at is null) = (revoked_reason is null))
);

-- One decision in force per thing.
create unique index override_in_force on override (kind, round_key, coalesce(guid, '')) where revoked_at is null;
create index override_round on override (round_key);

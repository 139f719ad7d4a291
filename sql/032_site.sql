-- What pages show and can't be worked out while somebody waits for one: made in the background (receipts, cards), or
-- where it is made anyway (pictures).

-- What `slomix explain` says of a round; what it says of a player can be read from the tables.
create table site_receipt (
    round_key text primary key references round on delete cascade,
    document  jsonb not null,
    made_at   timestamptz not null default now()
);

-- What lists say of a session that is not in session_score.
create table site_card (
    session_key text primary key references session on delete cascade,
    grade       text not null,
    made_at     timestamptz not null default now()
);

-- Of which state of a session (scored_at, or awarded_at where that is later) its card and receipts are.
alter table session add column prepared_of timestamptz;
create index session_unprepared on session (session_key)
    where prepared_of is distinct from greatest(scored_at, awarded_at);

-- The pictures of sessions, in their order. Names are drawn in them: privacy is the number of decisions that may hide
-- somebody (and ends of them) that there had been.
create table site_picture (
    session_key text not null references session on delete cascade,
    position    integer not null,
    name        text not null,
    alt         text not null,
    svg         text not null,
    png         bytea,   -- of the first alone: the card, which other programs show beside a link
    privacy     bigint not null,
    scored_at   timestamptz,   -- of the session, as it was when they were drawn
    made_at     timestamptz not null default now(),
    primary key (session_key, name)
);

do $$
declare
    written text;
begin
    foreach written in array array['site_receipt', 'site_card', 'site_picture'] loop
        execute format('create trigger data_changes after insert or update or delete on %I
                        for each statement execute function data_changes()', written);
    end loop;
end $$;

-- What lists and the front page say of a session beside its score, and nobody should wait for: who was best, by GUID
-- (names are put to them where they are masked), and what fell or was reached in it.
alter table site_card add column best_a text[] not null default '{}', add column best_b text[] not null default '{}';
-- Of late alone: while a session waits to be prepared anew it has no receipts and no grade.
update session set prepared_of = null where prepared_of is not null and ended_at >= now() - interval '30 days';

-- When the newest session of each server ended is asked with every page, and which ended of late every half minute.
create index session_ended on session (server, ended_at);
create index session_ended_at on session (ended_at);
create index session_started on session (started_at, session_key);   -- lists are read from the newest on

create table site_news (
    session_key text primary key references session on delete cascade,
    made_of     text not null,    -- see the view session_news_state
    news        jsonb not null,   -- what, map, guids; no names
    made_at     timestamptz not null default now()
);
create trigger data_changes after insert or update or delete on site_news
    for each statement execute function data_changes();

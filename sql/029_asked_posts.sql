-- What people and schedules ask to be posted, before anybody tries to post it.

create table asked_post (
    key        text primary key,    -- of the asking, and of its message: the thing is asked:<key>
    what       text not null check (what in ('board', 'player', 'compare', 'records', 'map', 'on_this_day', 'digest')),
    arguments  jsonb not null,      -- names as they were resolved when it was asked: GUIDs, whole names of maps
    asked_at   timestamptz not null default now(),
    struck_out text                 -- why nothing is told of it any more
);

alter table post
    drop constraint post_kind_check,
    add constraint post_kind_check check (kind in ('round1', 'result', 'session', 'timing', 'alarm', 'asked'));
alter table due
    drop constraint due_kind_check,
    add constraint due_kind_check check (kind in ('round1', 'result', 'session', 'timing', 'alarm', 'asked'));

-- What whoever runs the server is told of: one message per cause, from when it came up until it is over.

create table alarm (
    id        bigint generated always as identity primary key,
    cause     text not null check (cause in ('quarantined', 'failed_checks', 'warning_checks', 'failed_runs',
                                             'refused_webhooks', 'messages', 'silent_sessions')),
    opened_at timestamptz not null,
    closed_at timestamptz,
    told_at   timestamptz,    -- when its message last said what was to be said
    said      text            -- the headline that it had then
);
create unique index alarm_open on alarm (cause) where closed_at is null;

alter table post
    drop constraint post_kind_check,
    add constraint post_kind_check check (kind in ('round1', 'result', 'session', 'timing', 'alarm'));
alter table due
    drop constraint due_kind_check,
    add constraint due_kind_check check (kind in ('round1', 'result', 'session', 'timing', 'alarm'));

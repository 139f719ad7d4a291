-- How the pipeline stands, told to whoever runs it once a day: a message of its own kind.

alter table post
    drop constraint post_kind_check,
    add constraint post_kind_check
        check (kind in ('round1', 'result', 'session', 'timing', 'alarm', 'asked', 'report'));
alter table due
    drop constraint due_kind_check,
    add constraint due_kind_check
        check (kind in ('round1', 'result', 'session', 'timing', 'alarm', 'asked', 'report'));

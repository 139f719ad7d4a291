-- What a message is about is said by columns, not by a part of its name.

alter table post add column kind text;
update post set kind = split_part(thing, ':', 1);
alter table post
    alter column kind set not null,
    add constraint post_kind_check check (kind in ('round1', 'result', 'session', 'timing')),
    add constraint post_thing_is_named_by_kind_and_key check (thing = kind || ':' || partition_key);

alter table due add column kind text;
update due set kind = split_part(thing, ':', 1);
alter table due
    alter column kind set not null,
    add constraint due_kind_check check (kind in ('round1', 'result', 'session', 'timing')),
    add constraint due_thing_is_named_by_kind_and_key check (thing = kind || ':' || partition_key);

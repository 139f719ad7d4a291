-- What does not fit into one message is told as several, in order; the first is what it was.
alter table post
    add column part integer not null default 1 check (part >= 1),
    add column deleted_at timestamptz,   -- when an edit found that somebody deleted it on Discord
    drop constraint post_thing_is_named_by_kind_and_key,
    add constraint post_thing_is_named_by_kind_key_and_part
        check (thing = kind || ':' || partition_key || case when part = 1 then '' else '#' || part end);

-- As map_key() has it: the matches on a map, while a message waits.
create index match_on_map on match (lower(btrim(map)));

create index post_claimed on post (thing) where state = 'claimed';
create index post_unreported on post (claimed_at) where unreported;
create index post_stands on post (thing) where stands_since is not null;

alter table due
    add column part integer not null default 1 check (part >= 1),
    drop constraint due_thing_is_named_by_kind_and_key,
    add constraint due_thing_is_named_by_kind_key_and_part
        check (thing = kind || ':' || partition_key || case when part = 1 then '' else '#' || part end);

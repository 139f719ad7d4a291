-- What a file's name says stands in columns, and so does the key of the session that a round may begin: no query takes a
-- name or a key apart any more. (A new type "using" what fills it writes a table once, many times faster than an update.)

alter table file
    add column named_stamp  timestamp,     -- the game server's wall clock at the end of the round
    add column named_end    timestamptz,   -- the same of a timing record whose name has the moment instead
    add column named_map    text,          -- as map_key() has it; of a timing record as its name may bear it
    add column named_number smallint;      -- of the round
comment on column file.named_stamp is 'What the name says, here and in named_end, named_map, named_number: null where it follows no known pattern.';

-- A name of an earlier version may have the month 13.
create function pg_temp.stamp_in(name text) returns timestamp language plpgsql immutable as $$
begin
    return make_timestamp(substr(name, 1, 4)::integer, substr(name, 6, 2)::integer, substr(name, 9, 2)::integer,
                          substr(name, 12, 2)::integer, substr(name, 14, 2)::integer, substr(name, 16, 2)::integer);
exception when data_exception then
    return null;
end $$;

alter table file
    alter column named_stamp type timestamp using
        case when name ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6}-[A-Za-z0-9_.+-]+-round-[12](|-endstats|_ws|-timing)[.]txt$'
             then pg_temp.stamp_in(name) end,
    alter column named_end type timestamptz using
        case when name like 'gametime-%'
             then to_timestamp(substring(name from '^gametime-[A-Za-z0-9_.+-]+-R[0-9]-([0-9]{9,10})[.]json$')::bigint) end,
    alter column named_map type text using
        lower(case when name like 'gametime-%' then regexp_replace(substr(name, 10), '-R[0-9]-[0-9]+[.]json$', '')
                   else regexp_replace(substr(name, 19), '-round-[12][a-z_-]*[.]txt$', '') end),
    alter column named_number type smallint using
        case when name like 'gametime-%' then substring(name from '-R([0-9])-[0-9]+[.]json$')
             else substring(name from '-round-([12])[a-z_-]*[.]txt$') end::smallint;

-- What follows no pattern says nothing.
update file set named_stamp = null, named_end = null, named_map = null, named_number = null
where (kind = 'unknown' or num_nonnulls(named_stamp, named_end) = 0)
  and num_nonnulls(named_stamp, named_end, named_map, named_number) > 0;

alter table file add constraint name_is_whole check (
    num_nonnulls(named_map, named_number) in (0, 2)
    and num_nonnulls(named_stamp, named_end) = num_nonnulls(named_map));
create index file_named_stamp on file (server, kind, named_stamp);

alter table parsed_round add column session_if_first text;
alter table parsed_round
    alter column session_if_first type text using server || ':' || to_char(stamp_local, 'YYYY-MM-DD-HH24MISS'),
    alter column session_if_first set not null;
comment on column parsed_round.session_if_first is 'The key that a session has which begins with this round.';
create index parsed_round_session_if_first on parsed_round (session_if_first);

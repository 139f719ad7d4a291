-- How new the data is that pages show. Whoever reads the version and the data in one snapshot knows that both belong
-- together: the version is raised by the transaction that changes the data, as the last that it does before it commits,
-- so the lock on its row is held for no longer than a commit takes. (A sequence moves before the commit, and the highest
-- number of a row misses whoever commits late: both leave old pages for ever.)

create table data_version (
    the_only_row   boolean primary key default true check (the_only_row),
    version        bigint not null default 1,
    changed_at     timestamptz not null default now(),
    salt           uuid not null default gen_random_uuid(),  -- of what stands for the GUID of who is hidden
    hidden_pattern text   -- what finds the names of who is hidden in a text; null: nobody is
);
insert into data_version default values;

-- Who is hidden just now: what stands for his GUID and for his name on pages. Derived from person_decided.
create table hidden_player (
    guid        text primary key,
    public_guid text not null unique,
    shown       text not null
);

-- Transactions that changed something and did not commit yet: empty, for everybody who looks.
create unlogged table data_change (
    transaction xid8 primary key,
    names       boolean not null default false   -- it may have changed who is hidden, or how he is called
);

create function data_changes() returns trigger language plpgsql as $$
begin
    insert into public.data_change values (pg_current_xact_id()) on conflict do nothing;
    return null;
end $$;

create function who_is_who_changes() returns trigger language plpgsql as $$
begin
    insert into public.data_change values (pg_current_xact_id(), true)
    on conflict (transaction) do update set names = true where not data_change.names;
    return null;
end $$;

-- Of rounds: whoever is hidden may have played under a name that he did not have so far.
create function names_change() returns trigger language plpgsql as $$
begin
    if exists (select from public.hidden_player) and exists (
        select from written join public.hidden_player using (guid)
    ) then
        insert into public.data_change values (pg_current_xact_id(), true)
        on conflict (transaction) do update set names = true where not data_change.names;
    end if;
    return null;
end $$;

create function hide_players() returns void language plpgsql as $$
begin
    delete from public.hidden_player;
    insert into public.hidden_player
    select guid, 'H' || upper(substr(md5(salt || guid), 1, 7)), hidden_as
    from public.person_decided, public.data_version where hidden_as is not null;
    -- A colour code may stand before a name, a letter or figure may not; the longest name is tried first.
    update public.data_version set hidden_pattern = (
        select '(?:(?<!\w)|(?<=\^\w))(?:'
               || string_agg(regexp_replace(name, '([^\w\s])', '\\\1', 'g'), '|' order by length(name) desc, name)
               || ')(?!\w)'
        from (select guid as name from public.hidden_player
              union select a.name from public.hidden_player h
                    cross join lateral (select name from public.alias where alias.guid = h.guid and name <> '') a
              union select d.name from public.hidden_player join public.identity_decision d using (guid)
              where d.kind = 'link' and d.name is not null) names);
end $$;

create function new_data_version() returns trigger language plpgsql as $$
declare
    names_changed boolean;
begin
    update public.data_version set version = version + 1, changed_at = clock_timestamp();
    delete from public.data_change where transaction = new.transaction returning names into names_changed;
    if names_changed then
        perform public.hide_players();
    end if;
    return null;
end $$;

create constraint trigger raise_data_version after insert on data_change
    deferrable initially deferred for each row execute function new_data_version();

do $$
declare
    written text;
begin
    foreach written in array array['parsed_round', 'timing_record', 'round', 'round_player', 'round_timing',
        'round_endstats', 'award', 'session', 'session_round', 'session_player', 'session_team', 'match', 'override',
        'correction', 'published_result', 'check_result']
    loop
        execute format('create trigger data_changes after insert or update or delete on %I
                        for each statement execute function data_changes()', written);
    end loop;
end $$;

create trigger who_is_who_changes after insert or update or delete on identity_decision
    for each statement execute function who_is_who_changes();
create trigger names_change after insert on round_player
    referencing new table as written for each statement execute function names_change();
create trigger names_change_later after update on round_player
    referencing new table as written for each statement execute function names_change();

-- A session shows which of its files can't be read; what else becomes of files is of no page's interest.
create trigger data_changes after insert on file
    for each row when (new.status = 'quarantined') execute function data_changes();
create trigger data_changes_later after update of status, reason on file
    for each row when ('quarantined' in (old.status, new.status)) execute function data_changes();

-- What site views show instead of what would name somebody who is hidden. Nobody is, mostly: then all of it costs next to
-- nothing. These functions read with the rights of their owner, as the views do.

create function site.shown_text(said text) returns text
    language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    pattern text := (select hidden_pattern from public.data_version);
    hidden record;
begin
    if pattern is null or said is null then
        return said;
    end if;
    for hidden in select * from public.hidden_player loop
        said := replace(said, hidden.guid, hidden.public_guid);
    end loop;
    return regexp_replace(said, pattern, 'a hidden player', 'gi');
end $$;

-- Of a name alone, which may have colour codes within.
create function site.shown_name(said text) returns text language sql stable as $$
    select case when site.shown_text(bare) = bare then said else site.shown_text(bare) end
    from (select regexp_replace(regexp_replace(said, '\^[^\s^\x01-\x1f\x7f]', '', 'g'),
                                '[\s\x01-\x1f\x7f]+', ' ', 'g') as bare) b
$$;

create function site.shown_texts(said text[]) returns text[] language sql stable as $$
    select array(select site.shown_text(one) from unnest(said) with ordinality as all_of_it (one, at) order by at)
$$;

create function site.public_guids(guids text[]) returns text[]
    language sql stable security definer set search_path = pg_catalog, public as $$
    select array(select coalesce(h.public_guid, g) from unnest(guids) with ordinality as a (g, at)
                 left join hidden_player h on h.guid = g order by at)
$$;

-- Of JSON whose words are ours and whose only names are GUIDs.
create function site.shown_guids(said jsonb) returns jsonb
    language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    text_of text := said::text;
    hidden record;
begin
    for hidden in select * from public.hidden_player loop
        text_of := replace(text_of, hidden.guid, hidden.public_guid);
    end loop;
    return text_of::jsonb;
end $$;

-- Of JSON that may hold names anywhere. Keys that are plain words are ours, and so are the words below some of
-- them: there "first" or "A" is not the name of who is hidden.
create function site.shown_json(said jsonb) returns jsonb
    language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
    if said is null or (select hidden_pattern is null from public.data_version) then
        return said;
    end if;
    return case jsonb_typeof(said)
        when 'string' then to_jsonb(site.shown_text(said #>> '{}'))
        when 'array' then (select coalesce(jsonb_agg(site.shown_json(one) order by at), '[]')
                           from jsonb_array_elements(said) with ordinality as all_of_it (one, at))
        when 'object' then (select coalesce(jsonb_object_agg(
                                case when key ~ '^[a-z0-9_ ]+$' then key else site.shown_text(key) end,
                                case
                                    when key in (
                                        'guid', 'schema', 'key', 'status', 'label', 'flags', 'map', 'config', 'team', 'side',
                                        'made', 'signs', 'winner', 'source', 'policy', 'defender', 'severity',
                                        'sha256', 'read_sha256', 'from', 'generation', 'line_ends', 'link_class',
                                        'pairing', 'duration', 'timing'
                                    ) then site.shown_guids(value)
                                    else site.shown_json(value) end), '{}') from jsonb_each(said))
        else said end;
end $$;

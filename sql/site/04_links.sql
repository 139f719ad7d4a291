-- Which player a Discord user is, for who already knows the user's id: nothing here can list the links.
create function site.linked_player(wanted text) returns text
    language sql stable security definer set search_path = pg_catalog, public as $$
    select coalesce(d.person_guid, l.guid)
    from public.identity_decision l left join public.person_decided d using (guid)
    where l.kind = 'link' and l.revoked_at is null and l.discord_id = wanted
      and not exists (select from public.hidden_player h where h.guid in (l.guid, d.person_guid))
$$;

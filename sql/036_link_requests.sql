-- Who asked on Discord to be linked to which player: until an admin confirms it with `slomix identity link`. Of each user
-- the latest wish stands. The role that writes here, slomix_link, has that one right, so it reads none of it.

create table link_request (
    discord_id text primary key check (discord_id ~ '^[0-9]{17,20}$'),
    called     text not null check (length(called) <= 64),    -- on Discord, as he asked
    guid       text not null check (length(guid) <= 32),
    asked_at   timestamptz not null default now()
);

create function link_request_anew() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    delete from public.link_request where discord_id = new.discord_id;
    return new;
end $$;

create trigger anew before insert on link_request for each row execute function link_request_anew();

-- Who is who, as people decided it: who, when, why. Never deleted: taken back with who, when and why too.

create table identity_decision (
    id             bigint generated always as identity primary key,
    kind           text not null check (kind in ('link', 'merge', 'reject', 'hide')),
    guid           text not null,
    other_guid     text,    -- merge: with which its careers count; reject: which it is not, the later one by alphabet
    discord_id     text check (discord_id ~ '^[0-9]{17,20}$'),       -- link: the user
    name           text check (length(name) between 2 and 32),       -- link: the chosen one, if any; hide: shown instead
    reason         text not null check (btrim(reason) <> ''),
    made_by        text not null check (btrim(made_by) <> ''),
    made_at        timestamptz not null default now(),
    revoked_by     text,
    revoked_reason text,
    revoked_at     timestamptz,
    check ((kind in ('merge', 'reject')) = (other_guid is not null)),
    check ((kind = 'link') = (discord_id is not null)),
    check (case kind when 'link' then true when 'hide' then name is not null else name is null end),
    check (other_guid <> guid and (kind <> 'reject' or guid < other_guid)),
    check ((revoked_at is null) = (revoked_by is null) and (revoked_at is null) = (revoked_reason is null))
);

-- In force is one link, one merge and one wish to be hidden per GUID, one GUID per Discord user, one word about a pair.
create unique index identity_of_guid on identity_decision (kind, guid) where revoked_at is null and kind <> 'reject';
create unique index identity_of_user on identity_decision (discord_id) where revoked_at is null;
create unique index identity_of_pair on identity_decision (guid, other_guid) where revoked_at is null and kind = 'reject';

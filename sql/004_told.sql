-- What was said, to whom, and what was found on the way.

-- At most one message per thing: a row is claimed before sending and holds the message's id.
create table post (
    thing          text primary key,    -- round1:<key of round 1>, result:<key of round 2>, session:<key>
    partition_key  text not null,       -- of the round or session it tells about
    state          text not null check (state in ('claimed', 'sent', 'failed', 'refused', 'in_doubt')),
    message_id     text,
    payload_sha256 text,
    error          text,
    claimed_at     timestamptz not null default now(),
    sent_at        timestamptz,
    edited_at      timestamptz,
    check ((state = 'sent') = (message_id is not null))
);

create table session_report (
    session_key text primary key,
    fingerprint text not null,     -- of the rounds and results it was made from
    reported_at timestamptz not null default now()
);

-- The latest outcome of every check, per round; also where a run of many rounds shows only one evaluation.
create table check_result (
    partition_key text not null,
    check_name    text not null,
    passed        boolean not null,
    severity      text not null check (severity in ('WARN', 'ERROR')),
    metadata      jsonb not null,
    checked_at    timestamptz not null default now(),
    primary key (partition_key, check_name)
);

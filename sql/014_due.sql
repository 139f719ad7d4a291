-- What is to be told is a fact before anybody tries to tell it; and a message knows who sent it.

create table due (
    thing         text primary key,                    -- as in post
    partition_key text not null,                       -- of the round or session whose run tells it
    due_until     timestamptz not null,                -- afterwards it is too old to be told, and reported instead
    noted_at      timestamptz not null default now(),
    attempts      integer not null default 0 check (attempts >= 0),   -- runs that were asked for it
    asked_at      timestamptz,
    held          text,                                -- why Discord was not called for it, when it was its turn last
    missed_at     timestamptz                          -- when it was reported as never told
);

create index due_partition_key on due (partition_key);

-- What did not arrive so far and still is as it was to be told. Of a refused message nobody knows what was refused.
update post set payload_sha256 = null where state = 'refused';
insert into due (thing, partition_key, due_until)
select thing, partition_key, claimed_at + interval '6 hours' from post
where (state = 'sent' and payload_sha256 is null)
   or (state in ('failed', 'refused') and (
       thing in (select 'result:' || r2_key from match where status = 'complete'
                 union all select 'round1:' || r1_key from match where status = 'r1_only' and winner is null
                 union all select 'session:' || session_key from session)
       or thing in (select 'timing:' || round_key from round_timing where timing_status <> 'ALIGNED')));

alter table post
    add column webhook_id   text,          -- that sent it; null: sent before this was kept, by the webhook of that day
    add column thread_id    text,          -- that it was sent into
    add column stands_since timestamptz,   -- since when it should say something else and can't be edited any more
    add column unreported boolean not null default false,   -- it was found in doubt, and no check said so until now
    drop constraint post_state_check,
    -- told: a person saw it in the channel, and nobody knows its id
    add constraint post_state_check check (state in ('claimed', 'sent', 'failed', 'refused', 'in_doubt', 'told'));

-- What was told before is compared with every new result, also when the run that made it ended early.
alter table session
    add column scored_at timestamptz,      -- when its results were made last
    add column told_of   timestamptz;      -- the scored_at of the results that its messages were compared with last

alter table session_report add column told_fingerprint text;   -- of the report that its message was compared with last
update session_report set told_fingerprint = fingerprint;

-- Of a refused message payload_sha256 is the content that Discord refused; null when it refused the webhook.
-- Of the others it is what was sent last; null when an edit did not get through.

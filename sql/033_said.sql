-- What was asked for is said once: what its messages say is kept before they are sent, and stays. It is told in the order
-- in which it was asked for.

alter table asked_post
    add column id   bigint generated always as identity,   -- rises as it is asked for, also within one asking
    add column said jsonb;                                  -- a list: Discord's body of each message; null: not tried yet

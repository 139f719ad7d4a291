-- What was told since a backup was made is not known when it was brought back: what was played before that is not announced
-- any more. (The table restored is made with schema_migration: restoring writes it into dumps of every age.)

create function silent_before() returns timestamptz stable
    return (select coalesce(max(restored_at), '-infinity') from restored where silent);

-- What a rebuild took through stays noted until its end: so it can say what it left out. And by which rules it works:
-- one that was stopped before the rules became others begins anew.

alter table rebuild add column rules text not null default '';
alter table rebuild_left add column is_through boolean not null default false;

-- Whether a round was broken off is told by its timing record: with which one it was placed. Another or a newer one
-- makes its place stale.

alter table round add column placed_with text references timing_record;
comment on column round.placed_with is 'The timing record that the round was placed with; null: none was linked then.';

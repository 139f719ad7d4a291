-- A summary names whose records fell, and they may not have been there: what they are called by now concerns it, too.
alter table session_report add column names text[] not null default '{}';   -- GUIDs

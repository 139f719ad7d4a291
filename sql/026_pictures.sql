-- Which pictures a message has, in order: name, alt text, sha256. So its text can be corrected without drawing them anew.
alter table post add column pictures jsonb not null default '[]';

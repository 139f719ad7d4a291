-- Which data this is: two game servers may have the same id on two machines, and a feed tells its entries from all
-- others in the world. A database that is brought back from a copy is the same one still.

alter table data_version add column installation uuid not null default gen_random_uuid();

-- The zone of each game server's stamps as it was set last: what is stored of a server that is set no more is read by it.

create table server_zone (
    server   text primary key,
    timezone text not null
);

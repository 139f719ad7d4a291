-- The roles of the database, each with the password that it got in slomix.env. The image of PostgreSQL runs this once,
-- as its superuser, when the volume is new; nobody else ever is the superuser (slomix_pipeline/warehouse/roles.py).

\getenv writer DATABASE_PASSWORD
\getenv dagster DAGSTER_PASSWORD
\getenv pages WEB_PASSWORD
\getenv links LINK_PASSWORD

-- May make databases, since backups are tried in one of their own.
create role slomix login nosuperuser createdb nocreaterole password :'writer';
create role slomix_dagster login nosuperuser nocreatedb nocreaterole noinherit password :'dagster';
create role slomix_web login nosuperuser nocreatedb nocreaterole noinherit password :'pages';
create role slomix_link login nosuperuser nocreatedb nocreaterole noinherit password :'links';
grant slomix_dagster to slomix;
create database slomix owner slomix;

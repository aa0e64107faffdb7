-- Runs once, on an empty database volume, as the container's superuser. It makes the two roles that
-- the product uses; neither is above row security, and the product refuses to start as one that is.
\set ON_ERROR_STOP on
\getenv owner_password OWNER_DB_PASSWORD
\getenv app_password APP_DB_PASSWORD

-- Owns the schema; used by `manage.py migrate` only.
CREATE ROLE frontdesk_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
-- Reads and writes rows; migrations grant it that, table by table.
CREATE ROLE frontdesk_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app_password';

CREATE DATABASE frontdesk OWNER frontdesk_owner;
REVOKE ALL ON DATABASE frontdesk FROM PUBLIC;
GRANT CONNECT ON DATABASE frontdesk TO frontdesk_app;

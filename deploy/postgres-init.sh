#!/bin/sh
# Run once by the image of PostgreSQL, as its administrator, when the data directory is empty. Verbatim's own role may do
# neither of what is done here: make an extension, or pass over the rules that keep tenants apart.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role verbatim login password :'password' nosuperuser nobypassrls;
create role verbatim_tenant nologin;
grant verbatim_tenant to verbatim;
create database verbatim owner verbatim encoding 'UTF8' locale 'C.UTF-8' template template0;
\connect verbatim
create extension vector;
SQL

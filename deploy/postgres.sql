-- Three databases: the records, the wrapped keys apart from them, and Prefect's own, which wants pg_trgm.
CREATE DATABASE rollcall_records;
CREATE DATABASE rollcall_keys;
CREATE DATABASE prefect;
\connect prefect
CREATE EXTENSION IF NOT EXISTS pg_trgm;

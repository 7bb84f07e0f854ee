-- What belongs to the database itself, and not to what is in it.
CREATE ROLE "Röle ""of"" 'it'" NOLOGIN;
CREATE ROLE reader NOLOGIN;
SELECT current_database() AS d \gset
ALTER DATABASE :"d" SET search_path TO "$user", 'odd "x"', public;
ALTER DATABASE :"d" SET statement_timeout TO '5min';
ALTER DATABASE :"d" SET "app.tenant" TO 'it''s';
ALTER ROLE reader IN DATABASE :"d" SET work_mem TO '8MB';
ALTER DATABASE :"d" CONNECTION LIMIT 50;
GRANT CONNECT ON DATABASE :"d" TO reader WITH GRANT OPTION;
REVOKE TEMPORARY ON DATABASE :"d" FROM PUBLIC;
COMMENT ON DATABASE :"d" IS 'it''s ours';

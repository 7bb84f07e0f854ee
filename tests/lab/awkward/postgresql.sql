-- What is hard to dump and to put back. It is loaded into whichever database is chosen, by a superuser.
SET client_min_messages = warning;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION citext;
CREATE EXTENSION "uuid-ossp";
CREATE SCHEMA "odd ""schema"" größe 漢字" AUTHORIZATION "Röle ""of"" 'it'";
CREATE TYPE colour AS ENUM ('red', 'it''s', 'größe', '');
CREATE DOMAIN small AS integer CHECK (VALUE < 1000);
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE floats AS RANGE (subtype = float8);
CREATE COLLATION plain (provider = icu, locale = 'und');

CREATE TABLE kinds (
  id bigint GENERATED ALWAYS AS IDENTITY (START WITH 1000 INCREMENT BY 7) PRIMARY KEY,
  s serial, tiny smallint, yes boolean, money_ numeric(40, 10), cash money, near real, far double precision, day date,
  moment timestamp, stamp timestamptz, clock time, zoned timetz, span interval, letters char(8), words varchar(200),
  essay text COLLATE plain, raw bytea, bits bit(17), free bit varying, colour colour, many text[], grid integer[][],
  doc json, fast jsonb, markup xml, spot point, shape polygon, address inet, net cidr, mac macaddr, who uuid, pairs pair[],
  limits int4range, multi int4multirange, floats floats, kv hstore, ci citext, small small, words_found tsvector,
  twice integer GENERATED ALWAYS AS (tiny * 2) STORED,
  EXCLUDE USING gist (limits WITH &&), CHECK (tiny < 120)
);
INSERT INTO kinds (tiny, yes, money_, cash, near, far, day, moment, stamp, clock, zoned, span, letters, words, essay, raw,
  bits, free, colour, many, grid, doc, fast, markup, spot, shape, address, net, mac, who, pairs, limits, multi, floats, kv,
  ci, small, words_found) VALUES
  (1, true, 12345678901234567890.0123456789, 1.5, 'NaN', '-Infinity', 'infinity', '0044-03-15 00:00:00 BC',
   '2038-01-19 03:14:07.123456+00', '24:00:00', '12:00:00-08', '1 year -2 days 3.5 seconds', 'caf',
   E'emoji 😀 "two" ''one'' \\ back', E'line\nline\r\ntab\tend', '\x00ff00fe5c27220a0d1a00', B'10101010101010101', B'',
   'it''s', '{"a,b", "c\"d", NULL, "{}"}', '[2:3][-1:0]={{1,2},{3,NULL}}', '{"a":  1, "a": 2}', '{"b": [1, null, "😀"]}',
   '<a b="c">😀</a>', '(1,2)', '((0,0),(1,1),(2,0))', '2001:db8::ff/64', '10.0.0.0/8', '08:00:2b:01:02:03',
   '123e4567-e89b-12d3-a456-426655440000', ARRAY[(1, 'x"y')::pair, (NULL, NULL)::pair], '[1,5)', '{[1,3),[7,9)}', '[1.5,2.5]',
   '"a b"=>"c\"d", e=>NULL', 'MiXeD', 999, 'a fat cat'),
  (-128, false, 'NaN', '-0.01', '-0', '1e300', '4713-01-01 BC', '-infinity', '-infinity', '00:00', '00:00+15:59', '0', '', '',
   '', '', B'00000000000000000', NULL, '', '{}', '{}', '[]', 'null', NULL, NULL, NULL, '::1', NULL, NULL, NULL, '{}', 'empty',
   '{}', 'empty', '', '', -5, '');
INSERT INTO kinds DEFAULT VALUES;
CREATE INDEX by_words ON kinds USING gin (words gin_trgm_ops);
CREATE UNIQUE INDEX partly ON kinds (lower(words)) INCLUDE (tiny) WHERE tiny > 0;
CREATE STATISTICS about (dependencies) ON tiny, yes FROM kinds;

CREATE TABLE "odd ""schema"" größe 漢字"."table 'it' %s" ("column ""x""" integer PRIMARY KEY, "select" text);
ALTER TABLE "odd ""schema"" größe 漢字"."table 'it' %s" OWNER TO "Röle ""of"" 'it'";
INSERT INTO "odd ""schema"" größe 漢字"."table 'it' %s" VALUES (1, 'one'), (2, NULL);
GRANT SELECT ("select") ON "odd ""schema"" größe 漢字"."table 'it' %s" TO reader WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE "Röle ""of"" 'it'" GRANT SELECT ON TABLES TO reader;

CREATE TABLE hen (id integer PRIMARY KEY, egg integer, mother integer REFERENCES hen ON DELETE SET NULL);
CREATE TABLE egg (id integer PRIMARY KEY, hen integer REFERENCES hen ON UPDATE CASCADE);
ALTER TABLE hen ADD CONSTRAINT hatched FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO hen VALUES (1, 1, NULL), (2, 2, 1);
INSERT INTO egg VALUES (1, 2), (2, 1);
COMMIT;

CREATE TABLE by_year (id integer, y integer, PRIMARY KEY (id, y)) PARTITION BY RANGE (y);
CREATE TABLE by_year_old PARTITION OF by_year FOR VALUES FROM (MINVALUE) TO (2000);
CREATE TABLE by_year_new PARTITION OF by_year DEFAULT;
INSERT INTO by_year VALUES (1, 1999), (2, 2000), (3, 2024);
CREATE TABLE parent (a integer);
CREATE TABLE child (b integer) INHERITS (parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2, 3);
CREATE UNLOGGED TABLE unlogged (a integer);
INSERT INTO unlogged VALUES (1);
CREATE TABLE nothing ();
CREATE SEQUENCE tickets START WITH 100 INCREMENT BY -5 MINVALUE -1000 MAXVALUE 100 CYCLE;
SELECT nextval('tickets'), nextval('tickets');

SELECT lo_from_bytea(4711, '\x00ff00fe0a');
SELECT lo_from_bytea(4712, decode(repeat('00ff', 100000), 'hex'));
COMMENT ON LARGE OBJECT 4711 IS 'größe';
ALTER LARGE OBJECT 4712 OWNER TO "Röle ""of"" 'it'";

CREATE FUNCTION doubled(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT n * 2 $$;
CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $f$
BEGIN
  -- a comment; 'quotes' "and" $$dollars$$
  INSERT INTO log (said) VALUES ('now ' || TG_OP || ' 😀');
  RETURN NEW;
END $f$;
CREATE TABLE log (id bigserial PRIMARY KEY, said text);
CREATE TRIGGER counting AFTER INSERT OR UPDATE ON kinds FOR EACH ROW WHEN (NEW.tiny > 0) EXECUTE FUNCTION counted();
CREATE TRIGGER asleep BEFORE DELETE ON kinds FOR EACH STATEMENT EXECUTE FUNCTION counted();
ALTER TABLE kinds DISABLE TRIGGER asleep;
CREATE PROCEDURE run_it(INOUT n integer) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; END $$;
CREATE AGGREGATE total(integer) (sfunc = int4pl, stype = integer, initcond = '0');
CREATE OPERATOR |+| (leftarg = integer, rightarg = integer, function = int4pl);
CREATE CAST (pair AS text) WITH INOUT;

CREATE VIEW plain_view AS SELECT id, words FROM kinds WHERE words IS NOT NULL;
CREATE VIEW z_counted AS SELECT count(*) AS n FROM kinds;
CREATE VIEW a_view_on_views WITH (security_barrier) AS SELECT p.id, z.n FROM plain_view p CROSS JOIN z_counted z;
CREATE MATERIALIZED VIEW kept AS SELECT id, doubled(tiny) AS d FROM kinds;
CREATE UNIQUE INDEX ON kept (id);
CREATE MATERIALIZED VIEW kept_of_kept AS SELECT max(d) AS m FROM kept;
CREATE MATERIALIZED VIEW empty_yet AS SELECT 1 AS one WITH NO DATA;
CREATE RULE no_delete AS ON DELETE TO by_year_old DO INSTEAD NOTHING;
ALTER TABLE log ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_own ON log FOR SELECT TO reader USING (said LIKE 'now %');
CREATE PUBLICATION everything FOR TABLE hen, egg;
CREATE TEXT SEARCH CONFIGURATION own (COPY = english);
COMMENT ON TABLE kinds IS 'it''s "odd" \ 😀';

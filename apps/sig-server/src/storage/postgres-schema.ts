/** The tables of the PostgreSQL storage, step by step, and how a database gets them. Nothing here is ever changed, only added to. */
import { KezError } from "@kez/core"
import type { ClientBase } from "pg"

/** One number for all copies of the store: whoever makes or changes tables holds this lock. */
const migrationLock = 7_878_001

/** Set once for each step. The tables lie in a schema of their own, beside whatever else the database holds. */
export const postgresMigrations: readonly string[] = [
  `
  CREATE TABLE kez_sig.events (
    cursor bigint PRIMARY KEY,
    digest text COLLATE "C" NOT NULL UNIQUE,
    chain text COLLATE "C" NOT NULL,
    seq integer NOT NULL,
    envelope text NOT NULL,
    stored_at bigint NOT NULL
  );
  CREATE INDEX events_of_chain ON kez_sig.events (chain, seq, digest);
  CREATE TABLE kez_sig.chains (chain text COLLATE "C" PRIMARY KEY, size integer NOT NULL);
  CREATE TABLE kez_sig.primaries (
    key text COLLATE "C" NOT NULL,
    chain text COLLATE "C" NOT NULL,
    PRIMARY KEY (key, chain)
  );
  CREATE TABLE kez_sig.heads (
    chain text COLLATE "C" NOT NULL,
    signer text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    digest text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL,
    envelope text NOT NULL,
    PRIMARY KEY (chain, signer, seq, digest)
  );
  CREATE TABLE kez_sig.marks (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);
  -- One row. Who appends holds it until the commit: so cursors become visible in the order of their values, and no reader of
  -- the feed passes a row that is not there yet. A sequence would hand its values out before the commit.
  CREATE TABLE kez_sig.totals (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_cursor bigint NOT NULL,
    events bigint NOT NULL,
    chains bigint NOT NULL,
    bytes bigint NOT NULL
  ) WITH (fillfactor = 10);
  INSERT INTO kez_sig.totals (last_cursor, events, chains, bytes) VALUES (0, 0, 0, 0);

  -- Many events in one transaction and one round trip. Gives back a cursor for each, or null where the chain has grown.
  CREATE FUNCTION kez_sig.append_events(origin text, batch jsonb) RETURNS bigint[] LANGUAGE plpgsql AS $body$
  DECLARE
    total kez_sig.totals%ROWTYPE;
    item jsonb;
    known integer;
    cursors bigint[] := '{}';
  BEGIN
    SELECT * INTO total FROM kez_sig.totals FOR UPDATE;
    FOR item IN SELECT value FROM jsonb_array_elements(batch) LOOP
      SELECT size INTO known FROM kez_sig.chains WHERE chain = item->>'chain';
      IF coalesce(known, 0) <> (item->>'expectedSize')::integer
        OR EXISTS (SELECT FROM kez_sig.events WHERE digest = item->>'digest') THEN
        cursors := cursors || NULL::bigint;
        CONTINUE;
      END IF;
      total.last_cursor := total.last_cursor + 1;
      total.events := total.events + 1;
      total.bytes := total.bytes + octet_length(item->>'text');
      IF known IS NULL THEN total.chains := total.chains + 1; END IF;
      INSERT INTO kez_sig.events (cursor, digest, chain, seq, envelope, stored_at) VALUES (total.last_cursor,
        item->>'digest', item->>'chain', (item->>'seq')::integer, item->>'text', (item->>'storedAt')::bigint);
      INSERT INTO kez_sig.chains AS c (chain, size) VALUES (item->>'chain', 1)
        ON CONFLICT (chain) DO UPDATE SET size = c.size + 1;
      INSERT INTO kez_sig.primaries (key, chain)
        SELECT value, item->>'chain' FROM jsonb_array_elements_text(item->'primaries') ON CONFLICT DO NOTHING;
      cursors := cursors || total.last_cursor;
      PERFORM pg_notify('kez_sig_append', concat_ws(' ', origin, total.last_cursor, item->>'chain'));
    END LOOP;
    UPDATE kez_sig.totals SET last_cursor = total.last_cursor, events = total.events, chains = total.chains, bytes = total.bytes;
    RETURN cursors;
  END $body$;

  -- Keeps the newest heads of a signer; expired ones of the whole chain go.
  CREATE FUNCTION kez_sig.save_head(head jsonb, now bigint, kept integer) RETURNS void LANGUAGE plpgsql AS $body$
  DECLARE
    id text := head->>'chain';
    author text := head->>'signer';
  BEGIN
    INSERT INTO kez_sig.heads AS h (chain, signer, seq, digest, expires_at, envelope)
      VALUES (id, author, (head->>'seq')::bigint, head->>'digest', (head->>'expiresAt')::bigint, head->>'text')
      ON CONFLICT (chain, signer, seq, digest) DO UPDATE
        SET expires_at = excluded.expires_at, envelope = excluded.envelope WHERE h.expires_at < excluded.expires_at;
    DELETE FROM kez_sig.heads WHERE chain = id AND expires_at <= now;
    DELETE FROM kez_sig.heads WHERE chain = id AND signer = author AND (seq, digest) IN (
      SELECT seq, digest FROM kez_sig.heads WHERE chain = id AND signer = author ORDER BY seq DESC, expires_at DESC OFFSET kept);
  END $body$;
  `,
  `
  -- The order in which heads were kept, for those who follow the store. Its one row is held until the commit, as that of totals is.
  ALTER TABLE kez_sig.heads ADD COLUMN cursor bigint NOT NULL DEFAULT 0;
  UPDATE kez_sig.heads AS h SET cursor = n.place FROM (
    SELECT ctid, row_number() OVER (ORDER BY chain, signer, seq, digest) AS place FROM kez_sig.heads) AS n WHERE h.ctid = n.ctid;
  CREATE INDEX heads_by_cursor ON kez_sig.heads (cursor);
  CREATE TABLE kez_sig.head_order (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), last_cursor bigint NOT NULL);
  INSERT INTO kez_sig.head_order (last_cursor) SELECT coalesce(max(cursor), 0) FROM kez_sig.heads;

  CREATE OR REPLACE FUNCTION kez_sig.save_head(head jsonb, now bigint, kept integer) RETURNS void LANGUAGE plpgsql AS $body$
  DECLARE
    id text := head->>'chain';
    author text := head->>'signer';
    place bigint;
    changed integer;
  BEGIN
    SELECT greatest(last_cursor + 1, now * 1000) INTO place FROM kez_sig.head_order FOR UPDATE;
    INSERT INTO kez_sig.heads AS h (chain, signer, seq, digest, expires_at, envelope, cursor)
      VALUES (id, author, (head->>'seq')::bigint, head->>'digest', (head->>'expiresAt')::bigint, head->>'text', place)
      ON CONFLICT (chain, signer, seq, digest) DO UPDATE SET expires_at = excluded.expires_at, envelope = excluded.envelope,
        cursor = excluded.cursor WHERE h.expires_at < excluded.expires_at;
    GET DIAGNOSTICS changed = ROW_COUNT;
    -- One that is known already stays where it is: two stores that follow each other would tell it to and fro.
    IF changed > 0 THEN UPDATE kez_sig.head_order SET last_cursor = place; END IF;
    DELETE FROM kez_sig.heads WHERE chain = id AND expires_at <= now;
    DELETE FROM kez_sig.heads WHERE chain = id AND signer = author AND (seq, digest) IN (
      SELECT seq, digest FROM kez_sig.heads WHERE chain = id AND signer = author
      ORDER BY seq DESC, expires_at DESC, digest OFFSET kept);
  END $body$;
  `,
]

export const newestPostgresVersion = postgresMigrations.length

/**
 * Makes or upgrades the tables in one transaction; of several copies that start at once, one does it and the others wait.
 * Throws `store.newer` for tables of a later version.
 */
export async function migrate(client: ClientBase, steps: readonly string[] = postgresMigrations): Promise<void> {
  if ((await versionOf(client, steps)) === steps.length) return
  await client.query("BEGIN")
  try {
    await client.query("SELECT pg_advisory_xact_lock($1)", [migrationLock])
    const version = await versionOf(client, steps)
    if (version === 0)
      await client.query("CREATE SCHEMA kez_sig; CREATE TABLE kez_sig.schema_version (version integer)")
    for (const step of steps.slice(version)) await client.query(step)
    await client.query("DELETE FROM kez_sig.schema_version")
    await client.query("INSERT INTO kez_sig.schema_version (version) VALUES ($1)", [steps.length])
    await client.query("COMMIT")
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined)
    throw error
  }
}

async function versionOf(client: ClientBase, steps: readonly string[]): Promise<number> {
  // Rows of the catalogue, not to_regclass(): what that remembers may be older than the lock that was waited for.
  const found = await client.query<{ there: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'kez_sig' AND tablename = 'schema_version') AS there",
  )
  if (found.rows[0]?.there !== true) return 0
  const { rows } = await client.query<{ version: number }>("SELECT version FROM kez_sig.schema_version")
  const version = rows[0]?.version ?? 0
  if (version <= steps.length) return version
  throw new KezError(
    "store.newer",
    `Cannot open the database: expected tables of version ${steps.length} or older, got ${version}`,
    { hint: "A later version of kez-sig-server wrote them. Update this one." },
  )
}

/**
 * The set-up's own record, in a schema that Medusa does not know: started before the first write, finished after the last.
 *
 * What always holds: `finished` is written only when the store can take an order, and is never taken back; whoever serves or waits
 * asks for exactly the release of its own image.
 */
import type { ClientBase, Pool } from "pg"
import { medusaVersion, SETUP_REVISION } from "./release"

export interface Marker {
  finished: boolean
  version: string | null
  revision: number | null
  passwordFingerprint: string | null
}

type Connection = ClientBase | Pool

const UNDEFINED_TABLE = "42P01"

/** The record, or null when no set-up ever started in this database. */
export async function readMarker(db: Connection): Promise<Marker | null> {
  try {
    const { rows } = await db.query(
      "select finished_at is not null as finished, version, revision, password_fingerprint from shopwright.setup",
    )
    if (rows.length === 0) return null
    const [row] = rows
    return { finished: row.finished, version: row.version, revision: row.revision, passwordFingerprint: row.password_fingerprint }
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return null
    throw error
  }
}

/** Whether this image may serve from this database. */
export const isCurrent = (marker: Marker | null): boolean =>
  marker !== null && marker.finished && marker.version === medusaVersion && marker.revision === SETUP_REVISION

/** One statement string is one transaction: there is no moment with a schema and no row. */
export async function writeStarted(db: Connection): Promise<void> {
  await db.query(`
    create schema shopwright;
    create table shopwright.setup (
      one boolean primary key default true check (one),
      started_at timestamptz not null default now(),
      finished_at timestamptz,
      version text,
      revision integer,
      password_fingerprint text
    );
    insert into shopwright.setup default values;
  `)
}

/** `finished_at` stays what it was when a later release is finished: it says since when this is a store. */
export async function writeFinished(db: Connection, passwordFingerprint: string): Promise<void> {
  await db.query(
    `update shopwright.setup
        set finished_at = coalesce(finished_at, now()), version = $1, revision = $2, password_fingerprint = $3`,
    [medusaVersion, SETUP_REVISION, passwordFingerprint],
  )
}

/** Whether somebody else's tables are here already: then nothing is touched. */
export async function hasTables(db: Connection): Promise<boolean> {
  const { rows } = await db.query("select exists (select 1 from pg_tables where schemaname = 'public') as any")
  return rows[0].any
}

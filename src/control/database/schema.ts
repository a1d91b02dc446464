/**
 * The tables of the control plane, in types that SQLite and PostgreSQL share: text, integers and JSON as
 * text. Everything above `database/` speaks to these through Kysely and knows no dialect.
 */
import type { Kysely, Transaction } from 'kysely';

/** Sites and POPs are kept whole as JSON (validated when read); what must be unique has tables of its own. */
export interface DatabaseSchema {
  /** Single values by name: the generation in force and its digest. */
  settings: { name: string; value: string };
  sites: { id: string; body: string };
  site_hosts: { host: string; site_id: string };
  /** `seeded`: 1 when it came from the command line and goes when it is no longer given there. */
  pops: { id: string; body: string; seeded: number };
  pop_edges: { edge_id: string; pop_id: string };
  networks: { network: string; body: string };
  purges: PurgeRow;
  /** `hash`: SHA-256 of the secret, hex. */
  tokens: { id: string; name: string; hash: string; created_at: number; last_used_at: number | null };
  certificates: {
    site_id: string;
    /** Host names, comma-separated, that the leaf is for. */
    hosts: string;
    /** SHA-256 of the authority's certificate that signed it, hex. */
    authority: string;
    certificate_pem: string;
    private_key_pem: string;
    not_after: number;
  };
  /** One row per minute (minutes since the epoch), site and POP. */
  traffic: TrafficRow;
}

/** Of the ordered log. */
export interface PurgeRow {
  position: number;
  /** Null in those of a former release, which kept it in the target alone. */
  site_id: string | null;
  target: string;
  /** 1 or 0. */
  soft: number;
  requested_at: number;
  /** Null until the edges have answered. */
  receipts: string | null;
}

export interface TrafficRow {
  minute: number;
  site_id: string;
  pop_id: string;
  requests: number;
  hits: number;
  misses: number;
  stale: number;
  errors: number;
  bytes_to_clients: number;
  bytes_from_origin: number;
  first_byte_ms_total: number;
  status_1xx: number;
  status_2xx: number;
  status_3xx: number;
  status_4xx: number;
  status_5xx: number;
}

export type Database = Kysely<DatabaseSchema>;
export type DatabaseTransaction = Transaction<DatabaseSchema>;

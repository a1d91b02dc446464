/**
 * What the benches know of a cache under test: how it is started in front of an origin, with one worker, all
 * of its processes on one core, keeping what it stores in memory or in the page cache.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createTestAuthority } from '../../test/support/test-authority.ts';
import type { Program } from '../support/programs.ts';

export interface RunningCache {
  readonly name: string;
  readonly server: Program;
  readonly httpPort: number;
  /** Null: the cache does not speak TLS. */
  readonly httpsPort: number | null;
  /** Whether it answers HTTP/2 over TLS, as its ALPN says. */
  readonly hasHttp2: boolean;
  /** Responses that came from its disk, and from its memory, so far; missing: it does not tell them apart. */
  places?(): Promise<ServedFrom>;
  /** Once it has ended: takes away what of it is left in memory, as a boot does; missing: nothing is. */
  forgetMemory?(): void;
}

export interface ServedFrom {
  readonly disk: number;
  readonly memory: number;
}

export interface CacheKind {
  readonly name: string;
  readonly programs: readonly string[];
  /** The Debian package. */
  readonly package: string;
  version(): string;
  /** `home`: a folder of its own, which is there already; what an earlier one left in it is found again. */
  start(home: string, originPort: number): Promise<RunningCache>;
}

/** The site's host. It leads to this machine everywhere, so that load generators send it as TLS server name. */
export const HOST = 'localhost';

/** Memory that each cache may fill, where it has such a setting: what Perigee takes by default. */
export const MEMORY_MEBIBYTES = 256;

/** Connections that a cache must be able to hold: the bench of idle ones opens the most. */
export const CONNECTIONS_MAX = 12_000;

/** Seconds a connection may be idle: longer than any bench needs to open the others. */
export const IDLE_SECONDS = 300;

export async function answers(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/stored/1k`, { headers: { Host: HOST } });
  await response.arrayBuffer();
  return response.status === 200;
}

/** What ALPN (RFC 7301) chooses when h2 is offered first. */
export function offersHttp2(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: HOST,
    ALPNProtocols: ['h2', 'http/1.1'],
    rejectUnauthorized: false,
  });
  socket.once('secureConnect', () => {
    resolve(socket.alpnProtocol === 'h2');
    socket.destroy();
  });
  socket.once('error', () => resolve(false));
  return promise;
}

export interface CertificateFiles {
  readonly key: string;
  readonly certificate: string;
  /** Both in one file. */
  readonly both: string;
}

/** A P-256 certificate for `HOST`, as Perigee makes one for itself. */
export async function writeCertificate(home: string): Promise<CertificateFiles> {
  const { key, cert } = await (await createTestAuthority()).issue([HOST]);
  mkdirSync(home, { recursive: true });
  const files = {
    key: join(home, 'key.pem'),
    certificate: join(home, 'cert.pem'),
    both: join(home, 'both.pem'),
  };
  writeFileSync(files.key, key);
  writeFileSync(files.certificate, cert);
  writeFileSync(files.both, `${cert}\n${key}`);
  return files;
}

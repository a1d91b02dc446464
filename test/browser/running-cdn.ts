/**
 * A whole CDN in this process for a browser to look at: a control plane with the built console, a name server
 * with the geography database, one edge in each of three cities, and an origin that counts what it is asked.
 * Everything is the product's own and listens on ports of the system's choice.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningControl, startControl } from '#control/control.ts';
import type { PopInput } from '#core/model/pop.ts';
import { startEdge } from '#edge/edge.ts';
import { CONSOLE_DIRECTORY } from '#main/paths.ts';
import { defaultGeoFile } from '#nameserver/geo-package.ts';
import { startNameserver } from '#nameserver/nameserver.ts';
import { systemClock } from '#platform/clock.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import { createSilentLogger } from '#platform/log.ts';

const ZONE = 'cdn.test';
const ANY_PORT = { address: '127.0.0.1', port: 0 } as const;
const MEMORY_BYTES = 32 << 20;

const TEST_POPS = [
  pop('fra', 'Frankfurt', 50.1109, 8.6821, '192.0.2.1'),
  pop('hkg', 'Hong Kong', 22.3193, 114.1694, '192.0.2.2'),
  pop('gru', 'São Paulo', -23.5505, -46.6333, '192.0.2.3'),
] as const satisfies readonly PopInput[];

function pop(id: string, name: string, latitude: number, longitude: number, address: string) {
  return { id, name, location: { latitude, longitude }, edges: [{ id: `${id}-1`, addresses: [address] }] };
}

export interface RunningCdn {
  /** Where the console is. */
  readonly url: string;
  readonly adminToken: string;
  readonly originUrl: string;
  /** Requests the origin has had for a path. */
  originRequests(path: string): number;
  /** Asks a POP's edge for a path of a host, and reads the whole answer. */
  get(popId: string, host: string, path: string): Promise<{ readonly status: number; readonly body: string }>;
  /** Ends the control plane and leaves everything else running. */
  closeControl(): Promise<void>;
  close(): Promise<void>;
}

/** Answers every path with some cacheable text, and counts. */
async function startOrigin() {
  const counts = new Map<string, number>();
  const server = createServer((asked, answer) => {
    const path = asked.url ?? '/';
    counts.set(path, (counts.get(path) ?? 0) + 1);
    answer.setHeader('cache-control', 'public, max-age=600');
    answer.setHeader('content-type', 'text/plain');
    answer.end(`${path} from the origin, answer ${counts.get(path)}\n`.padEnd(2_000, '.'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: (path: string) => counts.get(path) ?? 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function getFrom(port: number, host: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

export async function startCdn(): Promise<RunningCdn> {
  const directory = mkdtempSync(join(tmpdir(), 'perigee-browser-'));
  const hub = createLocalHub();
  const shared = { clock: systemClock, log: createSilentLogger() };
  const origin = await startOrigin();
  const nameserver = await startNameserver({
    ...shared,
    listen: ANY_PORT,
    geoFile: defaultGeoFile(),
    snapshotFile: join(directory, 'nameserver.json'),
    bus: hub.join('nameserver'),
  });
  const edgeParts = TEST_POPS.map(({ id, edges: [edge] }) => ({ popId: id, edgeId: edge?.id ?? id }));
  const control = await startControl({
    ...shared,
    listen: ANY_PORT,
    dataDirectory: join(directory, 'control'),
    zoneName: ZONE,
    dnsAddress: nameserver.udp,
    seed: { sites: [], pops: [...TEST_POPS] },
    expectedParts: ['control', 'nameserver', ...edgeParts.map(({ edgeId }) => `edge:${edgeId}/0`)],
    consoleDirectory: CONSOLE_DIRECTORY,
    bus: hub.join('control'),
  });
  const edges = await Promise.all(
    edgeParts.map(async ({ popId, edgeId }) => {
      const edge = await startEdge({
        ...shared,
        edgeId,
        popId,
        worker: 0,
        http: ANY_PORT,
        https: null,
        egressAddress: null,
        storage: { ownBytes: MEMORY_BYTES, shared: null },
        snapshotFile: join(directory, `${edgeId}.json`),
        bus: hub.join(`edge:${edgeId}/0`),
      });
      return { popId, edge };
    }),
  );
  let running: RunningControl | null = control;
  const closeControl = async () => {
    const closing = running;
    running = null;
    await closing?.close();
  };
  return {
    url: `http://127.0.0.1:${control.listen.port}`,
    adminToken: control.adminToken,
    originUrl: origin.url,
    originRequests: origin.count,
    get(popId, host, path) {
      const port = edges.find((candidate) => candidate.popId === popId)?.edge.http?.port;
      if (port === undefined) throw new Error(`no edge runs in the POP ${popId}`);
      return getFrom(port, host, path);
    },
    closeControl,
    async close() {
      await closeControl();
      await Promise.all(edges.map(({ edge }) => edge.close()));
      await nameserver.close();
      origin.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

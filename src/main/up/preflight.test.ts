import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataDirectory } from './data-lock.ts';
import { claimTcpAndUdpPort, claimTcpPort, prepareDataDirectory } from './preflight.ts';

const directory = mkdtempSync(join(tmpdir(), 'perigee-preflight-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function listenSomewhere(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const bound = server.address();
      resolve({ server, port: typeof bound === 'object' && bound !== null ? bound.port : 0 });
    });
  });
}

describe('ports', () => {
  test('a port in use is an error that names option, address and way out', async () => {
    const { server, port } = await listenSomewhere();
    await expect(claimTcpPort({ address: '127.0.0.1', port }, '--http')).rejects.toThrow(
      `--http 127.0.0.1:${port}: the port is in use; stop what uses it or choose another`,
    );
    await expect(claimTcpAndUdpPort({ address: '127.0.0.1', port }, '--dns')).rejects.toThrow(
      'the port is in use',
    );
    server.close();
  });

  test('port 0 is chosen, and free again', async () => {
    const claimed = await claimTcpAndUdpPort({ address: '127.0.0.1', port: 0 }, '--dns');
    expect(claimed.port).toBeGreaterThan(0);
    expect(await claimTcpPort(claimed, '--http')).toEqual(claimed);
  });

  test("an address that is not this machine's is named", async () => {
    await expect(claimTcpPort({ address: '192.0.2.1', port: 0 }, '--api')).rejects.toThrow(
      'this machine does not have the address',
    );
  });
});

describe('the data directory', () => {
  test('is made when it is missing', () => {
    prepareDataDirectory(join(directory, 'a', 'b'));
    expect(() => prepareDataDirectory(join(directory, 'a', 'b'))).not.toThrow();
  });

  test('a file in its place is an error in one line', () => {
    writeFileSync(join(directory, 'file'), '');
    expect(() => prepareDataDirectory(join(directory, 'file', 'data'))).toThrow(
      'the directory cannot be written',
    );
  });

  test('serves one Perigee at a time; a lock left by a dead process is taken over', () => {
    const place = join(directory, 'locked');
    prepareDataDirectory(place);
    const unlock = lockDataDirectory(place);
    expect(() => lockDataDirectory(place)).toThrow(
      `another Perigee (process ${process.pid}) uses this directory`,
    );
    unlock();
    writeFileSync(join(place, 'perigee.lock'), `${process.pid} 12345`);
    lockDataDirectory(place)();
    chmodSync(place, 0o700);
  });
});

/** Parts of a running Perigee are killed, and the origin goes away: users notice nothing that they need not. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { ask } from '../../support/dns-query.ts';
import { type PerigeeProcess, partProcess, startPerigee } from '../../support/perigee-process.ts';
import { until } from '../../support/until.ts';

const HOST = 'www.example.com';
let origin: Server;
let perigee: PerigeeProcess;

beforeAll(async () => {
  origin = createServer((request, response) => {
    response.setHeader(
      'Cache-Control',
      request.url === '/short' ? 'max-age=0, stale-if-error=600' : 'max-age=600',
    );
    response.end(`origin answers ${request.url}`);
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const bound = origin.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  perigee = await startPerigee('--no-demo', '--site', `${HOST}=http://127.0.0.1:${port}`);
});

afterAll(async () => {
  origin.close();
  expect(await perigee.stop()).toBe(0);
});

/** One request on a connection of its own: the status line, or what went wrong. */
function once(path: string): Promise<string> {
  const [address = '', port = ''] = perigee.http.split(':');
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), address, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('close', () => resolve(text));
  });
}

const statusOf = (answer: string) => answer.split('\r\n', 1)[0] ?? '';

async function health(): Promise<{ status: string; generation: number } | null> {
  try {
    const response = await fetch(`http://${perigee.api}/health`);
    return response.status === 200
      ? ((await response.json()) as { status: string; generation: number })
      : null;
  } catch {
    return null;
  }
}

/** Kills a part and resolves when another process has taken its place. */
async function killPart(part: string): Promise<void> {
  const former = partProcess(perigee, part);
  if (former === null) throw new Error(`${part} is not running`);
  process.kill(former, 'SIGKILL');
  await until(`${part} runs again`, () => {
    const now = partProcess(perigee, part);
    return now !== null && now !== former;
  });
}

describe('while users are served', () => {
  /** Requests without pause while `disturb` happens; resolves with every answer. */
  async function serveDuring(disturb: () => Promise<void>): Promise<string[]> {
    expect(statusOf(await once('/kept'))).toBe('HTTP/1.1 200 OK');
    const answers: string[] = [];
    let isOver = false;
    const users = Array.from({ length: 8 }, async () => {
      while (!isOver) answers.push(statusOf(await once('/kept')));
    });
    await disturb();
    isOver = true;
    await Promise.all(users);
    return answers;
  }

  test('the control plane is killed: every request is answered, and it comes back with what it knew', async () => {
    const before = await health();
    const answers = await serveDuring(async () => {
      await killPart('control');
      await until('healthy again', health);
    });
    expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 200 OK']));
    expect(await health()).toEqual(before);
  });

  test('the edge worker is killed: no new connection is refused', async () => {
    const answers = await serveDuring(async () => {
      await killPart('edge:local/0');
      await until('served again', async () => statusOf(await once('/kept')) === 'HTTP/1.1 200 OK');
    });
    // What was under way on the worker that died is lost with it; whoever came after it waited for the next.
    expect(answers.filter((answer) => answer === 'ECONNREFUSED')).toEqual([]);
    expect(answers.filter((answer) => answer === 'HTTP/1.1 200 OK').length).toBeGreaterThan(8);
    const lost = answers.filter((answer) => answer !== 'HTTP/1.1 200 OK');
    expect(lost.length).toBeLessThanOrEqual(8);
  });

  test('the name server is killed: it answers again', async () => {
    await killPart('nameserver');
    const answer = await until('resolved again', async () => {
      try {
        return await ask(perigee.dns, { name: HOST, type: 'A' });
      } catch {
        return null;
      }
    });
    expect(answer.answers).toHaveLength(1);
  });
});

describe('when the origin is gone', () => {
  beforeAll(async () => {
    await until('stored', async () => (await once('/kept')).includes('hit'));
    await once('/short');
    origin.closeAllConnections();
    await new Promise((resolve) => origin.close(resolve));
  });

  test('what is stored is served', async () => {
    expect(await once('/kept')).toContain('origin answers /kept');
  });

  test('what is stale is served where that is allowed', async () => {
    expect(await once('/short')).toContain('origin answers /short');
  });

  test('what is not stored is a 502 that says why', async () => {
    const answer = await once('/never-seen');
    expect(statusOf(answer)).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer.toLowerCase()).toContain('\r\nproxy-status: ');
    expect(answer).toContain('connection_refused');
  });
});

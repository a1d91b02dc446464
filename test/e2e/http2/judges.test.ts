/** HTTP/2 clients of others, each strict in its own way, against the edge's listeners. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import { judgedBy, type RunJudge } from '../../support/judges.ts';
import { BIG_BYTES, type Http2Lab, readAll, startHttp2Lab } from './http2-lab.ts';

const HEAD = { status: 200, reason: '', fields: new Fields() };
const LARGE_BYTES = 20_000_000;
/** Not the same anywhere, so that nothing can be lost or put in another order unseen. */
const LARGE = Buffer.alloc(LARGE_BYTES);
for (let i = 0; i < LARGE_BYTES; i += 4) LARGE.writeUInt32LE(Math.imul(i, 2_654_435_761) >>> 0, i);
const SMALL = LARGE.subarray(0, 100_000);

let lab: Http2Lab;
let folder: string;

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perigee-judges-'));
  writeFileSync(join(folder, 'large'), LARGE);
  writeFileSync(join(folder, 'small'), SMALL);
  lab = await startHttp2Lab();
  writeFileSync(join(folder, 'authority.pem'), lab.authority);
  lab.handlers.set('/large', (exchange) => exchange.respondWhole(HEAD, LARGE));
  lab.handlers.set('/streamed', (exchange) => void streamLarge(exchange));
  lab.handlers.set('/digest', (exchange) => void answerDigest(exchange));
  lab.handlers.set('/refused', (exchange) =>
    exchange.respondWhole({ ...HEAD, status: 413 }, Buffer.from('too large')),
  );
  lab.handlers.set('/early', (exchange) => exchange.respondWhole(HEAD, Buffer.from('early')));
  const long = Array.from({ length: 6 }, (_, i) => [`X-Long-${i}`, 'y'.repeat(5_000)] as [string, string]);
  lab.handlers.set('/long-head', (exchange) =>
    exchange.respondWhole({ ...HEAD, fields: Fields.of(long) }, Buffer.from('long')),
  );
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function streamLarge(exchange: Exchange): Promise<void> {
  const sink = exchange.respondStream(HEAD, null);
  for (let at = 0; at < LARGE_BYTES; at += 70_000) await sink.write(LARGE.subarray(at, at + 70_000));
  await sink.end(Fields.of([['Digest', digest(LARGE)]]));
}

/** Answers with the digest of the body, and what its trailers said. */
async function answerDigest(exchange: Exchange): Promise<void> {
  const body = exchange.body === null ? Buffer.alloc(0) : await readAll(exchange.body);
  const said = exchange.body?.trailers()?.get('checksum') ?? 'nothing';
  exchange.respondWhole(HEAD, Buffer.from(`${digest(body)} ${said}`));
}

function plainUrl(path: string): string {
  return `http://127.0.0.1:${lab.listener.http.port}${path}`;
}

function secureUrl(path: string): string {
  return `https://localhost:${lab.listener.https.port}${path}`;
}

judgedBy('nghttp', 'nghttp2-client', (run) => {
  /** Runs it and expects that it has found nothing wrong. */
  async function nghttp(...words: string[]): Promise<Buffer> {
    const { code, stdout, stderr } = await run(['--no-verify-peer', ...words]);
    expect(stderr).not.toMatch(/error|ERROR|failed/);
    expect(code).toBe(0);
    return stdout;
  }

  test('frames, settings and a response, said one by one', async () => {
    const said = (await nghttp('-v', secureUrl('/hello'))).toString();
    expect(said).toContain('The negotiated protocol: h2');
    expect(said).toMatch(/recv SETTINGS frame .*\n.*\(niv=5\)/);
    expect(said).toContain('[SETTINGS_MAX_CONCURRENT_STREAMS(0x03):128]');
    expect(said).toContain('recv (stream_id=13) :status: 200');
    expect(said).toMatch(/recv DATA frame <length=5, flags=0x01, stream_id=13>/);
    expect(said).not.toMatch(/recv (RST_STREAM|GOAWAY)/);
  });

  test('large downloads, plain and over TLS, whole and streamed', async () => {
    for (const url of [plainUrl('/large'), secureUrl('/large'), secureUrl('/streamed')]) {
      expect(digest(await nghttp(url))).toBe(digest(LARGE));
    }
  });

  test('downloads through windows from a few bytes to the largest', async () => {
    for (const [bits, path, bytes] of [
      ['6', '/big', BIG_BYTES],
      ['12', '/big', BIG_BYTES],
      ['16', '/large', LARGE_BYTES],
      ['30', '/large', LARGE_BYTES],
    ] as const) {
      expect((await nghttp('-w', bits, '-W', bits, secureUrl(path))).length).toBe(bytes);
    }
  });

  test('an upload, with padding and trailers', async () => {
    const large = join(folder, 'large');
    const body = await nghttp('-d', large, '--trailer', 'checksum: abc', secureUrl('/digest'));
    expect(body.toString()).toBe(`${digest(LARGE)} abc`);
    const small = join(folder, 'small');
    const padded = await nghttp('-d', small, '-b', '255', '--no-content-length', plainUrl('/digest'));
    expect(padded.toString()).toBe(`${digest(SMALL)} nothing`);
    const expected = await nghttp('-d', small, '--expect-continue', secureUrl('/digest'));
    expect(expected.toString()).toBe(`${digest(SMALL)} nothing`);
  });

  test('trailers of a response', async () => {
    const said = (await nghttp('-v', '-n', secureUrl('/streamed'))).toString();
    expect(said).toContain(`digest: ${digest(LARGE)}`);
  });

  test('tables of any size, blocks in CONTINUATION frames both ways, many requests at a time', async () => {
    for (const words of [
      ['-c', '0'],
      ['-c', '0', '-c', '4096'],
      ['-c', '65536', '--encoder-header-table-size=0'],
      ['--continuation'],
      ['--no-dep'],
      ['--no-rfc7540-pri'],
    ]) {
      const body = await nghttp('-m', '60', ...words, secureUrl('/long-head'));
      expect(body.toString()).toBe('long'.repeat(60));
    }
  });
});

judgedBy('h2load', 'nghttp2-client', (run) => {
  async function h2load(requests: number, ...words: string[]): Promise<void> {
    const { code, stdout } = await run(['-n', String(requests), ...words]);
    const said = stdout.toString();
    expect(said).toContain(
      `requests: ${requests} total, ${requests} started, ${requests} done, ${requests} succeeded, 0 failed, 0 errored, 0 timeout`,
    );
    expect(said).toContain(`status codes: ${requests} 2xx, 0 3xx, 0 4xx, 0 5xx`);
    expect(code).toBe(0);
  }

  test('many streams on many connections', async () => {
    await h2load(5_000, '-c', '20', '-m', '100', secureUrl('/hello'));
    await h2load(5_000, '-c', '20', '-m', '100', plainUrl('/hello'));
  });

  test('many streams with windows too small for one response', async () => {
    await h2load(200, '-c', '5', '-m', '20', '-w', '11', '-W', '14', secureUrl('/big'));
  });

  test('many uploads', async () => {
    await h2load(500, '-c', '5', '-m', '20', '-d', join(folder, 'small'), secureUrl('/digest'));
  });
});

judgedBy('curl', 'curl', (run) => {
  /** What it got, and in which version with which status. */
  async function curl(run_: RunJudge, ...words: string[]): Promise<{ body: Buffer; facts: string }> {
    const facts = ['-w', '%{stderr}%{http_version} %{http_code} %{size_upload}'];
    const trust = ['--cacert', join(folder, 'authority.pem')];
    const { code, stdout, stderr } = await run_(['-sS', ...trust, ...facts, ...words]);
    expect({ code, stderr: stderr.replace(/[\d ]+$/, '') }).toMatchObject({ code: 0 });
    return { body: stdout, facts: stderr };
  }

  test('GET and HEAD over TLS, with a certificate it has checked', async () => {
    const { body, facts } = await curl(run, '--http2', secureUrl('/large'));
    expect(digest(body)).toBe(digest(LARGE));
    expect(facts).toBe('2 200 0');
    expect((await curl(run, '--http2', '-I', secureUrl('/hello'))).facts).toBe('2 200 0');
  });

  test('prior knowledge on a plain connection', async () => {
    const { body, facts } = await curl(run, '--http2-prior-knowledge', plainUrl('/hello'));
    expect({ body: body.toString(), facts }).toEqual({ body: 'hello', facts: '2 200 0' });
  });

  test('a large POST', async () => {
    const { body, facts } = await curl(
      run,
      '--http2',
      '--data-binary',
      `@${join(folder, 'large')}`,
      secureUrl('/digest'),
    );
    expect(body.toString()).toBe(`${digest(LARGE)} nothing`);
    expect(facts).toBe(`2 200 ${LARGE_BYTES}`);
  });

  test('a refusal of a large upload, which curl then gives up', async () => {
    const large = ['--data-binary', `@${join(folder, 'large')}`];
    const { body, facts } = await curl(run, '--http2', ...large, secureUrl('/refused'));
    expect(body.toString()).toBe('too large');
    expect(facts).toStartWith('2 413 ');
  });

  test('an answer that comes before a small upload is done', async () => {
    const { body, facts } = await curl(
      run,
      '--http2',
      '--data-binary',
      `@${join(folder, 'small')}`,
      secureUrl('/early'),
    );
    expect(body.toString()).toBe('early');
    expect(facts).toStartWith('2 200 ');
  });

  test('many requests on one connection at a time', async () => {
    const { body, facts } = await curl(
      run,
      '--http2',
      '-Z',
      '--no-progress-meter',
      `${secureUrl('/hello')}?[1-50]`,
    );
    expect(body.toString()).toBe('hello'.repeat(50));
    expect(facts).toBe('2 200 0'.repeat(50));
  });
});

judgedBy('node', 'nodejs', (run) => {
  test('the HTTP/2 client of Node: requests, uploads, trailers, resets, settings, pings', async () => {
    const script = join(import.meta.dirname, '../../support/judge-node.mjs');
    const { code, stdout, stderr } = await run([script, secureUrl(''), join(folder, 'authority.pem')]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout.toString())).toEqual({
      together: '100 × 200 hello',
      large: digest(LARGE),
      streamed: `${digest(LARGE)} with trailer ${digest(LARGE)}`,
      upload: `${digest(LARGE)} abc`,
      reset: 'closed with 8, and another served',
      ping: 'answered',
      settings: 'acknowledged, and another served',
      tunnel: 'hello and the end',
    });
  });
});

const PYTHON_H2 = '/usr/lib/python3/dist-packages/h2/connection.py';

judgedBy(
  '/usr/bin/python3',
  'python3-h2',
  (run) => {
    test('python3-h2: a state machine that checks every frame', async () => {
      const script = join(import.meta.dirname, '../../support/judge_h2.py');
      const { address, port } = lab.listener.https;
      const { code, stdout, stderr } = await run([script, address, String(port)]);
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      expect(JSON.parse(stdout.toString())).toEqual({
        together: '100 × 200 hello',
        large: digest(LARGE),
        streamed: `${digest(LARGE)} with trailer ${digest(LARGE)}`,
        tiny_windows: '300000 bytes',
        upload: `${digest(SMALL)} abc`,
        reset: 'closed, and another served',
        ping: 'answered',
        table: '20 × 200 with tables of 0, 4096, 100, 65536 bytes',
        priorities: 'passed over',
        goaway: 'ended with 0',
        interim: '100 before the answer',
        malformed: 'stream reset with 1, and another served',
        overflow: 'connection ended with 3',
      });
    });
  },
  () => existsSync(PYTHON_H2),
);

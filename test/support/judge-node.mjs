/**
 * The HTTP/2 client of Node against an edge: `node judge-node.mjs https://localhost:PORT authority.pem`. Prints
 * what it has found as JSON; an error ends it with its stack.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';

const [, , url, authorityFile] = process.argv;
const session = connect(url, {
  ca: readFileSync(authorityFile),
  settings: { enablePush: false, initialWindowSize: 1_000_000 },
});
session.on('error', (error) => {
  throw error;
});
await once(session, 'remoteSettings');

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Sends a request, with a body when there is one, and takes the whole response. */
async function ask(path, { body = null, trailers = null, fields = {} } = {}) {
  const method = body === null ? 'GET' : 'POST';
  const options = { endStream: body === null, waitForTrailers: trailers !== null };
  const stream = session.request({ ':path': path, ':method': method, ...fields }, options);
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  let received = null;
  stream.on('trailers', (fields) => {
    received = fields;
  });
  if (body !== null) stream.end(body);
  const [head] = await once(stream, 'response');
  const parts = [];
  for await (const part of stream) parts.push(part);
  return { status: head[':status'], body: Buffer.concat(parts), trailers: received };
}

async function together() {
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask('/hello')));
  const said = new Set(answers.map(({ status, body }) => `${status} ${body}`));
  return `${answers.length} × ${[...said].join(', ')}`;
}

async function reset() {
  const stream = session.request({ ':path': '/silent' });
  stream.on('error', () => {});
  stream.close(8);
  await once(stream, 'close');
  const { status } = await ask('/hello');
  return `closed with ${stream.rstCode}, and another ${status === 200 ? 'served' : status}`;
}

function ping() {
  return new Promise((resolve, reject) => {
    session.ping(Buffer.from('12345678'), (error, _duration, payload) => {
      if (error) reject(error);
      else resolve(payload.toString() === '12345678' ? 'answered' : `answered ${payload}`);
    });
  });
}

async function settings() {
  session.settings({ headerTableSize: 0, initialWindowSize: 1_000, maxFrameSize: 100_000 });
  await once(session, 'localSettings');
  const { status, body } = await ask('/big');
  return `acknowledged, and another ${status === 200 && body.length === 300_000 ? 'served' : status}`;
}

async function tunnel() {
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/tunnel',
      ':scheme': 'https',
      ':authority': 'localhost',
    },
    { endStream: false },
  );
  const [head] = await once(stream, 'response');
  if (head[':status'] !== 200) return `refused with ${head[':status']}`;
  stream.write('hello');
  const [part] = await once(stream, 'data');
  stream.end();
  await once(stream, 'end');
  return `${part} and the end`;
}

const large = await ask('/large');
const streamed = await ask('/streamed');
const upload = await ask('/digest', { body: large.body, trailers: { checksum: 'abc' } });
process.stdout.write(
  JSON.stringify({
    together: await together(),
    large: digest(large.body),
    streamed: `${digest(streamed.body)} with trailer ${streamed.trailers?.digest}`,
    upload: upload.body.toString(),
    reset: await reset(),
    ping: await ping(),
    tunnel: await tunnel(),
    settings: await settings(),
  }),
);
session.close();

/**
 * The suite's own origin server on a loopback port, run by Node: `node origin.mjs ENGINE_DIRECTORY`. Prints
 * the port. The suite's server script would listen on every address; its handlers are used as they are.
 */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const engine = process.argv[2] ?? '.';
const handler = async (name) =>
  (await import(pathToFileURL(join(engine, 'server', `handle-${name}.mjs`)).href)).default;
const handlers = new Map(
  await Promise.all(['config', 'test', 'state'].map(async (name) => [name, await handler(name)])),
);

const server = createServer((request, response) => {
  const [, name, ...rest] = new URL(request.url ?? '/', 'http://origin.invalid').pathname.split('/');
  const handle = handlers.get(name);
  if (handle !== undefined) handle(rest, request, response);
  else response.writeHead(404).end();
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));

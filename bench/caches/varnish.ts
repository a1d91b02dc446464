/** Varnish: memory storage, one thread pool for the one core. It speaks no TLS. */
import { join } from 'node:path';
import { freePorts, startServer, versionOf } from '../support/programs.ts';
import { answers, type CacheKind, IDLE_SECONDS, MEMORY_MEBIBYTES, type RunningCache } from './cache.ts';

export const VARNISH: CacheKind = {
  name: 'varnish',
  programs: ['varnishd'],
  package: 'varnish',
  version: () => versionOf('varnishd', '-V', /varnish-(\S+)/),
  start,
};

async function start(home: string, originPort: number): Promise<RunningCache> {
  const [http = 0] = await freePorts(1);
  const command = [
    ...['varnishd', '-F', '-j', 'none', '-n', join(home, 'state'), '-T', 'none'],
    ...['-a', `127.0.0.1:${http}`, '-b', `127.0.0.1:${originPort}`, '-s', `malloc,${MEMORY_MEBIBYTES}m`],
    // The budget is full of small responses when a large one comes: evicting those must not fail it.
    ...['-p', 'thread_pools=1', '-p', 'nuke_limit=100000', '-p', `timeout_idle=${IDLE_SECONDS}`],
  ];
  const server = await startServer(command, () => answers(http));
  return { name: 'varnish', server, httpPort: http, httpsPort: null, hasHttp2: false };
}

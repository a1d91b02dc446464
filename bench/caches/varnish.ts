/** Varnish: memory storage unless another is asked for, one thread pool for the one core. It speaks no TLS. */
import { join } from 'node:path';
import { freePorts, startServer, versionOf } from '../support/programs.ts';
import { answers, type CacheKind, IDLE_SECONDS, MEMORY_MEBIBYTES, type RunningCache } from './cache.ts';

/** What follows `-s`, from the cache's home. */
type StorageOf = (home: string) => string;

export const VARNISH = varnishWith('varnish', () => `malloc,${MEMORY_MEBIBYTES}m`);

export function varnishWith(name: string, storageOf: StorageOf): CacheKind {
  return {
    name,
    programs: ['varnishd'],
    package: 'varnish',
    version: () => versionOf('varnishd', '-V', /varnish-(\S+)/),
    start: (home, originPort) => start(name, home, originPort, storageOf(home)),
  };
}

async function start(name: string, home: string, originPort: number, storage: string): Promise<RunningCache> {
  const [http = 0] = await freePorts(1);
  const command = [
    ...['varnishd', '-F', '-j', 'none', '-n', join(home, 'state'), '-T', 'none'],
    ...['-a', `127.0.0.1:${http}`, '-b', `127.0.0.1:${originPort}`, '-s', storage],
    // The budget is full of small responses when a large one comes: evicting those must not fail it.
    ...['-p', 'thread_pools=1', '-p', 'nuke_limit=100000', '-p', `timeout_idle=${IDLE_SECONDS}`],
  ];
  const server = await startServer(command, () => answers(http));
  return { name, server, httpPort: http, httpsPort: null, hasHttp2: false };
}

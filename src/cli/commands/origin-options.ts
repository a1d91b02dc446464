/** The options of `perigee site` that say what an origin is like, and how that is shown. */
import type { Command } from 'commander';
import type { Origin, SiteInput } from '#core/model/site.ts';
import { formatDuration, parseDuration } from '../duration.ts';

export interface OriginOptions {
  readonly hostHeader?: string;
  readonly insecure?: boolean;
  readonly originHttp2?: boolean;
  readonly connectTimeout?: string;
  readonly firstByteTimeout?: string;
  readonly betweenBytesTimeout?: string;
  readonly totalTimeout?: string;
}

export function withOriginOptions(command: Command): Command {
  return command
    .option('--host-header <host>', 'Host sent to the origins (default: the host the user asked for)')
    .option('--insecure', "do not verify https origins' certificates")
    .option('--origin-http2', 'speak HTTP/2 to the origins (https: where they agree; http: without asking)')
    .option('--connect-timeout <duration>', 'how long connecting to an origin may take (default: 5s)')
    .option('--first-byte-timeout <duration>', 'how long its answer may take to begin (default: 30s)')
    .option('--between-bytes-timeout <duration>', 'how long it may pause while it answers (default: 1m)')
    .option('--total-timeout <duration>', 'how long its whole answer may take (default: 4h)');
}

type OriginFields = Partial<Omit<SiteInput['origins'][number], 'url'>>;

/** What the options say of an origin; the rest is left out. `former`: its settings so far. */
export function readOriginFields(options: OriginOptions, former: Origin | null): OriginFields {
  const timeouts = readTimeouts(options);
  return {
    ...(options.hostHeader === undefined ? {} : { hostHeader: options.hostHeader }),
    ...(options.insecure === undefined ? {} : { verifyCertificate: !options.insecure }),
    ...(options.originHttp2 === undefined ? {} : { http2: options.originHttp2 }),
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts: { ...former?.timeouts, ...timeouts } }),
  };
}

function readTimeouts(options: OriginOptions) {
  const { connectTimeout, firstByteTimeout, betweenBytesTimeout, totalTimeout } = options;
  return {
    ...timeout('connectSeconds', connectTimeout, '--connect-timeout'),
    ...timeout('firstByteSeconds', firstByteTimeout, '--first-byte-timeout'),
    ...timeout('betweenBytesSeconds', betweenBytesTimeout, '--between-bytes-timeout'),
    ...timeout('totalSeconds', totalTimeout, '--total-timeout'),
  };
}

function timeout(name: string, text: string | undefined, option: string): Record<string, number> {
  return text === undefined ? {} : { [name]: parseDuration(text, option) };
}

/** Its address, and what is not as by default. */
export function formatOrigin({ url, hostHeader, verifyCertificate, http2, timeouts }: Origin): string {
  const within = (words: string, seconds: number | null | undefined): string | null =>
    seconds == null ? null : `${words} within ${formatDuration(seconds)}`;
  const notes = [
    hostHeader === null ? null : `Host: ${hostHeader}`,
    verifyCertificate ? null : 'certificate not verified',
    http2 ? 'HTTP/2' : null,
    within('connects', timeouts?.connectSeconds),
    within('answers', timeouts?.firstByteSeconds),
    within('goes on', timeouts?.betweenBytesSeconds),
    within('ends', timeouts?.totalSeconds),
  ].filter((note) => note !== null);
  return notes.length === 0 ? url : `${url} (${notes.join(', ')})`;
}

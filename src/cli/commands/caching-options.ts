/** The options of `perigee site` and `perigee site rule` that say how responses are cached, beside how long. */
import { type Command, Option } from 'commander';
import { AppError } from '#core/base/app-error.ts';
import type { CachingOptions } from '#core/model/caching-options.ts';
import { NO_BYPASS, PLAIN_KEY } from '#core/model/caching-text.ts';
import { parseDuration } from '../duration.ts';
import { collect } from '../repeated-option.ts';

type Switch = 'on' | 'off';

export interface CachingCliOptions {
  readonly statusTtl?: readonly string[];
  readonly keyQuery?: string;
  readonly keySortQuery?: Switch;
  readonly keyHeader?: readonly string[];
  readonly keyCookie?: readonly string[];
  readonly keyDevice?: Switch;
  readonly keyCountry?: Switch;
  readonly bypassHeader?: readonly string[];
  readonly bypassCookie?: readonly string[];
  readonly bypassQuery?: readonly string[];
  readonly setCookie?: CachingOptions['setCookie'];
  readonly requestDirectives?: CachingOptions['requestDirectives'];
  readonly staleIfError?: string;
  readonly staleWhileRevalidate?: string;
  readonly finishFills?: Switch;
  readonly requestHeader?: readonly string[];
  readonly checkContentType?: Switch;
  readonly slices?: CachingOptions['slices'];
}

/** What empties a list. */
const NONE = 'none';

export const CACHING_HELP = `
Lists are given one value at a time, and replace what was there; "none" empties them. Names of
parameters and cookies may have * in them, and =VALUE behind them.`;

export function withCachingOptions(command: Command): Command {
  const choice = (flags: string, text: string, choices: readonly string[]): Option =>
    new Option(flags, text).choices([...choices]);
  return command
    .option(
      '--status-ttl <status=duration>',
      'how long answers of a status are kept: 404=30s, 5xx=5s',
      collect,
    )
    .option('--key-query <which>', 'parameters in the cache key: all, none, only:id,page*, except:utm_*')
    .addOption(choice('--key-sort-query <switch>', 'whether their order does not count', ['on', 'off']))
    .option('--key-header <name>', 'a request header whose value is in the key', collect)
    .option('--key-cookie <name>', 'a cookie whose value is in the key', collect)
    .addOption(choice('--key-device <switch>', 'phone, tablet or desktop in the key', ['on', 'off']))
    .addOption(choice('--key-country <switch>', "the user's country in the key", ['on', 'off']))
    .option('--bypass-header <name>', 'requests with this header pass the cache by', collect)
    .option('--bypass-cookie <name>', 'requests with this cookie pass the cache by', collect)
    .option('--bypass-query <name>', 'requests with this parameter pass the cache by', collect)
    .addOption(
      choice('--set-cookie <policy>', 'which responses with Set-Cookie are stored (default: explicit)', [
        'explicit',
        'shared',
        'strip',
        'never',
      ]),
    )
    .addOption(
      choice(
        '--request-directives <policy>',
        'whether the Cache-Control of requests counts (default: honour)',
        ['honour', 'ignore'],
      ),
    )
    .option(
      '--stale-if-error <duration>',
      'how long a stale response may stand in for a failing origin (default: 1d)',
    )
    .option(
      '--stale-while-revalidate <duration>',
      'how long a stale response may be used while it is fetched anew (default: 0s)',
    )
    .addOption(
      choice('--finish-fills <switch>', 'whether a fetch goes on when its clients have left (default: on)', [
        'on',
        'off',
      ]),
    )
    .option('--request-header <name>', 'a request header that may reach the origin, or "all"', collect)
    .addOption(
      choice(
        '--check-content-type <switch>',
        'whether a page for a static file is not stored (default: on)',
        ['on', 'off'],
      ),
    )
    .addOption(
      choice('--slices <policy>', 'whether parts of large files are stored (default: auto)', ['auto', 'off']),
    );
}

/** What the options say; the rest is left out. `former`: what holds so far. */
export function readCachingFields(
  options: CachingCliOptions,
  former: Partial<{ readonly [Name in keyof CachingOptions]: CachingOptions[Name] | null }>,
): Partial<CachingOptions> {
  const { setCookie, requestDirectives, staleIfError, staleWhileRevalidate, slices } = options;
  const { finishFills, checkContentType, requestHeader } = options;
  return {
    ...(options.statusTtl === undefined ? {} : { statusTtls: readStatusTtls(options.statusTtl) }),
    ...readKey(options, former.cacheKey ?? PLAIN_KEY),
    ...readBypass(options, former.bypassWhen ?? NO_BYPASS),
    ...(setCookie === undefined ? {} : { setCookie }),
    ...(requestDirectives === undefined ? {} : { requestDirectives }),
    ...(staleIfError === undefined
      ? {}
      : { staleIfErrorSeconds: parseDuration(staleIfError, '--stale-if-error') }),
    ...(staleWhileRevalidate === undefined
      ? {}
      : { staleWhileRevalidateSeconds: parseDuration(staleWhileRevalidate, '--stale-while-revalidate') }),
    ...(finishFills === undefined ? {} : { finishFills: finishFills === 'on' }),
    ...(requestHeader === undefined ? {} : { requestFields: readRequestFields(requestHeader) }),
    ...(checkContentType === undefined ? {} : { checkContentType: checkContentType === 'on' }),
    ...(slices === undefined ? {} : { slices }),
  };
}

function readList(values: readonly string[] | undefined, former: readonly string[]): string[] {
  if (values === undefined) return [...former];
  return values.filter((value) => value.toLowerCase() !== NONE);
}

function readStatusTtls(values: readonly string[]): CachingOptions['statusTtls'] {
  return readList(values, []).map((value) => {
    const equals = value.indexOf('=');
    if (equals === -1) {
      throw new AppError(
        'invalid',
        `--status-ttl ${value}: must be a status and a duration, such as 404=30s`,
      );
    }
    const seconds = parseDuration(value.slice(equals + 1), `--status-ttl ${value.slice(0, equals)}=`);
    return { status: value.slice(0, equals), seconds };
  });
}

function readRequestFields(values: readonly string[]): CachingOptions['requestFields'] {
  return values.some((value) => value.toLowerCase() === 'all') ? 'all' : readList(values, []);
}

const QUERY = /^(?:(all|none)|(only|except):(.+))$/;

function readKey(
  options: CachingCliOptions,
  former: CachingOptions['cacheKey'],
): Pick<Partial<CachingOptions>, 'cacheKey'> {
  const { keyQuery, keySortQuery, keyHeader, keyCookie, keyDevice, keyCountry } = options;
  const given = [keyQuery, keySortQuery, keyHeader, keyCookie, keyDevice, keyCountry];
  if (given.every((value) => value === undefined)) return {};
  const query = keyQuery === undefined ? former.query : readQuery(keyQuery);
  return {
    cacheKey: {
      query: { ...query, sorted: keySortQuery === undefined ? former.query.sorted : keySortQuery === 'on' },
      headers: readList(keyHeader, former.headers),
      cookies: readList(keyCookie, former.cookies),
      deviceClass: keyDevice === undefined ? former.deviceClass : keyDevice === 'on',
      country: keyCountry === undefined ? former.country : keyCountry === 'on',
    },
  };
}

function readQuery(text: string): Pick<CachingOptions['cacheKey']['query'], 'include' | 'names'> {
  const match = QUERY.exec(text.trim());
  if (match === null) {
    throw new AppError('invalid', `--key-query ${text}: must be all, none, only:NAME,… or except:NAME,…`);
  }
  const [, whole, some, names = ''] = match;
  const include = (whole ?? some) as CachingOptions['cacheKey']['query']['include'];
  return {
    include,
    names: names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  };
}

function readBypass(
  { bypassHeader, bypassCookie, bypassQuery }: CachingCliOptions,
  former: CachingOptions['bypassWhen'],
): Pick<Partial<CachingOptions>, 'bypassWhen'> {
  if (bypassHeader === undefined && bypassCookie === undefined && bypassQuery === undefined) return {};
  return {
    bypassWhen: {
      headers: readList(bypassHeader, former.headers),
      cookies: readList(bypassCookie, former.cookies),
      query: readList(bypassQuery, former.query),
    },
  };
}

/** The option that a field of the model comes from, for errors. */
export const OPTION_OF_CACHING_FIELD: Readonly<Record<string, string>> = {
  statusTtls: '--status-ttl',
  'cacheKey.query': '--key-query',
  'cacheKey.headers': '--key-header',
  'cacheKey.cookies': '--key-cookie',
  'bypassWhen.headers': '--bypass-header',
  'bypassWhen.cookies': '--bypass-cookie',
  'bypassWhen.query': '--bypass-query',
  requestFields: '--request-header',
  slices: '--slices',
  requestDirectives: '--request-directives',
  finishFills: '--finish-fills',
  cacheKey: '--key-…',
  bypassWhen: '--bypass-…',
  staleIfErrorSeconds: '--stale-if-error',
  staleWhileRevalidateSeconds: '--stale-while-revalidate',
};

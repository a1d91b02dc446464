/** `perigee purge`: stored responses that must be used no more. */
import type { Command } from 'commander';
import { AppError } from '#core/base/app-error.ts';
import type { PurgeView } from '#core/contract/purges.ts';
import type { PurgeOrder, PurgeTarget } from '#core/model/purge.ts';
import { findSite } from '../find-site.ts';
import type { CliIo } from '../io.ts';
import { PURGE_URLS_MAX } from '../limits.ts';
import { countOf } from '../quantity.ts';
import { openSession, type Session, withGlobalOptions } from '../session.ts';
import { printable } from '../table.ts';

interface PurgeOptions {
  readonly site?: string;
  readonly prefix?: string;
  readonly tag?: string;
  readonly host?: string;
  readonly everything?: boolean;
  readonly soft?: boolean;
}

const HELP = `
It returns once every edge has applied the purge: no response from before is used after it.
With --soft they are stale instead: validated before they are used, or served meanwhile where stale responses may be.

Examples:
  perigee purge http://www.example.com/news.html http://www.example.com/
  perigee purge --site www.example.com --prefix /img/
  perigee purge --site www.example.com --tag product-7
  perigee purge --site www.example.com --everything --soft
  perigee purge --host img.example.com`;

export function addPurgeCommand(program: Command, io: CliIo): void {
  const command = program
    .command('purge [url...]')
    .description('drop stored responses: by URL, or of a site by prefix, tag, host or everything')
    .option('--site <site>', 'the site that --prefix, --tag or --everything is about, by id or host')
    .option('--prefix <path>', 'everything whose path begins with this')
    .option('--tag <tag>', 'everything that carries this tag (Cache-Tag, Surrogate-Key, Cache-Groups)')
    .option('--host <host>', 'everything under this host of the site; names the site, too')
    .option('--everything', 'everything of the site')
    .option('--soft', 'make it stale instead of unusable')
    .addHelpText('after', HELP);
  withGlobalOptions(command).action(async (urls: string[], options: PurgeOptions, self: Command) => {
    const session = openSession(self, io);
    const targets = await readTargets(session, urls, options);
    const soft = options.soft === true;
    const orders: PurgeOrder[] = targets.map((target) => ({ ...target, soft }));
    const purges: PurgeView[] = [];
    try {
      for (const body of orders) purges.push(await session.api.createPurge({ body }));
    } finally {
      // What was purged before one was refused is worth knowing.
      if (purges.length > 0) {
        session.show({ purges }, () => purges.map((purge) => renderPurge(session, purge)).join(''));
      }
    }
  });
}

async function readTargets(
  session: Session,
  urls: readonly string[],
  options: PurgeOptions,
): Promise<PurgeTarget[]> {
  const { prefix, tag, host, everything } = options;
  const kinds = [
    urls.length > 0,
    prefix !== undefined,
    tag !== undefined,
    host !== undefined,
    everything === true,
  ];
  if (kinds.filter(Boolean).length !== 1) {
    throw new AppError('invalid', 'give one of: URLs, --prefix PATH, --tag TAG, --host HOST, --everything');
  }
  if (urls.length > PURGE_URLS_MAX) {
    throw new AppError(
      'limit-exceeded',
      `${urls.length} URLs are more than ${PURGE_URLS_MAX} at once; purge by --prefix or --tag`,
    );
  }
  if (urls.length > 0) return urls.map((url) => ({ kind: 'url', url }));
  const site = options.site ?? host;
  if (site === undefined) throw new AppError('invalid', 'name the site: --site ID or --site HOST');
  const { id: siteId } = await findSite(session.api, site);
  if (prefix !== undefined) return [{ kind: 'prefix', siteId, prefix }];
  if (tag !== undefined) return [{ kind: 'tag', siteId, tag }];
  if (host !== undefined) return [{ kind: 'host', siteId, host }];
  return [{ kind: 'everything', siteId }];
}

/** A purge's target in words. */
export function describeTarget(target: PurgeTarget): string {
  switch (target.kind) {
    case 'url':
      return printable(target.url);
    case 'prefix':
      return `${printable(target.prefix)}* of site ${target.siteId}`;
    case 'tag':
      return `tag ${printable(target.tag)} of site ${target.siteId}`;
    case 'host':
      return `everything under ${target.host} of site ${target.siteId}`;
    case 'everything':
      return `everything of site ${target.siteId}`;
  }
}

/** The API answers only once every edge that runs has the purge in force. */
function renderPurge(session: Session, { position, target, soft, receipts }: PurgeView): string {
  const where =
    receipts.length === 0 ? 'no edge is running' : `in force on ${countOf(receipts.length, 'edge worker')}`;
  const dropped = receipts.reduce((sum, { purgedResponses }) => sum + (purgedResponses ?? 0), 0);
  const word = dropped > 0 ? `, ${countOf(dropped, 'stored response')} dropped` : '';
  return `${session.style('green', soft ? 'Purged softly' : 'Purged')} ${describeTarget(target)} (number ${position}): ${where}${word}\n`;
}

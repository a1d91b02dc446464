/** `perigee site`: what the CDN serves. */
import { type Command, Option } from 'commander';
import { AppError } from '#core/base/app-error.ts';
import type { SiteView } from '#core/contract/sites.ts';
import { describeCaching } from '#core/model/caching-text.ts';
import { hostNameSchema } from '#core/model/site.ts';
import { siteIdFromHost } from '#core/model/site-from-host.ts';
import { formatDuration } from '../duration.ts';
import { findSite, listAllSites } from '../find-site.ts';
import type { CliIo } from '../io.ts';
import { countOf } from '../quantity.ts';
import { collect } from '../repeated-option.ts';
import { rulesTable } from '../rule-text.ts';
import { openSession, type Session, withGlobalOptions } from '../session.ts';
import { printable } from '../table.ts';
import {
  CACHING_HELP,
  type CachingCliOptions,
  readCachingFields,
  withCachingOptions,
} from './caching-options.ts';
import { formatOrigin, type OriginOptions, readOriginFields, withOriginOptions } from './origin-options.ts';
import { formatClientCertificates, readTlsFields, type TlsOptions, withTlsOptions } from './tls-options.ts';

interface SiteOptions extends OriginOptions, TlsOptions, CachingCliOptions {
  readonly id?: string;
  readonly origin?: readonly string[];
  readonly alias?: readonly string[];
  readonly websockets?: 'on' | 'off';
}

/** Adds `site` and returns it, so that `rule` finds its place below. */
export function addSiteCommands(program: Command, io: CliIo): Command {
  const site = program.command('site').description('sites: hosts, the origins behind them, and rules');
  addCommand(site, io);
  listCommand(site, io);
  showCommand(site, io);
  setCommand(site, io);
  removeCommand(site, io);
  return site;
}

function withSiteOptions(command: Command): Command {
  const named = command
    .option(
      '--origin <url>',
      'where the content comes from, such as http://192.0.2.1:8080; again: the next to try',
      collect,
    )
    .option('--alias <host>', 'another host of the same site; may be given several times', collect);
  const withSockets = withOriginOptions(named).addOption(
    new Option(
      '--websockets <switch>',
      'whether users may open WebSockets to the origins (default: on)',
    ).choices(['on', 'off']),
  );
  return withTlsOptions(withCachingOptions(withSockets)).addHelpText('after', CACHING_HELP);
}

/** Fields of a site that options set; what was not given is left out. `former`: the site so far. */
function readFields(options: SiteOptions, former: SiteView | null) {
  return {
    ...(options.origin === undefined
      ? {}
      : {
          origins: options.origin.map((url) => ({ url, ...readOriginFields(options, null) })),
        }),
    ...readCachingFields(options, former ?? {}),
    ...(options.websockets === undefined ? {} : { webSockets: options.websockets === 'on' }),
  };
}

function addCommand(site: Command, io: CliIo): void {
  const command = site
    .command('add <host>')
    .description('serve a host from its origin')
    .option('--id <id>', "the site's id, one DNS label (default: made from the host)");
  withGlobalOptions(withSiteOptions(command)).action(
    async (host: string, options: SiteOptions, self: Command) => {
      const session = openSession(self, io);
      if (options.origin === undefined) {
        throw new AppError(
          'invalid',
          'say where the content comes from: --origin URL, such as --origin http://192.0.2.1:8080',
        );
      }
      const named = host.trim().toLowerCase().replace(/\.$/, '');
      // Judged before an id is made of it: the refusal should be of what was written.
      const judged = hostNameSchema.safeParse(named);
      if (!judged.success) throw new AppError('invalid', `host ${named}: ${judged.error.issues[0]?.message}`);
      const id = options.id ?? siteIdFromHost(named, (await session.api.getHealth()).zone);
      const { origins = [], ...rest } = readFields(options, null);
      const created = await session.api.createSite({
        body: {
          id,
          hosts: [named, ...(options.alias ?? [])],
          origins,
          ...rest,
          ...readTlsFields(options, null),
        },
      });
      session.show(created, () => `Added site ${created.id}.\n${renderHowToPoint(created)}`);
    },
  );
}

function renderHowToPoint({ hosts, cname }: SiteView): string {
  const outside = hosts.filter((host) => host !== cname);
  if (outside.length === 0) return `It is served at ${cname}.\n`;
  return `Point ${outside.join(', ')} at it with a CNAME record: ${cname}\n`;
}

function listCommand(site: Command, io: CliIo): void {
  withGlobalOptions(site.command('list').description('list all sites')).action(
    async (_: unknown, self: Command) => {
      const session = openSession(self, io);
      const sites = await listAllSites(session.api);
      session.show({ sites }, () => renderSites(session, sites));
    },
  );
}

function renderSites(session: Session, sites: readonly SiteView[]): string {
  if (sites.length === 0) return 'No sites yet. Add one: perigee site add HOST --origin URL\n';
  const columns = [
    { heading: 'ID' },
    { heading: 'HOSTS' },
    { heading: 'ORIGINS' },
    { heading: 'RULES', align: 'right' as const },
  ];
  return session.table(
    columns,
    sites.map(({ id, hosts, origins, rules }) => [
      id,
      summarise(hosts),
      summarise(origins.map(({ url }) => url)),
      String(rules.length),
    ]),
  );
}

/** The first two, and how many more. */
function summarise(names: readonly string[]): string {
  const shown = names.slice(0, 2).map(printable).join(', ');
  return names.length > 2 ? `${shown} +${names.length - 2}` : shown;
}

function showCommand(site: Command, io: CliIo): void {
  withGlobalOptions(site.command('show <site>').description('show a site, by id or host')).action(
    async (name: string, _: unknown, self: Command) => {
      const session = openSession(self, io);
      const found = await findSite(session.api, name);
      session.show(found, () => renderSite(session, found));
    },
  );
}

function renderSite(session: Session, site: SiteView): string {
  const label = (text: string) => session.style('dim', text.padEnd(24));
  const lines = [
    session.style('bold', site.id),
    `${label('Hosts')}${site.hosts.map(printable).join(', ')}`,
    `${label('CNAME target')}${site.cname}`,
    `${label('Origins')}${site.origins.map(formatOrigin).map(printable).join(', ')}`,
    `${label('Stale if error')}${formatDuration(site.staleIfErrorSeconds)}`,
    `${label('Stale while revalidate')}${formatDuration(site.staleWhileRevalidateSeconds)}`,
    `${label('Caching')}${printable(describeCaching(site, formatDuration, false).join(', ')) || 'as by default'}`,
    `${label('WebSockets')}${site.webSockets ? 'on' : 'off'}`,
    `${label('TLS')}${site.minTlsVersion} or later`,
    `${label('Client certificates')}${formatClientCertificates(site.clientCertificates)}`,
    `${label('Rules')}${site.rules.length === 0 ? "none: the origin's Cache-Control decides" : countOf(site.rules.length, 'rule')}`,
  ];
  const rules = site.rules.length === 0 ? '' : `\n${rulesTable(session, site.rules)}`;
  return `${lines.join('\n')}\n${rules}`;
}

function setCommand(site: Command, io: CliIo): void {
  const command = site
    .command('set <site>')
    .description(
      "change a site's origins, caching, WebSockets or TLS, or give it more hosts; what is left out stays",
    );
  withGlobalOptions(withSiteOptions(command)).action(
    async (name: string, options: SiteOptions, self: Command) => {
      const session = openSession(self, io);
      const found = await findSite(session.api, name);
      const isAboutOrigins = Object.keys(readOriginFields(options, null)).length > 0;
      const changes = {
        ...(isAboutOrigins
          ? { origins: found.origins.map((origin) => ({ ...origin, ...readOriginFields(options, origin) })) }
          : {}),
        ...readFields(options, found),
        ...readTlsFields(options, found.clientCertificates),
        ...(options.alias === undefined ? {} : { hosts: [...new Set([...found.hosts, ...options.alias])] }),
      };
      if (Object.keys(changes).length === 0) {
        throw new AppError(
          'invalid',
          'nothing to change: give --origin, --alias, --stale-if-error or another option',
        );
      }
      const changed = await session.api.patchSite({ params: { id: found.id }, body: changes });
      session.show(changed, () => `Changed site ${changed.id}.\n\n${renderSite(session, changed)}`);
    },
  );
}

function removeCommand(site: Command, io: CliIo): void {
  withGlobalOptions(
    site
      .command('rm <site>')
      .description('stop serving a site, by id or host; its stored responses are used no more'),
  ).action(async (name: string, _: unknown, self: Command) => {
    const session = openSession(self, io);
    const found = await findSite(session.api, name);
    await session.api.deleteSite({ params: { id: found.id } });
    session.show(
      { removed: found.id },
      () => `Removed site ${found.id} (${found.hosts.map(printable).join(', ')}).\n`,
    );
  });
}

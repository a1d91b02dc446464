/** `perigee site rule`: how responses are cached, by path and type. */
import { type Command, Option } from 'commander';
import { AppError } from '#core/base/app-error.ts';
import { canonicalJson } from '#core/base/canonical-json.ts';
import { type Rule, ruleSchema } from '#core/model/site.ts';
import { parseDuration } from '../duration.ts';
import { findSite } from '../find-site.ts';
import type { CliIo } from '../io.ts';
import { describeMatch, rulesTable } from '../rule-text.ts';
import { openSession, withGlobalOptions } from '../session.ts';
import {
  CACHING_HELP,
  type CachingCliOptions,
  OPTION_OF_CACHING_FIELD,
  readCachingFields,
  withCachingOptions,
} from './caching-options.ts';

interface RuleOptions extends CachingCliOptions {
  readonly path?: string;
  readonly type?: string;
  readonly mode?: string;
  readonly edgeTtl?: string;
  readonly browserTtl?: string;
  readonly at?: string;
}

const ADD_HELP = `
The first rule that matches applies, and no other; what it does not say is as the site says
("site set"). Without rules, or where none matches, the origin's Cache-Control decides. Modes:
  respect-origin   the origin's Cache-Control wins; --edge-ttl applies where it is silent
  override-origin  --edge-ttl applies whatever the origin says
  bypass           never stored

Examples:
  perigee site rule add shop --path '/img/*' --mode override-origin --edge-ttl 30d --browser-ttl 1h
  perigee site rule add shop --type text/html --mode override-origin --edge-ttl 1m
  perigee site rule add shop --path '/account/*' --mode bypass --at 1
  perigee site rule add shop --path '/api/*' --key-header x-tenant --status-ttl 5xx=5s
${CACHING_HELP}`;

export function addRuleCommands(site: Command, io: CliIo): void {
  const rule = site.command('rule').description('how responses are cached, by path and type');
  listCommand(rule, io);
  addCommand(rule, io);
  setCommand(rule, io);
  removeCommand(rule, io);
}

function listCommand(rule: Command, io: CliIo): void {
  withGlobalOptions(rule.command('list <site>').description("list a site's rules in order")).action(
    async (name: string, _: unknown, self: Command) => {
      const session = openSession(self, io);
      const { id, rules } = await findSite(session.api, name);
      session.show({ site: id, rules }, () =>
        rules.length === 0
          ? `Site ${id} has no rules: the origin's Cache-Control decides.\n`
          : rulesTable(session, rules),
      );
    },
  );
}

function addCommand(rule: Command, io: CliIo): void {
  const command = withRuleOptions(rule.command('add <site>').description('add a rule'))
    .option('--at <number>', 'its place among the rules, 1 being the first (default: the last)')
    .addHelpText('after', ADD_HELP);
  withGlobalOptions(command).action(async (name: string, options: RuleOptions, self: Command) => {
    const session = openSession(self, io);
    const added = readRule(options, NEW_RULE);
    const { id, rules } = await findSite(session.api, name);
    const place =
      options.at === undefined ? rules.length + 1 : readPlace(options.at, rules.length + 1, '--at');
    const changed = await session.api.patchSite({
      params: { id },
      body: { rules: rules.toSpliced(place - 1, 0, added) },
    });
    session.show(
      changed,
      () => `Added rule ${place} to site ${id}.\n\n${rulesTable(session, changed.rules)}`,
    );
  });
}

function setCommand(rule: Command, io: CliIo): void {
  const command = withRuleOptions(
    rule.command('set <site> <number>').description('change a rule; what is left out stays'),
  ).addHelpText('after', `\n"none" takes back a path, a type or a TTL.\n${CACHING_HELP}`);
  withGlobalOptions(command).action(
    async (name: string, number: string, options: RuleOptions, self: Command) => {
      const session = openSession(self, io);
      const { id, rules } = await findSite(session.api, name);
      if (rules.length === 0) throw new AppError('not-found', `site ${id} has no rules`);
      const place = readPlace(number, rules.length, 'rule');
      const former = rules[place - 1] as Rule;
      const rule = readRule(options, former);
      if (canonicalJson(rule) === canonicalJson(former)) {
        throw new AppError('invalid', 'nothing to change: give --path, --edge-ttl or another option');
      }
      const changed = await session.api.patchSite({
        params: { id },
        body: { rules: rules.toSpliced(place - 1, 1, rule) },
      });
      session.show(
        changed,
        () => `Changed rule ${place} of site ${id}.\n\n${rulesTable(session, changed.rules)}`,
      );
    },
  );
}

function withRuleOptions(command: Command): Command {
  const timed = command
    .option(
      '--path <pattern>',
      'paths it is about, such as /img/*; * stands for any characters (default: all)',
    )
    .option('--type <type>', 'media types it is about, such as image/* (default: all)')
    .addOption(
      new Option('--mode <mode>', 'whose word counts, see below').choices(
        ruleSchema.shape.mode.unwrap().options,
      ),
    )
    .option('--edge-ttl <duration>', 'how long edges keep the response: 30s, 10m, 1h, 30d')
    .option('--browser-ttl <duration>', 'how long browsers may keep it (default: as the origin says)');
  return withCachingOptions(timed);
}

const NEW_RULE: Rule = ruleSchema.parse({});

/** The rule that the options make of `former`. */
function readRule(options: RuleOptions, former: Rule): Rule {
  const parsed = ruleSchema.safeParse({
    ...former,
    ...readCachingFields(options, former),
    path: readOr(options.path, former.path),
    contentType: readOr(options.type, former.contentType),
    mode: options.mode ?? former.mode,
    edgeTtlSeconds: readTtl(options.edgeTtl, former.edgeTtlSeconds, '--edge-ttl'),
    browserTtlSeconds: readTtl(options.browserTtl, former.browserTtlSeconds, '--browser-ttl'),
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const [first, second] = (issue?.path ?? []).map(String);
    const option = OPTION_OF_FIELD[`${first}.${second}`] ?? OPTION_OF_FIELD[String(first)] ?? 'rule';
    throw new AppError('invalid', `${option}: ${issue?.message ?? 'is not valid'}`);
  }
  const { mode, edgeTtlSeconds, statusTtls } = parsed.data;
  if (mode === 'override-origin' && edgeTtlSeconds === null && (statusTtls ?? []).length === 0) {
    throw new AppError('invalid', '--mode override-origin needs --edge-ttl, such as --edge-ttl 1h');
  }
  return parsed.data;
}

function readOr(text: string | undefined, former: string | null): string | null {
  if (text === undefined) return former;
  return text === 'none' ? null : text;
}

function readTtl(text: string | undefined, former: number | null, option: string): number | null {
  if (text === undefined) return former;
  return text === 'none' ? null : parseDuration(text, option);
}

const OPTION_OF_FIELD: Readonly<Record<string, string>> = {
  ...OPTION_OF_CACHING_FIELD,
  path: '--path',
  contentType: '--type',
  mode: '--mode',
  edgeTtlSeconds: '--edge-ttl',
  browserTtlSeconds: '--browser-ttl',
};

/** A place from 1 to `last`. */
function readPlace(text: string, last: number, option: string): number {
  const place = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (place < 1 || place > last) {
    throw new AppError('invalid', `${option} ${text}: must be a number from 1 to ${last}`);
  }
  return place;
}

function removeCommand(rule: Command, io: CliIo): void {
  withGlobalOptions(
    rule.command('rm <site> <number>').description('remove a rule, by its number in "site rule list"'),
  ).action(async (name: string, number: string, _: unknown, self: Command) => {
    const session = openSession(self, io);
    const { id, rules } = await findSite(session.api, name);
    if (rules.length === 0) throw new AppError('not-found', `site ${id} has no rules`);
    const place = readPlace(number, rules.length, 'rule');
    const removed = rules[place - 1];
    const changed = await session.api.patchSite({
      params: { id },
      body: { rules: rules.toSpliced(place - 1, 1) },
    });
    const what = removed === undefined ? '' : ` (${describeMatch(removed)})`;
    session.show(changed, () => `Removed rule ${place}${what} from site ${id}.\n`);
  });
}

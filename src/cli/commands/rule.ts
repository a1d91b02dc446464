/** `perigee site rule`: how long responses are kept, by path and type. */
import { type Command, Option } from 'commander';
import { AppError } from '#core/base/app-error.ts';
import { type Rule, ruleSchema } from '#core/model/site.ts';
import { parseDuration } from '../duration.ts';
import { findSite } from '../find-site.ts';
import type { CliIo } from '../io.ts';
import { describeMatch, rulesTable } from '../rule-text.ts';
import { openSession, withGlobalOptions } from '../session.ts';

interface RuleOptions {
  readonly path?: string;
  readonly type?: string;
  readonly mode: string;
  readonly edgeTtl?: string;
  readonly browserTtl?: string;
  readonly at?: string;
}

const ADD_HELP = `
The first rule that matches a response decides; without rules, or where none matches, the origin's
Cache-Control decides alone. Modes:
  respect-origin   the origin's Cache-Control wins; --edge-ttl applies where it is silent
  override-origin  --edge-ttl applies whatever the origin says
  bypass           never stored

Examples:
  perigee site rule add shop --path '/img/*' --mode override-origin --edge-ttl 30d --browser-ttl 1h
  perigee site rule add shop --type text/html --mode override-origin --edge-ttl 1m
  perigee site rule add shop --path '/account/*' --mode bypass --at 1`;

export function addRuleCommands(site: Command, io: CliIo): void {
  const rule = site.command('rule').description('how long responses are kept, by path and type');
  listCommand(rule, io);
  addCommand(rule, io);
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
  const command = rule
    .command('add <site>')
    .description('add a rule')
    .option(
      '--path <pattern>',
      'paths it is about, such as /img/*; * stands for any characters (default: all)',
    )
    .option('--type <type>', 'media types it is about, such as image/* (default: all)')
    .addOption(
      new Option('--mode <mode>', 'whose word counts, see below')
        .choices(ruleSchema.shape.mode.unwrap().options)
        .default('respect-origin'),
    )
    .option('--edge-ttl <duration>', 'how long edges keep the response: 30s, 10m, 1h, 30d')
    .option('--browser-ttl <duration>', 'how long browsers may keep it (default: as the origin says)')
    .option('--at <number>', 'its place among the rules, 1 being the first (default: the last)')
    .addHelpText('after', ADD_HELP);
  withGlobalOptions(command).action(async (name: string, options: RuleOptions, self: Command) => {
    const session = openSession(self, io);
    const added = readRule(options);
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

function readRule(options: RuleOptions): Rule {
  const parsed = ruleSchema.safeParse({
    path: options.path ?? null,
    contentType: options.type ?? null,
    mode: options.mode,
    edgeTtlSeconds: options.edgeTtl === undefined ? null : parseDuration(options.edgeTtl, '--edge-ttl'),
    browserTtlSeconds:
      options.browserTtl === undefined ? null : parseDuration(options.browserTtl, '--browser-ttl'),
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const option = OPTION_OF_FIELD[String(issue?.path[0])] ?? 'rule';
    throw new AppError('invalid', `${option}: ${issue?.message ?? 'is not valid'}`);
  }
  if (parsed.data.mode === 'override-origin' && parsed.data.edgeTtlSeconds === null) {
    throw new AppError('invalid', '--mode override-origin needs --edge-ttl, such as --edge-ttl 1h');
  }
  return parsed.data;
}

const OPTION_OF_FIELD: Readonly<Record<string, string>> = {
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

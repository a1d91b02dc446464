/**
 * The `perigee` command's tree, without `up`, which `main/` adds, and the running of it: every error
 * becomes one clear line on standard error and the exit code of its kind.
 */
import { Command, CommanderError } from 'commander';
import { APP_ERROR_CODES, AppError } from '#core/base/app-error.ts';
import { ApiError } from '#core/contract/errors.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { addCacheCommands } from './commands/cache.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addPopCommands } from './commands/pop.ts';
import { addPurgeCommand } from './commands/purge.ts';
import { addRuleCommands } from './commands/rule.ts';
import { addSiteCommands } from './commands/site.ts';
import { addStatsCommand } from './commands/stats.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTokenCommands } from './commands/token.ts';
import type { CliIo } from './io.ts';
import { printable } from './table.ts';

const EXIT_CODE_USAGE = APP_ERROR_CODES.invalid.exitCode;
const EXIT_CODE_FAULT = APP_ERROR_CODES.internal.exitCode;

const EXAMPLES = `
Examples:
  perigee up                                               run a whole CDN on this machine
  perigee site add www.example.com --origin http://192.0.2.1
  perigee site rule add www.example.com --path '/img/*' --mode override-origin --edge-ttl 30d
  perigee purge http://www.example.com/news.html
  perigee explain http://www.example.com/ --from Lagos

"perigee help COMMAND" says more about each.`;

/** The command tree; commands added to it later inherit its ways. Run it with `runProgram`. */
export function createProgram(io: CliIo): Command {
  const program = new Command('perigee')
    .description('A content delivery network that anyone can run.')
    .version(packageFile.version)
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      // `runProgram` says what went wrong, once.
      outputError: () => {},
    })
    .showSuggestionAfterError(true)
    .exitOverride()
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  const sites = addSiteCommands(program, io);
  addRuleCommands(sites, io);
  addPurgeCommand(program, io);
  addPopCommands(program, io);
  addStatusCommand(program, io);
  addStatsCommand(program, io);
  addCacheCommands(program, io);
  addExplainCommand(program, io);
  addTokenCommands(program, io);
  addHelpCommand(program);
  return program;
}

/** `help site add`, however deep: the library's own goes one level down. */
function addHelpCommand(program: Command): void {
  program
    .command('help [command...]')
    .description('describe a command, with its options and examples')
    .action((names: readonly string[]) => {
      let described = program;
      for (const name of names) {
        const next = described.commands.find((command) => command.name() === name);
        if (next === undefined) {
          throw new AppError('invalid', `unknown command '${names.join(' ')}'; "perigee help" lists them`);
        }
        described = next;
      }
      described.outputHelp();
    });
}

/** Runs the command that `argv` (as `process.argv` has it) names; returns the exit code. */
export async function runProgram(
  program: Command,
  argv: readonly string[],
  io: Pick<CliIo, 'err'>,
): Promise<number> {
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    return reportError(error, io);
  }
}

function reportError(error: unknown, io: Pick<CliIo, 'err'>): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Help that was shown because no command was named says enough.
    if (error.code !== 'commander.help')
      io.err(`perigee: ${toOneLine(error.message.replace(/^error: /, ''))}\n`);
    return EXIT_CODE_USAGE;
  }
  if (error instanceof AppError) {
    io.err(`perigee: ${toOneLine(error.message)}\n`);
    if (error instanceof ApiError) for (const line of detailLines(error)) io.err(line);
    return APP_ERROR_CODES[error.code].exitCode;
  }
  io.err(`perigee: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT_CODE_FAULT;
}

/** The message tells the first of them; more than one are told each on a line. */
function detailLines({ details }: ApiError): string[] {
  if (details.length < 2) return [];
  return details.map(({ path, message }) => `  ${toOneLine(`${path}: ${message}`)}\n`);
}

function toOneLine(text: string): string {
  return printable(text.trim().replace(/\s*\n\s*/g, ' '));
}

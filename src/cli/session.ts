/** What every command has at hand: the API, and how to say things, for people or as JSON. */
import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { ApiClient } from '#core/contract/client.ts';
import { type ConnectionOptions, connect, DEFAULT_API_URL, DEFAULT_DATA_DIRECTORY } from './connection.ts';
import type { CliIo } from './io.ts';
import { type Column, renderTable } from './table.ts';

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

export interface Session {
  /** Connects at its first use, so that a command's own arguments are judged before. */
  readonly api: ApiClient;
  /** Now, in ms since the epoch. */
  readonly now: number;
  /**
   * Shows a result: `value` as JSON when `--json` was given, else the text that `render` makes of it.
   */
  show<Value>(value: Value, render: (value: Value) => string): void;
  style(style: Style, text: string): string;
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): string;
}

interface GlobalOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** Adds the options that every command has. */
export function withGlobalOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON instead of text')
    .option('--api <url>', `address of the API (PERIGEE_API; default: ${DEFAULT_API_URL})`)
    .option('--token <token>', 'API token (PERIGEE_TOKEN; default: the admin-token of --data)')
    .option(
      '--data <dir>',
      `data directory of the running perigee (PERIGEE_DATA; default: ${DEFAULT_DATA_DIRECTORY})`,
    );
}

/** Opens a session for a command that was given its options. */
export function openSession(command: Command, io: CliIo): Session {
  const given: GlobalOptions = command.opts();
  const hasColour = io.isTerminal && (io.environment.NO_COLOR ?? '') === '';
  function style(format: Style, text: string): string {
    return hasColour ? styleText(format, text, { validateStream: false }) : text;
  }
  let client: ApiClient | undefined;
  return {
    get api() {
      client ??= connect(given, io);
      return client;
    },
    now: Date.now(),
    show: (value, render) => {
      io.out(given.json === true ? `${JSON.stringify(value, null, 2)}\n` : render(value));
    },
    style,
    table: (columns, rows) => renderTable(columns, rows, (text) => style('bold', text)),
  };
}

/** `perigee explain`: why a user is sent where, and what the cache there would do. */
import type { Command } from 'commander';
import type { Explanation } from '#core/contract/explain.ts';
import { renderExplanation } from '../explanation-text.ts';
import type { CliIo } from '../io.ts';
import { openSession, withGlobalOptions } from '../session.ts';

const HELP = `
It asks the name server and the edges themselves; nothing is served, stored or counted.

Examples:
  perigee explain http://www.example.com/ --from Lagos
  perigee explain http://www.example.com/img/logo.png --from 198.51.100.7`;

export function addExplainCommand(program: Command, io: CliIo): void {
  const command = program
    .command('explain <url>')
    .description(
      'explain a URL: candidates with their distances, the chosen POP, the cache key, rule and stored response',
    )
    .option(
      '--from <place>',
      'the user: an IP address, a city, or LATITUDE,LONGITUDE (default: this machine)',
    )
    .addHelpText('after', HELP);
  withGlobalOptions(command).action(async (url: string, options: { from?: string }, self: Command) => {
    const session = openSession(self, io);
    const query = options.from === undefined ? { url } : { url, from: options.from };
    const explanation: Explanation = await session.api.explain({ query });
    session.show(explanation, () => renderExplanation(session, explanation));
  });
}

/** `perigee token`: who may use the API. */
import type { Command } from 'commander';
import { formatDuration } from '../duration.ts';
import type { CliIo } from '../io.ts';
import { openSession, withGlobalOptions } from '../session.ts';
import { printable } from '../table.ts';

export function addTokenCommands(program: Command, io: CliIo): void {
  const token = program.command('token').description('tokens: who may use the API');

  withGlobalOptions(token.command('list').description('list tokens, without their secrets')).action(
    async (_: unknown, self: Command) => {
      const session = openSession(self, io);
      const { tokens } = await session.api.listTokens();
      const ago = (at: number | null) =>
        at === null ? 'never' : `${formatDuration((session.now - at) / 1000)} ago`;
      session.show({ tokens }, () =>
        session.table(
          [{ heading: 'ID' }, { heading: 'NAME' }, { heading: 'MADE' }, { heading: 'LAST USED' }],
          tokens.map(({ id, name, createdAt, lastUsedAt }) => [
            id,
            printable(name),
            ago(createdAt),
            ago(lastUsedAt),
          ]),
        ),
      );
    },
  );

  withGlobalOptions(
    token.command('add <name>').description('make a token; its secret is shown this once'),
  ).action(async (name: string, _: unknown, self: Command) => {
    const session = openSession(self, io);
    const created = await session.api.createToken({ body: { name } });
    session.show(
      created,
      () =>
        `Made token ${printable(created.name)} (${created.id}). It is shown this once; keep it safe:\n${created.token}\n`,
    );
  });

  withGlobalOptions(token.command('rm <id>').description('revoke a token, by the id in "token list"')).action(
    async (id: string, _: unknown, self: Command) => {
      const session = openSession(self, io);
      await session.api.deleteToken({ params: { id } });
      session.show({ removed: id }, () => `Revoked token ${id}.\n`);
    },
  );
}

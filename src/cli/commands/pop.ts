/** `perigee pop`: the places where edges are. */
import type { Command } from 'commander';
import { AppError } from '#core/base/app-error.ts';
import type { ApiClient } from '#core/contract/client.ts';
import type { Pop } from '#core/model/pop.ts';
import type { CliIo } from '../io.ts';
import { readAllPages } from '../paging.ts';
import { collect } from '../repeated-option.ts';
import { openSession, type Session, withGlobalOptions } from '../session.ts';
import { printable } from '../table.ts';

interface PopOptions {
  readonly at?: string;
  readonly name?: string;
  readonly address?: readonly string[];
}

const ADD_HELP = `
Examples:
  perigee pop add fra --at Frankfurt --address 192.0.2.10 --address 2001:db8::10
  perigee pop add lab --at 48.2,16.37 --name "Vienna lab" --address 192.0.2.20
Without --at the POP is nowhere in particular, and used when no placed one can be.`;

export function addPopCommands(program: Command, io: CliIo): void {
  const pop = program.command('pop').description('POPs: places with edges, which DNS sends users to');
  addCommand(pop, io);
  listCommand(pop, io);
  removeCommand(pop, io);
  stateCommand(pop, io, 'drain', 'drained', 'send no new users to a POP; it goes on serving those it has');
  stateCommand(pop, io, 'undrain', 'active', 'send users to a drained POP again');
}

function addCommand(pop: Command, io: CliIo): void {
  const command = pop
    .command('add <id>')
    .description('add a POP with one edge')
    .option('--at <place>', 'where it is: a city, such as Frankfurt or "Paris, US", or LATITUDE,LONGITUDE')
    .option(
      '--address <ip>',
      'address of its edge, which DNS answers with; may be given several times',
      collect,
    )
    .option('--name <name>', "its name for people (default: the city's)")
    .addHelpText('after', ADD_HELP);
  withGlobalOptions(command).action(async (id: string, options: PopOptions, self: Command) => {
    const session = openSession(self, io);
    if (options.address === undefined) {
      throw new AppError('invalid', "give the edge's address: --address IP, such as --address 192.0.2.10");
    }
    const { at, name } = options;
    const body = {
      id,
      addresses: [...options.address],
      // A POP must be called something; nowhere in particular, its id has to do.
      ...(name === undefined ? (at === undefined ? { name: id } : {}) : { name }),
      ...(at === undefined ? {} : { at }),
    };
    const created = await session.api.createPop({ body });
    session.show(
      created,
      () => `Added POP ${created.id}: ${describePlace(created)}, ${addressesOf(created)}.\n`,
    );
  });
}

function addressesOf({ edges }: Pop): string {
  return edges.flatMap(({ addresses }) => addresses).join(', ');
}

function describePlace({ name, location }: Pop): string {
  return location === null
    ? `${printable(name)}, nowhere in particular`
    : `${printable(name)} at ${formatLocation(location)}`;
}

/** `50.11°N 8.68°E`. */
function formatLocation(location: Pop['location']): string {
  if (location === null) return '–';
  const { latitude, longitude } = location;
  const north = `${Math.abs(latitude).toFixed(2)}°${latitude < 0 ? 'S' : 'N'}`;
  return `${north} ${Math.abs(longitude).toFixed(2)}°${longitude < 0 ? 'W' : 'E'}`;
}

function listAllPops(api: ApiClient): Promise<Pop[]> {
  return readAllPages(async (after) => {
    const { pops, next } = await api.listPops({ query: { after } });
    return { items: pops, next };
  });
}

function listCommand(pop: Command, io: CliIo): void {
  withGlobalOptions(pop.command('list').description('list all POPs')).action(
    async (_: unknown, self: Command) => {
      const session = openSession(self, io);
      const pops = await listAllPops(session.api);
      session.show({ pops }, () => renderPops(session, pops));
    },
  );
}

function renderPops(session: Session, pops: readonly Pop[]): string {
  if (pops.length === 0) return 'No POPs yet. Add one: perigee pop add ID --at CITY --address IP\n';
  const columns = [
    { heading: 'ID' },
    { heading: 'NAME' },
    { heading: 'LOCATION' },
    { heading: 'STATE' },
    { heading: 'EDGES', align: 'right' as const },
    { heading: 'ADDRESSES' },
  ];
  return session.table(
    columns,
    pops.map((pop) => [
      pop.id,
      printable(pop.name),
      formatLocation(pop.location),
      pop.state === 'drained' ? session.style('yellow', 'drained') : 'active',
      String(pop.edges.length),
      addressesOf(pop),
    ]),
  );
}

function removeCommand(pop: Command, io: CliIo): void {
  withGlobalOptions(pop.command('rm <id>').description('remove a POP; DNS answers with it no more')).action(
    async (id: string, _: unknown, self: Command) => {
      const session = openSession(self, io);
      await session.api.deletePop({ params: { id } });
      session.show({ removed: id }, () => `Removed POP ${id}.\n`);
    },
  );
}

function stateCommand(pop: Command, io: CliIo, verb: string, state: Pop['state'], description: string): void {
  withGlobalOptions(pop.command(`${verb} <id>`).description(description)).action(
    async (id: string, _: unknown, self: Command) => {
      const session = openSession(self, io);
      const changed = await session.api.patchPop({ params: { id }, body: { state } });
      session.show(
        changed,
        () => `POP ${changed.id} (${printable(changed.name)}) is now ${changed.state}.\n`,
      );
    },
  );
}

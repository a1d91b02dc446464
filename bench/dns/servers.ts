/** The name servers that are compared, each with one thread for UDP. */
import { createSocket } from 'node:dgram';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'dns-packet';
import { freePorts, type Program, startServer } from '../support/programs.ts';
import { encodeQuery } from './load.ts';
import { mapNetworks, POPS } from './world.ts';

export const HOW_TO_INSTALL = 'apt-get install dnsperf gdnsd knot knot-module-geoip';
export const NAME = 'shop.cdn.test';

const ZONE_RECORDS = `@ 3600 SOA ns1 hostmaster 1 3600 900 1209600 30
@ 3600 NS ns1
ns1 3600 A 127.0.0.1
`;
const ANSWER_MS = 500;

export interface RunningNameServer {
  readonly name: string;
  readonly program: Program;
  readonly port: number;
}

/** Whether a client in Frankfurt gets Frankfurt's address: the map is in force. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const late = setTimeout(() => resolve(false), ANSWER_MS);
  socket.on('error', () => resolve(false));
  socket.on('message', (octets) => {
    const [answer] = decode(octets).answers ?? [];
    resolve(answer?.type === 'A' && answer.data === POPS[1]?.address);
  });
  socket.send(encodeQuery('141.2.0.0'), port, '127.0.0.1');
  const isRight = await promise;
  clearTimeout(late);
  socket.close();
  return isRight;
}

async function start(name: string, port: number, command: readonly string[]): Promise<RunningNameServer> {
  return { name, port, program: await startServer(command, () => answers(port)) };
}

export async function startPerigee(
  directory: string,
  udpKind: 'batch' | 'socket',
): Promise<RunningNameServer> {
  const [port = 0] = await freePorts(1);
  const script = join(import.meta.dir, 'perigee-server.ts');
  const name = udpKind === 'batch' ? 'perigee' : 'perigee, portable';
  return start(name, port, [process.execPath, script, String(port), udpKind, directory]);
}

export async function startGdnsd(directory: string): Promise<RunningNameServer> {
  const [port = 0] = await freePorts(1);
  const home = join(directory, 'gdnsd');
  for (const part of ['zones', 'geoip', 'run', 'state']) mkdirSync(join(home, part), { recursive: true });
  const datacenters = POPS.map(({ id }) => id).join(', ');
  writeFileSync(
    join(home, 'config'),
    `options => {
  listen => [ 127.0.0.1:${port} ], udp_threads => 1, tcp_threads => 1,
  run_dir => ${home}/run, state_dir => ${home}/state,
}
plugins => { geoip => {
  maps => { world => { datacenters => [${datacenters}], nets => nets } },
  resources => { shop => { map => world, service_types => up, dcmap => {
    ${POPS.map(({ id, address }) => `${id} => ${address}`).join(', ')}
  } } },
} }
`,
  );
  const networks = await mapNetworks();
  const nets = networks.map(({ network, pop }) => `${network} => ${pop.id}\n`).join('');
  writeFileSync(join(home, 'geoip', 'nets'), nets);
  writeFileSync(join(home, 'zones', 'cdn.test'), `${ZONE_RECORDS}shop 30 DYNA geoip!shop\n`);
  return start('gdnsd', port, ['gdnsd', '-c', home, 'start']);
}

export async function startKnot(directory: string): Promise<RunningNameServer> {
  const [port = 0] = await freePorts(1);
  const home = join(directory, 'knot');
  mkdirSync(home, { recursive: true });
  writeFileSync(
    join(home, 'knot.conf'),
    `server:
  rundir: ${home}
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  edns-client-subnet: on
database:
  storage: ${home}
mod-geoip:
  - id: world
    config-file: ${home}/world.conf
    ttl: 30
    mode: subnet
template:
  - id: default
    storage: ${home}
zone:
  - domain: cdn.test
    file: cdn.test.zone
    module: mod-geoip/world
`,
  );
  const networks = await mapNetworks();
  const nets = networks.map(({ network, pop }) => `  - net: ${network}\n    A: ${pop.address}\n`).join('');
  // Those in no network: the loopback clients of queries without client subnet.
  const rest = `  - net: 0.0.0.0/0\n    A: ${POPS[0]?.address ?? ''}\n`;
  writeFileSync(join(home, 'world.conf'), `${NAME}:\n${rest}${nets}`);
  writeFileSync(join(home, 'cdn.test.zone'), `$ORIGIN cdn.test.\n${ZONE_RECORDS}`);
  return start('knot', port, ['knotd', '-c', join(home, 'knot.conf')]);
}

/** Asks the CDN's name server as a user's resolver would: with the user's client subnet (RFC 7871). */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';
import { AppError } from '#core/base/app-error.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';

const ANSWER_TIMEOUT_MS = 2_000;
const TRIES = 3;
/** What resolvers send of an IPv4 client's address (RFC 7871 §11.1). */
const SUBNET_BITS = 24;

/** One question over UDP; null when no answer came in time. */
function askOnce(server: ListenAddress, id: number, query: Buffer): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    const finish = (answer: Buffer | null) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(null), ANSWER_TIMEOUT_MS);
    socket.on('message', (bytes) => {
      // Whatever does not carry our id is not for us.
      if (bytes.length >= 12 && bytes.readUInt16BE(0) === id) finish(bytes);
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      socket.close();
      reject(error);
    });
    socket.send(query, server.port, server.address);
  });
}

/** The IPv4 addresses that a user at `clientAddress` is given for `host`, at least one. Throws AppError `unavailable`. */
export async function resolveFor(
  server: ListenAddress,
  host: string,
  clientAddress: string,
): Promise<string[]> {
  const id = randomInt(0x10000);
  const subnet = {
    code: 'CLIENT_SUBNET',
    ip: clientAddress,
    family: 1,
    sourcePrefixLength: SUBNET_BITS,
    scopePrefixLength: 0,
  };
  const query = encode({
    type: 'query',
    id,
    questions: [{ name: host, type: 'A' }],
    // The encoder's types do not name every form of an option that it takes.
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [subnet] } as never],
  });
  const where = `the name server at ${formatListenAddress(server)}`;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const bytes = await askOnce(server, id, query);
    if (bytes === null) continue;
    const answer = decode(bytes);
    const addresses = (answer.answers ?? []).flatMap((record) => (record.type === 'A' ? [record.data] : []));
    if (addresses.length > 0) return addresses;
    throw new AppError(
      'unavailable',
      `${where} gives no address for ${host} (${(answer as { rcode?: string }).rcode ?? 'no data'})`,
    );
  }
  throw new AppError('unavailable', `${where} does not answer; is "npm start" running?`);
}

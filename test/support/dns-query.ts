/** An independent DNS client (dns-packet) over real sockets, with client subnet when asked. */
import { createSocket } from 'node:dgram';
import dnsPacket, { type DecodedPacket, type RecordType } from 'dns-packet';

const ANSWER_DEADLINE_MS = 10_000;
/** A datagram may be lost; a resolver asks again. */
const ASK_AGAIN_MS = 500;

export interface Query {
  readonly name: string;
  readonly type: RecordType;
  /** Client subnet (RFC 7871), such as "192.0.2.0/24". */
  readonly subnet?: string;
}

/** Asks `server` ("ADDR:PORT") over UDP; rejects when no answer comes in time. */
export function ask(server: string, { name, type, subnet }: Query): Promise<DecodedPacket> {
  const [ip = '', length = '0'] = (subnet ?? '').split('/');
  const family = ip.includes(':') ? 2 : 1;
  const options = [
    { code: 'CLIENT_SUBNET', ip, family, sourcePrefixLength: Number(length), scopePrefixLength: 0 },
  ];
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    flags: 0,
    options: subnet === undefined ? [] : options,
  };
  const query = dnsPacket.encode({
    type: 'query',
    id: Math.floor(Math.random() * 0xffff),
    questions: [{ name, type }],
    // The package's types do not know every form its encoder takes.
    additionals: [opt as never],
  });
  const [address = '', port = ''] = server.split(':');
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const again = setInterval(() => socket.send(query, Number(port), address), ASK_AGAIN_MS);
    const timer = setTimeout(() => {
      clearInterval(again);
      socket.close();
      reject(new Error(`no answer from ${server} for ${name} within ${ANSWER_DEADLINE_MS} ms`));
    }, ANSWER_DEADLINE_MS);
    socket.once('message', (bytes) => {
      clearTimeout(timer);
      clearInterval(again);
      socket.close();
      resolve(dnsPacket.decode(bytes));
    });
    socket.send(query, Number(port), address);
  });
}

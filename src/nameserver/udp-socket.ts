/** UDP by the runtime's own socket: works everywhere, one system call per answer. */

import { DNS_LIMITS } from '#core/dns/limits.ts';
import type { IpAddress } from '#core/ip/address.ts';
import { parseAddress } from '#core/ip/address.ts';
import { listenError, type UdpListener, type UdpListenerOptions } from './udp-listener.ts';

const UNKNOWN_RESOLVER: IpAddress = { family: 4, word0: 0, word1: 0, word2: 0, word3: 0 };

/** Throws AppError `conflict` when the port is in use. */
export async function listenSocket(options: UdpListenerOptions): Promise<UdpListener> {
  const { answerer, listen, log } = options;
  const output = new Uint8Array(DNS_LIMITS.udpOctetsMax);
  // Within a promise, because the runtime throws some errors of binding and rejects with others.
  const open = Promise.resolve().then(() =>
    Bun.udpSocket({
      hostname: listen.address,
      port: listen.port,
      socket: {
        data(socket, packet, port, address) {
          const resolver = resolverOf(address);
          const length = answerer.answer(packet, packet.length, resolver, output, false);
          // A full send buffer loses this answer, as the network might; the client asks again.
          if (length > 0) socket.send(output.subarray(0, length), port, address);
        },
        error(_socket, error) {
          log.warn({ cause: error.message }, 'UDP socket error');
        },
      },
    }),
  );
  const socket = await open.catch((error: { code?: string; message: string }) => {
    throw listenError(listen, 'UDP', error.code ?? error.message);
  });
  return {
    address: { address: listen.address, port: socket.port },
    kind: 'socket',
    counters: [],
    tell() {},
    async settled() {},
    async close() {
      socket.close();
    },
  };
}

/** The peer's address without a link's zone ("fe80::1%eth0"). */
export function resolverOf(address: string): IpAddress {
  const zone = address.indexOf('%');
  return parseAddress(zone < 0 ? address : address.slice(0, zone)) ?? UNKNOWN_RESOLVER;
}

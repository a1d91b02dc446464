/**
 * Binds a server to its address, or has it accept from an inherited descriptor, and says in users' words what
 * is wrong when it cannot.
 */
import type { AddressInfo, Server } from 'node:net';
import { AppError } from '#core/base/app-error.ts';
import { type LeanSocket, listenLean } from '#platform/lean-socket.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';

export interface BoundListener {
  readonly port: number;
  /** Accepts no more; open connections stay. */
  close(): void;
}

/** Rejects with AppError when the address cannot be had. */
export function bindServer(
  server: Server,
  address: ListenAddress,
  reusePort: boolean,
  log: Logger,
): Promise<BoundListener> {
  const { promise, resolve, reject } = Promise.withResolvers<BoundListener>();
  const refused = (error: NodeJS.ErrnoException) => reject(bindError(error, address));
  server.once('error', refused);
  server.once('listening', () => {
    server.off('error', refused);
    server.on('error', (error) => log.error({ err: error, ...address }, 'accepting a connection failed'));
    resolve({ port: (server.address() as AddressInfo).port, close: () => server.close() });
  });
  const { descriptor } = address;
  if (descriptor === undefined) server.listen({ host: address.address, port: address.port, reusePort });
  else server.listen({ fd: descriptor });
  return promise;
}

/** The same for plain connections, by the runtime's own listener. Throws. */
export function bindLean(
  address: ListenAddress,
  reusePort: boolean,
  onConnection: (socket: LeanSocket) => void,
): BoundListener {
  try {
    return listenLean(address, reusePort, onConnection);
  } catch (error) {
    throw bindError(error as NodeJS.ErrnoException, address);
  }
}

function bindError(error: NodeJS.ErrnoException, address: ListenAddress): AppError {
  const name = formatListenAddress(address);
  const options = { cause: error };
  switch (error.code) {
    case 'EADDRINUSE':
      return new AppError(
        'conflict',
        `${name} is in use by another program: stop it or choose another port`,
        options,
      );
    case 'EACCES':
      return new AppError(
        'forbidden',
        `${name} may not be used: choose a port above 1023 or grant the right`,
        options,
      );
    case 'EADDRNOTAVAIL':
      return new AppError('invalid', `${name} is not an address of this machine`, options);
    default:
      return new AppError('unavailable', `cannot listen on ${name}: ${error.message}`, options);
  }
}

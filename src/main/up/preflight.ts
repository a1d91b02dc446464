/**
 * What must hold before the first process starts, so that nothing is ever half-started: the data directory
 * can be written, no other Perigee uses it, and every port is free. Ports given as 0 are chosen here.
 */
import { createSocket } from 'node:dgram';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';

/** Makes the data directory if need be. Throws AppError `unavailable` when it cannot be written. */
export function prepareDataDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const cause = errorMessage(error);
    throw new AppError('unavailable', `--data ${path}: the directory cannot be written (${cause})`, {
      cause: error,
    });
  }
}

/** Binds a TCP port and lets it go again; returns the address with its port. Throws AppError `conflict`. */
export function claimTcpPort(wanted: ListenAddress, option: string): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => reject(portError(error, wanted, option)));
    server.listen({ host: wanted.address, port: wanted.port, exclusive: true }, () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : wanted.port;
      server.close(() => resolve({ address: wanted.address, port }));
    });
  });
}

/** The same for a UDP port. */
function claimUdpPort(wanted: ListenAddress, option: string): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(wanted.address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => reject(portError(error, wanted, option)));
    socket.bind({ address: wanted.address, port: wanted.port, exclusive: true }, () => {
      const { port } = socket.address();
      socket.close(() => resolve({ address: wanted.address, port }));
    });
  });
}

/** A port that the system chose for UDP may be taken for TCP; another choice then will do. */
const CHOICES_MAX = 20;

/** The same port over UDP and TCP: what DNS needs, and HTTPS with HTTP/3. */
export async function claimTcpAndUdpPort(wanted: ListenAddress, option: string): Promise<ListenAddress> {
  for (let choice = 1; ; choice++) {
    try {
      return await claimTcpPort(await claimUdpPort(wanted, option), option);
    } catch (error) {
      if (wanted.port !== 0 || choice === CHOICES_MAX) throw error;
    }
  }
}

function portError(error: NodeJS.ErrnoException, wanted: ListenAddress, option: string): AppError {
  const place = formatListenAddress(wanted);
  const reasons: Record<string, string> = {
    EADDRINUSE: 'the port is in use; stop what uses it or choose another',
    EACCES: 'this user may not use the port; choose one above 1023 or grant the right',
    EADDRNOTAVAIL: 'this machine does not have the address',
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new AppError('conflict', `${option} ${place}: ${reason}`, { cause: error });
}

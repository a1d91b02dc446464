/**
 * How `perigee reload` reaches the `perigee up` of a data directory: a socket in that directory, which its
 * owner alone can open. It needs no port, no token and no control plane that answers, and it can tell how the
 * reload went. One line asks, one line of JSON answers:
 *
 *     reload  →  { "replaced": […], "failure": null, … }
 */
import { chmodSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { ReloadReport, Reloads } from './reloads.ts';

export interface CommandSocket {
  close(): void;
}

const RELOAD = 'reload';
/** Characters of a line that is read. */
const LINE_CHARACTERS_MAX = 64;

function socketPath(dataDirectory: string): string {
  return join(dataDirectory, 'perigee.sock');
}

/** To be called by the holder of the directory's lock alone: a socket that is there is a dead one's. */
export async function serveCommands(
  dataDirectory: string,
  reloads: Pick<Reloads, 'request'>,
): Promise<CommandSocket> {
  const path = socketPath(dataDirectory);
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Who asked and left learns nothing; the reload goes on.
    socket.on('error', () => {});
    readLine(socket, async (line) => {
      if (line === RELOAD) socket.end(`${JSON.stringify(await reloads.request())}\n`);
      else socket.destroy();
    });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  } catch (cause) {
    throw new AppError('unavailable', `--data: cannot listen at ${path}: ${errorMessage(cause)}`, { cause });
  }
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      rmSync(path, { force: true });
    },
  };
}

function readLine(socket: Socket, onLine: (line: string) => void): void {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (characters: string) => {
    text += characters;
    const end = text.indexOf('\n');
    if (end === -1 && text.length <= LINE_CHARACTERS_MAX) return;
    socket.removeAllListeners('data');
    onLine(text.slice(0, Math.max(0, end)));
  });
}

/**
 * Asks the `perigee up` of a data directory to reload, and waits. A reload ends by itself: each of its steps
 * has a deadline. Throws AppError when nobody is there, or ends meanwhile.
 */
export function askReload(dataDirectory: string): Promise<ReloadReport> {
  const place = `--data ${dataDirectory}`;
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(socketPath(dataDirectory), () => socket.write(`${RELOAD}\n`));
    socket.setEncoding('utf8');
    socket.on('data', (characters: string) => {
      text += characters;
    });
    socket.on('end', () => {
      if (text.endsWith('\n')) resolve(JSON.parse(text) as ReloadReport);
      else reject(new AppError('unavailable', `${place}: Perigee ended before the reload did`));
    });
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      const { code } = cause;
      const isAbsent = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR';
      const isForeign = code === 'EACCES' || code === 'EPERM';
      if (isAbsent) reject(new AppError('unavailable', `${place}: no Perigee runs there`, { cause }));
      else if (isForeign)
        reject(
          new AppError('forbidden', `${place}: only the user that Perigee runs as may reload it`, { cause }),
        );
      else reject(new AppError('unavailable', `${place}: Perigee ended before the reload did`, { cause }));
    });
    socket.on('close', () =>
      reject(new AppError('unavailable', `${place}: Perigee ended before the reload did`)),
    );
  });
}

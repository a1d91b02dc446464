/** Where a server listens, as users write it: `ADDR:PORT`, `[IPV6]:PORT` or a bare `PORT` on loopback. */
import { isIP } from 'node:net';
import { AppError } from '#core/base/app-error.ts';

export interface ListenAddress {
  readonly address: string;
  /** 0: the system chooses. */
  readonly port: number;
  /**
   * An inherited descriptor of a socket that listens at this address already (`listening-socket.ts`): the
   * server takes connections from it instead of binding. It outlives the server, so none is refused meanwhile.
   */
  readonly descriptor?: number;
}

/**
 * Reads `127.0.0.1:8080`, `[::1]:8080` or `8080`. `option` names the place of the error, such as "--http".
 * Throws AppError `invalid`.
 */
export function parseListenAddress(text: string, option: string): ListenAddress {
  const match = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  const address = match?.[1] ?? match?.[2] ?? '127.0.0.1';
  if (match === null || port > 65_535 || isIP(address) === 0) {
    throw new AppError(
      'invalid',
      `${option} ${text}: must be ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080`,
    );
  }
  return { address, port };
}

export function formatListenAddress({ address, port }: ListenAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Picks the way in which UDP is listened for. */
import { AppError } from '#core/base/app-error.ts';
import { listenBatch } from './udp-batch.ts';
import type { UdpListener, UdpListenerOptions } from './udp-listener.ts';
import { listenSocket } from './udp-socket.ts';

/**
 * Listens in the way asked for; `batch` falls back to `socket` where the platform has no such calls.
 * Throws AppError `conflict` when the port is in use.
 */
export async function listenUdp(
  options: UdpListenerOptions,
  kind: UdpListener['kind'],
): Promise<UdpListener> {
  const batch = kind === 'batch' ? await listenBatch(options) : null;
  if (batch === null && options.descriptor !== undefined)
    throw new AppError('unavailable', 'DNS cannot take queries from the UDP socket that it was given.');
  return batch ?? (await listenSocket(options));
}

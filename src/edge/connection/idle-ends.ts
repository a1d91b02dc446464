/** Ends of an exchange at which nothing happens: when the client has gone, or there is no content to send. */
import type { BodySink, BodySource } from '../exchange.ts';
import { rejectedAsGone } from './client-gone.ts';

/** When the response cannot reach anybody: every write says so. */
export class LostSink implements BodySink {
  write(): Promise<void> {
    return rejectedAsGone('before the response began');
  }

  end(): Promise<void> {
    return this.write();
  }

  abort(): void {}
}

const DONE = Promise.resolve();

/** HEAD, 204, 205 and 304, where the response has ended with its head: whatever is written is dropped. */
export class DroppingSink implements BodySink {
  write(): Promise<void> {
    return DONE;
  }

  end(): Promise<void> {
    return DONE;
  }

  abort(): void {}
}

/** What reading from a client who has gone ends with. */
export const LOST_SOURCE: BodySource = {
  length: null,
  read: () => rejectedAsGone('before the tunnel began'),
  trailers: () => null,
  cancel: () => {},
};

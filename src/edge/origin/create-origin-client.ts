/**
 * The client to origins as the road has it: HTTP/2 where an origin's settings ask for it and the origin agrees,
 * HTTP/1.1 otherwise.
 */
import {
  createHttp1Client,
  dialSettingsOf,
  type Http1Client,
  type Http1ClientOptions,
} from './http1-client.ts';
import { NotHttp2 } from './http2/fetch.ts';
import { Http2Client } from './http2/http2-client.ts';
import type { OriginRequest, OriginResponse } from './origin-client.ts';

/** Both speak through the same calls. */
export function createOriginClient(options: Http1ClientOptions): Http1Client {
  const http1 = createHttp1Client(options);
  const http2 = new Http2Client(dialSettingsOf(options, ['h2', 'http/1.1']), options.clock);
  return {
    fetch(request: OriginRequest, signal?: AbortSignal): Promise<OriginResponse> {
      if (!http2.takes(request)) return http1.fetch(request, signal);
      return http2.fetch(request, signal).catch((error: unknown) => {
        // Nothing was sent: the same request goes to the same origin in the other version.
        if (error instanceof NotHttp2) return http1.fetch(request, signal);
        throw error;
      });
    },
    async close(): Promise<void> {
      http2.close();
      await http1.close();
    },
    connections() {
      const first = http1.connections();
      const second = http2.connections();
      return { open: first.open + second.open, idle: first.idle + second.idle };
    },
  };
}

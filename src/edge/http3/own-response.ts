/** What the listener answers by itself: a status and its reason in one line of text, kept by nobody. */
import { standardReason } from '../http1/response-head.ts';

export function ownResponse(status: number, reason: string, isHead: boolean): Response {
  const text = `${status} ${standardReason(status)}: ${reason}\n`;
  return new Response(isHead ? null : text, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}

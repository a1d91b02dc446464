/** Proxy-Status (RFC 9209): which intermediary failed, and how. `error` is a token of its §2.3 registry. */
import { serialiseString, serialiseTokenOrString } from './structured-fields.ts';

export interface ProxyStatus {
  /** An error type such as `connection_refused`. */
  readonly error?: string;
  /** Who was asked: a host name, never an address that is not public. */
  readonly nextHop?: string;
  /** Status the next hop answered with, when it did. */
  readonly receivedStatus?: number;
  /** For people; no secrets. */
  readonly details?: string;
}

export function formatProxyStatus(name: string, status: ProxyStatus): string {
  let value = serialiseTokenOrString(name);
  if (status.error !== undefined) value += `; error=${serialiseTokenOrString(status.error)}`;
  if (status.nextHop !== undefined) value += `; next-hop=${serialiseTokenOrString(status.nextHop)}`;
  if (status.receivedStatus !== undefined) value += `; received-status=${status.receivedStatus}`;
  if (status.details !== undefined) value += `; details=${serialiseString(status.details)}`;
  return value;
}

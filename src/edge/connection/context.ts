/** What all client connections of one worker's listeners share, whichever HTTP version they speak. */
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { ExchangeHandler } from '../exchange.ts';
import type { Http1Limits } from '../http1/limits.ts';
import type { DeadlineSweep } from './deadline-sweep.ts';
import type { ConnectionLimits } from './limits.ts';
import type { OutputScratch } from './output-scratch.ts';

/** Every bound of the listeners and their connections. */
export type ListenLimits = ConnectionLimits & Http1Limits;

export interface ConnectionContext {
  readonly handler: ExchangeHandler;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: ListenLimits;
  readonly sweep: DeadlineSweep;
  readonly scratch: OutputScratch;
  /** Number of the last exchange. */
  exchanges: number;
  /** The listener is closing: no connection takes further requests. */
  isDraining: boolean;
  /** Counts a request or connection that was not served, by its reason. */
  countRefusal(reason: string): void;
}

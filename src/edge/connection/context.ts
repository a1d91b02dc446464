/** What all client connections of one worker's listeners share, whichever HTTP version they speak. */
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { ExchangeHandler } from '../exchange.ts';
import { HTTP1_LIMITS, type Http1Limits } from '../http1/limits.ts';
import type { RequestFieldsReader } from '../http1/request-fields.ts';
import { HTTP2_LIMITS, type Http2Limits } from '../http2/limits.ts';
import type { FrameScratch } from '../http2/output.ts';
import type { DeadlineSweep } from './deadline-sweep.ts';
import { CONNECTION_LIMITS, type ConnectionLimits } from './limits.ts';
import type { OutputScratch } from './output-scratch.ts';
import type { WriteTurns } from './write-turns.ts';

/** Every bound of the listeners and their connections. */
export type ListenLimits = ConnectionLimits & Http1Limits & Http2Limits;

export const LISTEN_LIMITS: ListenLimits = { ...CONNECTION_LIMITS, ...HTTP1_LIMITS, ...HTTP2_LIMITS };

/** A connection of any HTTP version, as its listener sees it. */
export interface ClientConnection {
  /** No further request is taken; those under way are answered first. */
  drain(): void;
  /** Ends it as if the client had gone. */
  sever(): void;
}

export interface ConnectionContext {
  readonly handler: ExchangeHandler;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: ListenLimits;
  readonly sweep: DeadlineSweep;
  readonly scratch: OutputScratch;
  readonly requestFields: RequestFieldsReader;
  readonly turns: WriteTurns;
  readonly frameScratch: FrameScratch;
  /** Number of the last exchange. */
  exchanges: number;
  /** The listener is closing: each response is its connection's last. */
  isDraining: boolean;
  /**
   * While draining: a successor accepts what is new, and nothing of ours may be lost. A connection that is
   * idle may bring one more request, for its client cannot know yet that it must not.
   */
  isHandingOver: boolean;
  /** Counts a request or connection that was not served, by its reason. */
  countRefusal(reason: string): void;
}
